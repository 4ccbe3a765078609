import Core
import HTTP1

/// What a request head came to, in a form two runs can be compared in.
struct ParsedRequest: Equatable {
    var progress: HeadProgress
    var head: RequestHead?

    static func == (a: ParsedRequest, b: ParsedRequest) -> Bool {
        a.progress == b.progress && a.head.map(describe) == b.head.map(describe)
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8], _ range: ByteRange) -> String { String(decoding: bytes[range.range], as: UTF8.self) }

/// Everything a head says, in words.
func describe(_ head: RequestHead) -> [String] {
    [
        String(decoding: head.bytes, as: UTF8.self), "\(head.method) \(text(head.bytes, head.methodRange))",
        text(head.bytes, head.target), "\(head.targetForm)", text(head.bytes, head.path),
        head.hasQuery ? "?" + text(head.bytes, head.query) : "", text(head.bytes, head.authority),
        "\(head.version) \(head.framing) \(head.keepsAlive) \(head.expectsContinue) \(head.acceptsTrailers)",
        "\(head.wantsUpgrade)",
    ] + describe(head.fields, of: head.bytes)
}

func describe(_ head: ResponseHead) -> [String] {
    [
        String(decoding: head.bytes, as: UTF8.self), "\(head.status)", text(head.bytes, head.reason),
        "\(head.version) \(head.framing) \(head.keepsAlive)",
    ] + describe(head.fields, of: head.bytes)
}

func describe(_ fields: [FieldLine], of bytes: [UInt8]) -> [String] {
    fields.map { "\($0.known) \(text(bytes, $0.name))=\(text(bytes, $0.value))\($0.isDropped ? " dropped" : "")" }
}

/// Parses a head presented in growing prefixes of the given lengths, then whole.
func parseRequest(_ bytes: [UInt8], cuts: [Int] = [], bounds: Bounds = Bounds()) -> ParsedRequest {
    var parser = RequestHeadParser()
    var head = RequestHead()
    for cut in cuts + [bytes.count] {
        let progress = parser.parse(bytes.span.extracting(0..<cut), bounds: bounds, into: &head)
        switch progress {
        case .incomplete: continue
        case .complete: return ParsedRequest(progress: progress, head: head)
        case .malformed: return ParsedRequest(progress: progress)
        }
    }
    return ParsedRequest(progress: .incomplete)
}

func parseRequest(_ text: String) -> ParsedRequest { parseRequest(bytes(text)) }

/// Parses a response head presented in growing prefixes of the given lengths, then whole.
func parseResponse(
    _ bytes: [UInt8], cuts: [Int] = [], method: Method = .get
) -> (progress: ResponseProgress, head: ResponseHead?) {
    var parser = ResponseHeadParser()
    var head = ResponseHead()
    for cut in cuts + [bytes.count] {
        let progress = parser.parse(bytes.span.extracting(0..<cut), requestMethod: method, into: &head)
        switch progress {
        case .incomplete: continue
        case .complete: return (progress, head)
        case .malformed: return (progress, nil)
        }
    }
    return (.incomplete, nil)
}
