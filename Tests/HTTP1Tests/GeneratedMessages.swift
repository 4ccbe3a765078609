/// Makes messages that are right, and messages that almost are, from a seed.
struct GeneratedMessages {
    private var random: SeededGenerator
    private static let token = Array("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789!#$%&'*+-.^_`|~".utf8)
    private static let path = Array("abcXYZ019-._~!$&'()*+,;=:@/".utf8)
    private static let query = Array("abcXYZ019-._~!$&'()*+,;=:@/?%[]{}|\"^\\`<>".utf8)
    private static let known = [
        "Accept", "User-Agent", "Cookie", "Connection", "Keep-Alive", "TE", "Via", "Trailer", "Upgrade", "Date", "X-A",
    ]

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func request() -> [UInt8] {
        let method = pick(["GET", "POST", "OPTIONS", "PATCH", "X-\(text(Self.token, 1...8))"])
        let version = pick(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0"])
        var target = "/" + text(Self.path, 0...30)
        if Bool.random(using: &random) { target += "%4" + pick(["0", "a", "F"]) }
        if Bool.random(using: &random) { target += "?" + text(Self.query, 0...20) }
        if Int.random(in: 0..<8, using: &random) == 0 { target = "http://h.test:81" + target }
        var lines = ["Host: h.test"] + fields()
        switch Int.random(in: 0..<3, using: &random) {
        case 0: lines.append("Content-Length: \(Int.random(in: 0..<1000, using: &random))")
        case 1: if version == "HTTP/1.1" { lines.append("Transfer-Encoding: Chunked") }
        default: break
        }
        lines.shuffle(using: &random)
        return Array((["\(method) \(target) \(version)"] + lines).map { $0 + "\r\n" }.joined().utf8) + [0x0D, 0x0A]
    }

    mutating func response() -> [UInt8] {
        let status = Int.random(in: 100...599, using: &random)
        let start = pick(["HTTP/1.1 \(status) OK", "HTTP/1.1 \(status)", "HTTP/1.0 \(status) "])
        return Array(([start] + fields()).map { $0 + "\r\n" }.joined().utf8) + [0x0D, 0x0A]
    }

    mutating func chunked() -> [UInt8] {
        var out = ""
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let content = text(Self.query, 1...40)
            out += String(content.utf8.count, radix: 16) + pick(["", ";a", " ; a = \"b\\\"\"", ";x=y"]) + "\r\n"
            out += content + "\r\n"
        }
        out += "0\r\n" + (Bool.random(using: &random) ? "" : fields().map { $0 + "\r\n" }.joined()) + "\r\n"
        return Array(out.utf8)
    }

    /// `bytes` with a few bytes changed, left out, doubled or put in, mostly such as mean something.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        for _ in 0...Int.random(in: 0..<3, using: &random) where !result.isEmpty {
            let index = Int.random(in: 0..<result.count, using: &random)
            let byte = pick(Array("\r\n \t:,;=\"0\u{0}\u{7f}?/#%Zx".utf8) + [0x80, 0xFF])
            switch Int.random(in: 0..<5, using: &random) {
            case 0: result[index] = byte
            case 1: result.insert(byte, at: index)
            case 2: result.remove(at: index)
            case 3: result[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            default:
                let end = Swift.min(result.count, index + Int.random(in: 1...30, using: &random))
                result.insert(contentsOf: result[index..<end], at: Int.random(in: 0...index, using: &random))
            }
        }
        return result
    }

    mutating func cuts(of count: Int) -> [Int] {
        (0..<3).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
    }

    private mutating func fields() -> [String] {
        (0..<Int.random(in: 0...6, using: &random)).map { _ in
            let name = Bool.random(using: &random) ? pick(Self.known) : "X" + text(Self.token, 1...12)
            let isList = ["Connection", "TE"].contains(name)
            let value = isList ? pick(["x-a", "close", "X-A, trailers", "upgrade"]) : text(Self.query, 0...20)
            return name + ":" + pick(["", " ", " \t"]) + value + pick(["", "", " "])
        }
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    private mutating func text(_ alphabet: [UInt8], _ length: ClosedRange<Int>) -> String {
        let count = Int.random(in: length, using: &random)
        return String(decoding: (0..<count).map { _ in pick(alphabet) }, as: UTF8.self)
    }
}
