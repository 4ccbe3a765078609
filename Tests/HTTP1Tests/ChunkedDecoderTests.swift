import Core
import HTTP1
import Testing

@Suite struct ChunkedDecoderTests {
    static let whole: [(String, String)] = [
        ("0\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n", "hello world"),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"), ("0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5;a\r\nhello\r\n0;b=c\r\n\r\n", "hello"), ("5 ; a = b\t;c=\"d \\\" ;\u{e9}\"\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5;a;b;c=d;e=\"\"\r\nhello\r\n0\r\n\r\n", "hello"), ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
    ]

    @Test(arguments: whole) func `content is what stands between the lines`(_ body: String, _ content: String) {
        let bytes = bytes(body)
        let decoded = ChunkedBody(bytes + [0x47, 0x45])
        #expect(decoded.ending == .whole(byteCount: bytes.count))
        #expect(String(decoding: decoded.content, as: UTF8.self) == content)
        #expect(decoded.trailers.fields.isEmpty)
    }

    static let faults: [(String, FramingFault)] = [
        ("\r\n", .chunkSizeInvalid), (" 5\r\n", .chunkSizeInvalid), ("+5\r\n", .chunkSizeInvalid),
        ("-0\r\n", .chunkSizeInvalid),
        ("0x5\r\n", .chunkSizeInvalid), ("0_2e\r\n", .chunkSizeInvalid), ("g\r\n", .chunkSizeInvalid),
        (";a\r\n", .chunkSizeInvalid),
        ("00000000000000005\r\n", .chunkSizeInvalid), ("10000000000000005\r\n", .chunkSizeInvalid),
        ("5\n", .chunkSizeInvalid),
        ("5 \r\n", .chunkExtensionInvalid), ("5\t5\r\n", .chunkExtensionInvalid), ("5\r;a\r\n", .chunkExtensionInvalid),
        ("5\r\r\n", .chunkExtensionInvalid), ("5;\r\n", .chunkExtensionInvalid), ("5;;a\r\n", .chunkExtensionInvalid),
        ("5;=a\r\n", .chunkExtensionInvalid), ("5;a=\r\n", .chunkExtensionInvalid),
        ("5;a b\r\n", .chunkExtensionInvalid),
        ("5;a \r\n", .chunkExtensionInvalid), ("5;a=b c\r\n", .chunkExtensionInvalid),
        ("5;a\n", .chunkExtensionInvalid),
        ("5;a=\"\n\"\r\n", .chunkExtensionInvalid), ("5;a=\"b\"c\r\n", .chunkExtensionInvalid),
        ("5;a=\"\\\r\"\r\n", .chunkExtensionInvalid), ("5;a=\"b\r\nhello\r\n", .chunkExtensionInvalid),
        ("5;(\r\n", .chunkExtensionInvalid), ("5;a\0\r\n", .chunkExtensionInvalid),
        ("5;\(String(repeating: "a", count: FixedBounds.chunkLineBytes))\r\n", .chunkLineTooLong),
        ("5\r\nhello\n", .chunkNotTerminated), ("5\r\nhello!\r\n", .chunkNotTerminated),
        ("5\r\nhello\rX", .chunkNotTerminated),
        ("5\r\nhello0\r\n\r\n", .chunkNotTerminated), ("0\r\nGET / HTTP/1.1\r\n", .trailerInvalid),
        ("0\r\n\n", .trailerInvalid),
        ("0\r\n a: b\r\n\r\n", .trailerInvalid), ("0\r\na : b\r\n\r\n", .trailerInvalid),
        ("0\r\na: b\n\r\n", .trailerInvalid),
        ("0\r\na: \0\r\n\r\n", .trailerInvalid), ("0\r\n\r\r", .trailerInvalid),
        ("0\r\na: \(String(repeating: "b", count: FixedBounds.trailerBytes))\r\n\r\n", .trailersTooLarge),
        (String(repeating: "1;\(String(repeating: "a", count: 2000))\r\nx\r\n", count: 9), .chunkOverheadTooLarge),
    ]

    @Test(arguments: faults) func `what is not chunked is refused as soon as that is certain`(
        _ body: String, _ fault: FramingFault
    ) {
        let bytes = bytes(body)
        #expect(ChunkedBody(bytes).ending == .refused(fault))
        #expect(ChunkedBody(bytes, cuts: Array(1..<bytes.count)).ending == .refused(fault))
    }

    @Test func `every fault is in the table and has a reason of its own`() {
        let seen = Self.faults.map(\.1)
        #expect(FramingFault.allCases.allSatisfy { seen.contains($0) })
        #expect(Set(FramingFault.allCases.map { "\($0.reason)" }).count == FramingFault.allCases.count)
        #expect(FramingFault.allCases.allSatisfy { "\($0.detail)".hasSuffix(".") })
    }

    @Test func `a size of 64 bits does not wrap`() throws {
        var decoder = ChunkedDecoder()
        let bytes = bytes("ffffffffffffffff\r\nabc")
        var index = 0
        #expect(try decoder.next(bytes.span, from: &index) == .body(18..<21))
        #expect(try decoder.next(bytes.span, from: &index) == nil)
        #expect(index == 21)
    }

    @Test func `content comes in one range as long as the bytes presented`() throws {
        var decoder = ChunkedDecoder()
        let bytes = bytes("2710\r\n") + Array(repeating: 0x61, count: 10_000) + bytes("\r\n0\r\n\r\nnext")
        var index = 0
        #expect(try decoder.next(bytes.span, from: &index) == .body(6..<10_006))
        #expect(try decoder.next(bytes.span, from: &index) == .end)
        #expect(index == bytes.count - 4)
        #expect(try decoder.next(bytes.span, from: &index) == nil)
        #expect(index == bytes.count - 4)
    }

    @Test func `many small chunks without extensions are no excess`() {
        let body = String(repeating: "1\r\nx\r\n", count: 50_000) + "0\r\n\r\n"
        #expect(ChunkedBody(bytes(body)).content.count == 50_000)
    }

    @Test func `trailers are kept apart, and those that mean more than metadata are dropped`() {
        let forbidden = [
            "Content-Length", "Transfer-Encoding", "Host", "Authorization", "Content-Type", "Content_Type",
            "Set-Cookie",
            "X-Forwarded-For", "x-auth-subject", "X_Auth.Subject", "If-Match", "Trailer", "TE", "Connection",
            "Cache-Control",
            "close", "Transfer.Encoding", "Proxy-Authorization", "X-API-Key", "Via", "WWW-Authenticate", "Range",
        ]
        let allowed = ["grpc-status", "Grpc-Message", "Digest", "Server-Timing", "X-Checksum", "Contents"]
        let lines = (forbidden + allowed).map { "\($0): 1\r\n" }.joined()
        let body = ChunkedBody(bytes("0\r\n\(lines)\r\nrest"))
        #expect(body.ending == .whole(byteCount: 5 + lines.utf8.count))
        #expect(body.trailers.bytes == bytes(lines + "\r\n"))
        let names = body.trailers.fields.filter { !$0.isDropped }.map { text(body.trailers.bytes, $0.name) }
        #expect(names == allowed)
        #expect(body.trailers.fields.count == forbidden.count + allowed.count)
    }

    @Test func `a trailer section as large as the limit is taken`() {
        let value = String(repeating: "b", count: FixedBounds.trailerBytes - 7)
        let body = bytes("0\r\na: \(value)\r\n\r\n")
        #expect(ChunkedBody(body).ending == .whole(byteCount: body.count))
        #expect(ChunkedBody(body, cuts: [100, 5000]).ending == .whole(byteCount: body.count))
    }
}
