import Core
import HTTP1
import Testing

@Suite struct ResponseHeadParserTests {
    static func ok(_ lines: String, version: String = "1.1", status: String = "200 OK") -> String {
        "HTTP/\(version) \(status)\r\n\(lines)\r\n"
    }

    static func head(_ text: String, method: Method = .get) throws -> ResponseHead {
        let parsed = parseResponse(bytes(text), method: method)
        #expect(parsed.progress == .complete(byteCount: text.utf8.count))
        return try #require(parsed.head)
    }

    @Test func `a response is taken apart`() throws {
        let text = Self.ok("Server: x\r\nContent-Length: 5\r\n")
        #expect(
            describe(try Self.head(text)) == [
                text, "200", "OK", "http11 length(5) true", "server Server=x", "contentLength Content-Length=5",
            ])
    }

    static let reasons: [(String, String)] = [
        ("200 OK", "OK"), ("200 ", ""), ("200", ""), ("200 Not \t so\u{e9}", "Not \t so\u{e9}"), ("200  x", " x"),
    ]

    @Test(arguments: reasons) func `a reason may be missing`(_ status: String, _ reason: String) throws {
        let head = try Self.head(Self.ok("", status: status))
        #expect(head.status == 200)
        #expect(text(head.bytes, head.reason) == reason)
    }

    static let framings: [(String, String, Method, BodyFraming, Bool)] = [
        ("200", "", .get, .untilClose, false), ("200", "Content-Length: 5\r\n", .get, .length(5), true),
        ("200", "Transfer-Encoding: Chunked\r\n", .get, .chunked, true),
        ("200", "Content-Length: 5\r\n", .head, .none, true),
        ("200", "Transfer-Encoding: chunked\r\n", .head, .none, true),
        ("304", "Content-Length: 5\r\n", .get, .none, true), ("204", "", .post, .none, true),
        ("100", "", .post, .none, true), ("103", "Content-Length: 5\r\n", .get, .none, true),
        ("101", "", .get, .none, true), ("404", "Connection: close\r\nContent-Length: 0\r\n", .get, .length(0), false),
    ]

    @Test(arguments: framings) func `framing follows RFC 9112 6.3`(
        _ status: String, _ lines: String, _ method: Method, _ framing: BodyFraming, _ keeps: Bool
    ) throws {
        let head = try Self.head(Self.ok(lines, status: status), method: method)
        #expect(head.framing == framing)
        #expect(head.keepsAlive == keeps)
    }

    @Test func `an HTTP/1.0 connection is kept only when the upstream says so`() throws {
        #expect(try !Self.head(Self.ok("Content-Length: 1\r\n", version: "1.0")).keepsAlive)
        let kept = Self.ok("Content-Length: 1\r\nConnection: Keep-Alive\r\n", version: "1.0")
        #expect(try Self.head(kept).keepsAlive)
        #expect(try !Self.head(Self.ok("Connection: keep-alive\r\n", version: "1.0")).keepsAlive)
    }

    @Test func `hop-by-hop fields and fields named in Connection are dropped`() throws {
        let lines = "Connection: x-a\r\nKeep-Alive: 5\r\nX-A: 1\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\n"
            + "Proxy-Authentication-Info: y\r\nX-B: 2\r\n"
        let head = try Self.head(Self.ok(lines))
        #expect(head.fields.filter { !$0.isDropped }.map { text(head.bytes, $0.name) } == ["X-B"])
    }

    static let faults: [(String, ResponseFault)] = [
        ("\r\n", .statusLineInvalid), ("HTTP 200", .statusLineInvalid), ("ICY 200", .statusLineInvalid),
        ("http/1.1", .statusLineInvalid), ("HTTP/1.1  200", .statusLineInvalid), ("HTTP/1.1\t200", .statusLineInvalid),
        ("HTTP/1.1 20\r\n", .statusLineInvalid), ("HTTP/1.1 2000", .statusLineInvalid),
        ("HTTP/1.1 099 ", .statusLineInvalid),
        ("HTTP/1.1 600 ", .statusLineInvalid), ("HTTP/1.1 2x0 ", .statusLineInvalid),
        ("HTTP/1.1 -20 ", .statusLineInvalid),
        ("HTTP/1.1 200\tOK", .statusLineInvalid), ("HTTP/1.1 200 O\0K", .statusLineInvalid),
        ("HTTP/1.1 200\n", .statusLineInvalid), ("HTTP/1.1 200 OK\n", .lineEndingInvalid),
        ("HTTP/1.1 200 OK\rX", .lineEndingInvalid), ("HTTP/2.0 200", .versionNotSupported),
        ("HTTP/3.2 200", .versionNotSupported), (ok("X : a\r\n"), .whitespaceBeforeColon),
        (ok("X: a\r\n b\r\n"), .fieldLineFolded),
        (ok("X\r\n"), .fieldNameInvalid), (ok("X: \0\r\n"), .fieldValueInvalid),
        (ok("X: a\nY: b\r\n"), .lineEndingInvalid),
        (ok("Content-Length: x\r\n"), .contentLengthInvalid), (ok("Content-Length: 5, 5\r\n"), .contentLengthInvalid),
        (ok("Content-Length: 5\r\nContent-Length: 5\r\n"), .contentLengthRepeated),
        (ok("Transfer-Encoding: gzip\r\n"), .transferEncodingInvalid),
        (ok("Transfer-Encoding: , chunked\r\n"), .transferEncodingInvalid),
        (ok("Transfer-Encoding: gzip, chunked\r\n"), .transferCodingNotSupported),
        (ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), .transferEncodingRepeated),
        (ok("Transfer-Encoding: chunked\r\n", version: "1.0"), .transferEncodingInHTTP10),
        (ok("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), .framingAmbiguous),
        (ok("Connection: \"a\"\r\n"), .connectionInvalid),
        (ok("X: \(String(repeating: "a", count: FixedBounds.responseHeadBytes))\r\n"), .headTooLarge),
        (ok(String(repeating: "A: b\r\n", count: 201)), .tooManyFields),
    ]

    @Test(arguments: faults) func `what is not a response is refused as soon as that is certain`(
        _ text: String, _ fault: ResponseFault
    ) {
        #expect(parseResponse(bytes(text)).progress == .malformed(fault))
        let prefix = Array(bytes(text).prefix(4096))
        guard prefix.count < 4096 else { return }
        #expect(parseResponse(prefix, cuts: Array(1..<prefix.count)).progress == .malformed(fault))
    }

    @Test func `every fault is in the table and has a reason of its own`() {
        let seen = Self.faults.map(\.1)
        #expect(ResponseFault.allCases.allSatisfy { seen.contains($0) })
        #expect(Set(ResponseFault.allCases.map { "\($0.reason)" }).count == ResponseFault.allCases.count)
    }
}
