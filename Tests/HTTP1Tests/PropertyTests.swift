import Core
import HTTP1
import Testing

/// What holds for every message, however it is made and however it is cut.
@Suite struct PropertyTests {
    /// Each message whole, byte by byte, and split in two at every index.
    static func cuttings(of count: Int) -> [[Int]] { [Array(0..<count)] + (0...count).map { [$0] } }

    static let requests =
        ConformanceTests.smuggling.filter { $0.id != "S61" }.map(\.raw)
        + ConformanceTests.gunicorn.map { Vectors.addingHost(Array($0.raw_base64)) }.filter { $0.count < 2000 }
        + LLHTTPTests.requests.map { Vectors.addingHost($0.input) }

    @Test func `a request head comes to the same however it is cut`() {
        for bytes in Self.requests {
            let whole = parseRequest(bytes)
            for cuts in Self.cuttings(of: bytes.count) { #expect(parseRequest(bytes, cuts: cuts) == whole) }
        }
    }

    @Test func `connections whose bytes come in turns share one head without seeing each other's`() throws {
        var messages = GeneratedMessages(seed: 5)
        for _ in 0..<200 {
            let connections = (0..<3).map { _ in messages.request() }
            var parsers = connections.map { _ in RequestHeadParser() }
            var shared = RequestHead()
            var heads: [[String]?] = [nil, nil, nil]
            for count in 1...(connections.map(\.count).max() ?? 0) {
                for (index, bytes) in connections.enumerated() where count <= bytes.count {
                    let presented = bytes.span.extracting(0..<count)
                    let progress = parsers[index].parse(presented, bounds: Bounds(), into: &shared)
                    if case .complete = progress { heads[index] = describe(shared) }
                }
            }
            for (index, bytes) in connections.enumerated() {
                #expect(heads[index] == describe(try #require(parseRequest(bytes).head)))
            }
        }
    }

    @Test func `upstreams whose bytes come in turns share one head without seeing each other's`() throws {
        var messages = GeneratedMessages(seed: 6)
        for _ in 0..<200 {
            let connections = (0..<3).map { _ in messages.response() }
            var parsers = connections.map { _ in ResponseHeadParser() }
            var shared = ResponseHead()
            var heads: [[String]?] = [nil, nil, nil]
            for count in 1...(connections.map(\.count).max() ?? 0) {
                for (index, bytes) in connections.enumerated() where count <= bytes.count {
                    let presented = bytes.span.extracting(0..<count)
                    let progress = parsers[index].parse(presented, requestMethod: .get, into: &shared)
                    if case .complete = progress { heads[index] = describe(shared) }
                }
            }
            for (index, bytes) in connections.enumerated() {
                #expect(heads[index] == describe(try #require(parseResponse(bytes).head)))
            }
        }
    }

    @Test func `a response head comes to the same however it is cut`() {
        for bytes in LLHTTPTests.responses.map(\.input) {
            let whole = parseResponse(bytes)
            for cuts in Self.cuttings(of: bytes.count) {
                let cut = parseResponse(bytes, cuts: cuts)
                #expect(cut.progress == whole.progress)
                #expect(cut.head.map(describe) == whole.head.map(describe))
            }
        }
    }

    @Test func `a chunked body comes to the same however it is cut`() {
        for bytes in ChunkedDecoderTests.whole.map({ bytes($0.0 + "x") })
            + ChunkedDecoderTests.faults.map({ bytes($0.0) }).filter({ $0.count < 200 })
        {
            let whole = ChunkedBody(bytes)
            for cuts in Self.cuttings(of: bytes.count) { #expect(ChunkedBody(bytes, cuts: cuts) == whole) }
        }
    }

    static func rewritten(_ head: RequestHead) -> [UInt8] {
        let bytes = head.bytes.span
        var out = ByteBuffer()
        RequestWriter.append(
            requestTo: &out, head: head, target: bytes.extracting(head.target.range),
            host: bytes.extracting(head.authority.range), framing: head.framing, added: HeaderLines())
        return out.array
    }

    /// The fields that pass, in order.
    static func passing(_ head: RequestHead) -> [String] {
        head.fields.filter { !$0.isDropped && ![.host, .contentLength, .transferEncoding].contains($0.known) }
            .map { "\(text(head.bytes, $0.name)): \(text(head.bytes, $0.value))" }
    }

    /// Nothing in a head that passed can end a line or a head early.
    static func isSound(_ head: RequestHead) -> Bool {
        head.fields.allSatisfy { line in
            let parts = head.bytes[line.name.range] + head.bytes[line.value.range]
            return parts.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 } && !line.name.isEmpty
        } && head.bytes[head.target.range].allSatisfy { 0x21...0x7E ~= $0 }
    }

    @Test func `a request head means the same when it is parsed again as it was written`() throws {
        var messages = GeneratedMessages(seed: 1)
        for _ in 0..<3000 {
            let bytes = messages.request()
            let parsed = parseRequest(bytes)
            #expect(parsed.progress == .complete(byteCount: bytes.count), "\(String(decoding: bytes, as: UTF8.self))")
            let head = try #require(parsed.head)
            #expect(head.bytes == bytes)
            let again = try #require(parseRequest(Self.rewritten(head)).head)
            #expect(text(again.bytes, again.methodRange) == text(head.bytes, head.methodRange))
            #expect(text(again.bytes, again.path) == text(head.bytes, head.path))
            #expect(text(again.bytes, again.query) == text(head.bytes, head.query))
            #expect(again.hasQuery == head.hasQuery)
            #expect(text(again.bytes, again.authority) == text(head.bytes, head.authority))
            #expect(again.framing == head.framing)
            // Trailer passes once more as it passed; whatever Connection named is gone for good.
            #expect(Self.passing(again) == Self.passing(head))
        }
    }

    @Test func `a request that is almost right is refused or sound, the same however it is cut`() {
        var messages = GeneratedMessages(seed: 2)
        var refusals = 0
        for _ in 0..<6000 {
            let bytes = messages.mutated(messages.request())
            let parsed = parseRequest(bytes)
            #expect(parseRequest(bytes, cuts: messages.cuts(of: bytes.count)) == parsed)
            guard let head = parsed.head else {
                refusals += 1
                continue
            }
            #expect(Self.isSound(head))
            let written = Self.rewritten(head)
            // An HTTP/1.0 head without Host is written with an empty one, which the policy never does.
            if head.authority.isEmpty { continue }
            #expect(parseRequest(written).head?.framing == head.framing, "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(refusals > 1000)
        #expect(refusals < 6000)
    }

    @Test func `a response that is almost right is refused or sound, the same however it is cut`() {
        var messages = GeneratedMessages(seed: 3)
        for _ in 0..<6000 {
            let bytes = messages.mutated(messages.response())
            let whole = parseResponse(bytes)
            let cut = parseResponse(bytes, cuts: messages.cuts(of: bytes.count))
            #expect(whole.progress == cut.progress)
            #expect(whole.head.map(describe) == cut.head.map(describe))
        }
    }

    @Test func `a chunked body that is almost right is refused or decoded, the same however it is cut`() {
        var messages = GeneratedMessages(seed: 4)
        for _ in 0..<6000 {
            let right = messages.chunked()
            #expect(ChunkedBody(right).ending == .whole(byteCount: right.count))
            let bytes = messages.mutated(right)
            #expect(ChunkedBody(bytes) == ChunkedBody(bytes, cuts: messages.cuts(of: bytes.count)))
        }
    }
}
