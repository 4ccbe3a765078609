import Core
import HTTP1
import Testing

/// Answers of old upstreams that the policy calls lenient.
@Suite struct LenientUpstreamTests {
    private func parse(_ bytes: [UInt8], cuts: [Int] = [], isLenient: Bool = true) -> (progress: ResponseProgress, head: ResponseHead) {
        var parser = ResponseHeadParser(isLenient: isLenient)
        var head = ResponseHead()
        for cut in cuts + [bytes.count] {
            let progress = parser.parse(bytes.span.extracting(0..<cut), requestMethod: .get, into: &head)
            if progress != .incomplete { return (progress, head) }
        }
        return (.incomplete, head)
    }

    static let taken: [(String, String)] = [
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nA: b\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"),
        ("HTTP/1.1 200\n\n", "HTTP/1.1 200\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nX-A: a \r\n  b\r\n\tc\r\nB: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nX-A: a b c\r\nB: 1\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nX-A:\n b\n\n", "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\ncontent-length:2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2, 02\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
        ("HTTP/1.1 999 No\r\n\r\n", "HTTP/1.1 999 No\r\n\r\n"), ("HTTP/1.1 600 \n\n", "HTTP/1.1 600 \r\n\r\n"),
    ]

    @Test(arguments: taken) func `what old servers write is taken, and nothing of its form is left`(_ written: String, _ clean: String) {
        let bytes = bytes(written)
        for cuts in [[], Array(0..<bytes.count)] + (0...bytes.count).map({ [$0] }) {
            let parsed = parse(bytes + Array("rest".utf8), cuts: cuts)
            #expect(parsed.progress == .complete(byteCount: bytes.count))
            #expect(String(decoding: parsed.head.bytes, as: UTF8.self) == clean)
        }
        if case .complete = parse(bytes, isLenient: false).progress { Issue.record("a strict upstream may say it too") }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n 3\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 2\nTransfer-Encoding: chunked\n\n",
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip,\n chunked\n\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n \r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\n X: a\r\n\r\n", "HTTP/1.1 200 OK\n\tX: a\n\n",
        "HTTP/1.1 200 OK\r\nX : a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\r\n\r\n", "HTTP/1.1 200 OK\nX: \0\n\n", "HTTP/1.1 1000 X\r\n\r\n",
        "HTTP/1.1 099 X\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/2.0 200 OK\n\n", "\nHTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\nX\n\n",
    ]) func `what leaves doubt about the message is refused all the same`(_ written: String) {
        let bytes = bytes(written)
        for cuts in [[], Array(0..<bytes.count)] {
            guard case .malformed = parse(bytes, cuts: cuts).progress else {
                Issue.record("\(parse(bytes, cuts: cuts).progress)")
                continue
            }
        }
    }

    @Test func `a head without an end is refused at its bound`() {
        let long = bytes("HTTP/1.1 200 OK\nX: " + String(repeating: "a", count: FixedBounds.responseHeadBytes))
        #expect(parse(long).progress == .malformed(.headTooLarge))
    }

    @Test(arguments: 1...8) func `lenient reading is strict reading of what strict reading takes, however it is cut`(seed: Int) {
        var chance = SeededGenerator(seed: UInt64(seed))
        let pieces = [
            "\r\n", "\n", "\r\n", "X: a", "Content-Length: 2", "Content-Length: 3", "Transfer-Encoding: chunked", " b", "\t", "\r", "A:", ",",
        ]
        for _ in 0..<800 {
            var text = "HTTP/1.1 200 OK\r\n"
            for _ in 0..<Int.random(in: 0...7, using: &chance) { text += pieces.randomElement(using: &chance) ?? "" }
            let bytes = bytes(text + "\r\n\r\n")
            let whole = parse(bytes)
            for cuts in [Array(0..<bytes.count), [Int.random(in: 0...bytes.count, using: &chance)]] {
                let cut = parse(bytes, cuts: cuts)
                #expect(cut.progress == whole.progress && cut.head.bytes == whole.head.bytes, "\(text.debugDescription)")
            }
            let strict = parse(bytes, isLenient: false)
            if case .complete = strict.progress {
                #expect(whole.progress == strict.progress && whole.head.framing == strict.head.framing, "\(text.debugDescription)")
            }
            guard case .complete = whole.progress else { continue }
            // What came of it is a strict head.
            let again = parse(whole.head.bytes, isLenient: false)
            #expect(again.progress == .complete(byteCount: whole.head.bytes.count), "\(text.debugDescription)")
            #expect(again.head.framing == whole.head.framing)
        }
    }

    private func decode(_ text: String, cuts: [Int] = [], isLenient: Bool = true) throws(FramingFault) -> (String, Int?, String) {
        var decoder = ChunkedDecoder(isLenient: isLenient)
        let bytes = bytes(text)
        var content: [UInt8] = []
        var start = 0
        for cut in cuts + [bytes.count] {
            let piece = Array(bytes[start..<cut])
            var index = 0
            while let event = try decoder.next(piece.span, from: &index) {
                switch event {
                case .body(let range): content += piece[range]
                case .end:
                    return (
                        String(decoding: content, as: UTF8.self), start + index, String(decoding: decoder.trailers.bytes, as: UTF8.self)
                    )
                }
            }
            start = cut
        }
        return (String(decoding: content, as: UTF8.self), nil, "")
    }

    @Test(arguments: [
        ("2  \r\nok\r\n0\r\n\r\n", ""), ("2\nok\n0\n\n", ""), ("2 \t\nok\r\n0 \n\r\n", ""), ("2;a=b\nok\n0\nX: y\n\n", "X: y\r\n\r\n"),
        ("2\r\nok\r\n0\r\nX: y\r\n z\r\nA: b\n\n", "X: y z\r\nA: b\r\n\r\n"), ("2\r\nok\n0\n\r\n", ""),
    ]) func `chunks of old servers are taken`(_ text: String, _ trailers: String) throws {
        for cuts in [[], Array(1..<text.utf8.count)] {
            let decoded = try decode(text + "rest", cuts: cuts)
            #expect(decoded == ("ok", text.utf8.count, trailers))
        }
        #expect(throws: FramingFault.self) { try decode(text, isLenient: false) }
    }

    @Test(arguments: [
        "2 1\r\nok\r\n0\r\n\r\n", " 2\r\nok\r\n0\r\n\r\n", "\r\n2\r\nok\r\n", "2\rok\r\n", "2;a \r\nok\r\n", "2\r\nokk\n0\n\n", "2x\nok\n", "\n",
        "0\nX : y\n\n", "0\n X: y\n\n", "0\nX: y\n \n\n",
    ]) func `chunks that leave doubt are refused all the same`(_ text: String) {
        #expect(throws: FramingFault.self) { try decode(text) }
    }
}
