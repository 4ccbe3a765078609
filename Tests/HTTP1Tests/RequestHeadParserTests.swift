import Core
import HTTP1
import Testing

@Suite struct RequestHeadParserTests {
    static func head(_ text: String) throws -> RequestHead {
        let parsed = parseRequest(text)
        #expect(parsed.progress == .complete(byteCount: text.utf8.count))
        return try #require(parsed.head)
    }

    static func get(_ lines: String, version: String = "1.1") -> String {
        "GET / HTTP/\(version)\r\nHost: h\r\n\(lines)\r\n"
    }

    @Test func `a plain request is taken apart`() throws {
        let text = "GET /a/b?x=1 HTTP/1.1\r\nHost: api.example:8080\r\nAccept: \t*/* \r\n\r\n"
        let parsed = parseRequest("\r\n" + text + "rest")
        #expect(parsed.progress == .complete(byteCount: text.utf8.count + 2))
        let head = try #require(parsed.head)
        #expect(
            describe(head) == [
                text, "get GET", "/a/b?x=1", "origin", "/a/b", "?x=1", "api.example:8080",
                "http11 none true false false", "false", "host Host=api.example:8080", "other Accept=*/*",
            ])
    }

    @Test func `a parser and a head are used again for the next request`() throws {
        var parser = RequestHeadParser()
        var head = RequestHead()
        let first = bytes("POST /long/first/path?q HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n")
        let second = bytes("GET / HTTP/1.1\r\nHost: b\r\n\r\n")
        #expect(parser.parse(first.span, bounds: Bounds(), into: &head) == .complete(byteCount: first.count))
        #expect(parser.parse(second.span, bounds: Bounds(), into: &head) == .complete(byteCount: second.count))
        #expect(describe(head) == describe(try #require(parseRequest(second).head)))
    }

    static let faults: [(String, RequestFault)] = [
        ("\u{16}\u{3}\u{1}", .requestLineInvalid), (" GET / HTTP/1.1", .requestLineInvalid),
        ("\nGET", .requestLineInvalid), ("\r\r", .lineEndingInvalid), ("\r\n\r\n\r\n\r\n\r\n", .requestLineInvalid),
        ("GET\t", .requestLineInvalid), ("GET  /", .targetInvalid), ("G(T", .requestLineInvalid),
        ("GET /s\r\n", .requestLineInvalid), ("GET /s\n", .requestLineInvalid), ("GET /\u{1}", .targetInvalid),
        ("GET / \r\n", .requestLineInvalid), ("GET / http/1.1", .requestLineInvalid),
        ("GET / HTTP/1.1 \r\n", .requestLineInvalid), ("GET / HTTP/1.1\n", .lineEndingInvalid),
        ("GET / HTTP/1.1\rH", .lineEndingInvalid), ("GET / HTTP/1.10", .requestLineInvalid),
        ("GET / HTTP/2.0\r\n", .versionNotSupported), ("GET / HTTP/3.1\r\n", .versionNotSupported),
        ("GET / HTTP/0.9\r\n", .versionNotSupported), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionNotSupported),
        ("CONNECT h:443 HTTP/1.1\r\n", .methodNotSupported),
        (String(repeating: "M", count: 33), .methodNotSupported),
        ("GET / HTTP/1.1\r\n Host: h\r\n", .fieldLineFolded), (get("X: a\r\n b\r\n"), .fieldLineFolded),
        (get("X: a\r\n\tb\r\n"), .fieldLineFolded), (get("X : a\r\n"), .whitespaceBeforeColon),
        (get("X\t: a\r\n"), .whitespaceBeforeColon), (get(": a\r\n"), .fieldNameInvalid),
        (get("X\r\n"), .fieldNameInvalid), (get("X(): a\r\n"), .fieldNameInvalid),
        (get("X\u{e9}: a\r\n"), .fieldNameInvalid),
        (get("X: a\0b\r\n"), .fieldValueInvalid), (get("X: a\u{7f}\r\n"), .fieldValueInvalid),
        (get("X: a\u{1b}\r\n"), .fieldValueInvalid), (get("X: a\rb\r\n"), .lineEndingInvalid),
        (get("X: a\nY: b\r\n"), .lineEndingInvalid), (get("\n"), .lineEndingInvalid), (get("\rX"), .lineEndingInvalid),
        ("GET / HTTP/1.1\r\n\r\n", .hostMissing), (get("Host: h\r\n"), .hostRepeated),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", .hostInvalid), ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .hostInvalid),
        ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", .hostInvalid), ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .hostInvalid),
        ("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .hostInvalid), ("GET / HTTP/1.1\r\nHost: :\r\n\r\n", .hostInvalid),
        ("GET / HTTP/1.1\r\nHost: a::\r\n\r\n", .hostInvalid), ("GET http://:/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
        ("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", .hostInvalid),
        ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", .hostInvalid),
        ("GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", .hostInvalid), (get("Host: h\r\n", version: "1.0"), .hostRepeated),
        (get("Content-Length: \r\n"), .contentLengthInvalid), (get("Content-Length: +1\r\n"), .contentLengthInvalid),
        (get("Content-Length: -1\r\n"), .contentLengthInvalid), (get("Content-Length: 0x1\r\n"), .contentLengthInvalid),
        (get("Content-Length: 1 1\r\n"), .contentLengthInvalid),
        (get("Content-Length: 1, 1\r\n"), .contentLengthInvalid),
        (get("Content-Length: 18446744073709551616\r\n"), .contentLengthInvalid),
        (get("Content-Length: 1\r\nContent-Length: 1\r\n"), .contentLengthRepeated),
        (get("Transfer-Encoding: \r\n"), .transferEncodingInvalid),
        (get("Transfer-Encoding: gzip\r\n"), .transferEncodingInvalid),
        (get("Transfer-Encoding: chunked, gzip\r\n"), .transferEncodingInvalid),
        (get("Transfer-Encoding: chunked, chunked\r\n"), .transferEncodingInvalid),
        (get("Transfer-Encoding: chunked,\r\n"), .transferEncodingInvalid),
        (get("Transfer-Encoding: , chunked\r\n"), .transferEncodingInvalid),
        (get("Transfer-Encoding: gzip, ,chunked\r\n"), .transferEncodingInvalid),
        (get("Transfer-Encoding: chunked;q=1\r\n"), .transferEncodingInvalid),
        (get("Transfer-Encoding: \"chunked\"\r\n"), .transferEncodingInvalid),
        (get("Transfer-Encoding: gzip, chunked\r\n"), .transferCodingNotSupported),
        (get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), .transferEncodingRepeated),
        (get("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), .transferEncodingRepeated),
        (get("Transfer-Encoding: chunked\r\n", version: "1.0"), .transferEncodingInHTTP10),
        (get("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), .framingAmbiguous),
        (get("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), .framingAmbiguous),
        (get("Connection: a b\r\n"), .connectionInvalid), (get("Connection: a;b\r\n"), .connectionInvalid),
        (get("Connection: =5\r\n"), .connectionInvalid), (get("Connection: timeout = 5\r\n"), .connectionInvalid),
        (get("Connection: " + String(repeating: "a,", count: 65) + "\r\n"), .connectionInvalid),
        (get("Expect: 200-ok\r\n"), .expectationUnknown), (get("Expect: 100-continue, x\r\n"), .expectationUnknown),
        (get("Expect: 100-continue\r\nExpect: 100-continue\r\n"), .expectationUnknown),
        (get("Expect: 100-continue, 100-continue\r\n"), .expectationUnknown), (get("Expect: ,x,\r\n"), .expectationUnknown),
    ]

    @Test(arguments: faults) func `what is not a request is refused as soon as that is certain`(
        _ text: String, _ fault: RequestFault
    ) {
        let bytes = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        #expect(parseRequest(bytes).progress == .malformed(fault))
        #expect(parseRequest(bytes, cuts: Array(1..<bytes.count)).progress == .malformed(fault))
    }

    @Test(arguments: ["a:", "[::1]:", "A.test:"]) func `an empty port is no part of the host`(_ written: String) throws {
        let host = String(written.dropLast())
        for text in ["GET / HTTP/1.1\r\nHost: \(written)\r\n\r\n", "GET http://\(written)/ HTTP/1.1\r\nHost: b\r\n\r\n"] {
            let head = try Self.head(text)
            #expect(String(decoding: head.bytes[head.authority.range], as: UTF8.self) == host)
        }
        let field = try #require(try Self.head("GET / HTTP/1.1\r\nHost: \(written)\r\n\r\n").fields.first)
        #expect(field.value.count == UInt32(host.utf8.count))
    }

    @Test func `an empty expectation is none, and empty elements beside one are nothing`() throws {
        for value in ["", ",", " , ,"] {
            let head = try Self.head(Self.get("Expect: \(value)\r\n"))
            #expect(!head.expectsContinue)
            #expect(head.fields.last?.isDropped == true)
        }
        let head = try Self.head(Self.get("Expect: , 100-Continue ,\r\n"))
        #expect(head.expectsContinue)
        let field = try #require(head.fields.last)
        #expect(text(head.bytes, field.value) == "100-Continue")
    }

    @Test func `an option with a parameter names no field and says nothing`() throws {
        let head = try Self.head(Self.get("Connection: keep-alive, timeout=5, max=\"1,close=1\r\nTimeout: 1\r\nMax: 1\r\n", version: "1.0"))
        #expect(head.keepsAlive)
        #expect(head.fields.filter { $0.isDropped }.map { text(head.bytes, $0.name) } == ["Connection"])
        let named = try Self.head(Self.get("Connection: close, timeout=5, X-Hop\r\nX-Hop: 1\r\n"))
        #expect(!named.keepsAlive)
        #expect(named.fields.filter { $0.isDropped }.map { text(named.bytes, $0.name) } == ["Connection", "X-Hop"])
    }

    @Test func `a handshake may say that it has no content`() throws {
        let upgrade = "Connection: keep-alive, UPGRADE\r\nUpgrade: WebSocket\r\n"
        let head = try Self.head(Self.get(upgrade + "Content-Length: 0\r\n"))
        #expect(head.wantsUpgrade && head.framing == .none)
        #expect(try Self.head(Self.get(upgrade + "Content-Length: 1\r\n")).framing == .length(1))
    }

    @Test(arguments: 2...9) func `a higher minor version is read as HTTP 1_1`(_ minor: Int) throws {
        let head = try Self.head(Self.get("Transfer-Encoding: chunked\r\n", version: "1.\(minor)"))
        #expect(head.version == .http11 && head.framing == .chunked && head.keepsAlive)
    }

    @Test func `a head holds nothing of the one before, whether it is shorter or refused`() {
        var (head, parser) = (RequestHead(), RequestHeadParser())
        func parse(_ text: String) -> Bool {
            if case .complete = parser.parse(text.utf8.span, bounds: Bounds(), into: &head) { return true }
            return false
        }
        #expect(parse("GET /long HTTP/1.1\r\nHost: h\r\nCookie: secret\r\nX-A: b\r\n\r\n"))
        #expect(parse("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"))
        #expect(head.fields.map { text(head.bytes, $0.name) } == ["Host"])
        #expect(head.bytes == Array("GET /b HTTP/1.1\r\nHost: h\r\n\r\n".utf8))
        for refused in ["GET /b HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n", "G(T", "\r\r"] {
            #expect(parse("GET /long HTTP/1.1\r\nHost: h\r\nCookie: secret\r\n\r\n"))
            #expect(!parse(refused))
            #expect(head.fields.isEmpty && head.bytes.isEmpty)
        }
    }

    @Test func `every fault but those of size, of HTTP 2 and of TLS is in the table`() {
        let seen = Self.faults.map(\.1)
        for fault in RequestFault.allCases where !seen.contains(fault) {
            let others: [RequestFault] = [
                .targetTooLong, .headTooLarge, .tooManyFields, .authorityDiffers, .plainHTTPOnTLSPort, .http2Required,
            ]
            #expect(others.contains(fault), "\(fault)")
        }
    }

    @Test func `every fault has a status, a reason of its own and a detail`() {
        #expect(RequestFault.allCases.allSatisfy { [400, 414, 417, 431, 501, 505].contains($0.status) })
        #expect(Set(RequestFault.allCases.map { "\($0.reason)" }).count == RequestFault.allCases.count)
        #expect(RequestFault.allCases.allSatisfy { "\($0.detail)".hasSuffix(".") })
    }

    @Test func `whitespace before a value is left out wherever the head is cut`() throws {
        let head = bytes("POST / HTTP/1.1\r\nHost: \t h\r\nTransfer-Encoding: \t chunked \t\r\n\r\n")
        for cut in 0..<head.count {
            let parsed = try #require(parseRequest(head, cuts: [cut]).head)
            #expect(parsed.framing == .chunked)
            #expect(text(parsed.bytes, parsed.authority) == "h")
        }
    }

    // MARK: Bounds

    @Test func `a head as large as the limit is taken, a larger one refused before its end`() {
        let head = bytes(Self.get("X: \(String(repeating: "a", count: 500))\r\n"))
        var bounds = Bounds()
        bounds.headByteLimit = head.count
        #expect(parseRequest(head, bounds: bounds).progress == .complete(byteCount: head.count))
        #expect(parseRequest(bytes("\r\n\r\n") + head, bounds: bounds).progress == .complete(byteCount: head.count + 4))
        bounds.headByteLimit = head.count - 1
        #expect(parseRequest(head, bounds: bounds).progress == .malformed(.headTooLarge))
        #expect(parseRequest(head, cuts: Array(1..<head.count), bounds: bounds).progress == .malformed(.headTooLarge))
        #expect(parseRequest(Array(head.dropLast()), bounds: bounds).progress == .malformed(.headTooLarge))
    }

    @Test func `a target as long as the limit is taken, a longer one refused before its end`() {
        var bounds = Bounds()
        bounds.targetByteLimit = 100
        let target = "/" + String(repeating: "a", count: 99)
        #expect(parseRequest(bytes("GET \(target) HTTP/1.0\r\n\r\n"), bounds: bounds).head != nil)
        #expect(parseRequest(bytes("GET \(target)a"), bounds: bounds).progress == .malformed(.targetTooLong))
        // The byte that passes the limit decides, not what stands behind it.
        #expect(parseRequest(bytes("GET \(target)a\u{1}"), bounds: bounds).progress == .malformed(.targetTooLong))
        #expect(parseRequest(bytes("GET \(target)\u{1}"), bounds: bounds).progress == .malformed(.targetInvalid))
        bounds.targetByteLimit = .max
        bounds.headByteLimit = 50
        #expect(parseRequest(bytes("GET \(target)"), bounds: bounds).progress == .malformed(.targetTooLong))
        bounds.headByteLimit = .max
        #expect(parseRequest(bytes("GET \(target) HTTP/1.0\r\n\r\n"), bounds: bounds).head != nil)
    }

    @Test func `a target of 8000 bytes is taken by default`() {
        #expect(parseRequest("GET /\(String(repeating: "a", count: 7999)) HTTP/1.0\r\n\r\n").head != nil)
    }

    @Test func `as many fields as the limit are taken, and no more`() {
        var bounds = Bounds()
        bounds.fieldCountLimit = 5
        let line = "A: b\r\n"
        let four = Self.get(String(repeating: line, count: 4))
        let five = Self.get(String(repeating: line, count: 5))
        #expect(parseRequest(bytes(four), bounds: bounds).head?.fields.count == 5)
        #expect(parseRequest(bytes(five), bounds: bounds).progress == .malformed(.tooManyFields))
    }

    @Test func `four empty lines before a request are skipped`() {
        let parsed = parseRequest("\r\n\r\n\r\n\r\n" + Self.get(""))
        #expect(parsed.head.map { describe($0).first } == Self.get(""))
    }

    // MARK: Connection and framing

    static let persistence: [(String, String, Bool)] = [
        ("1.1", "", true), ("1.1", "Connection: close\r\n", false), ("1.1", "Connection: Close , x\r\n", false),
        ("1.1", "Connection: x\r\nConnection: close\r\n", false), ("1.1", "Connection: keep-alive\r\n", true),
        ("1.1", "Connection: keep-alive, close\r\n", false), ("1.1", "Connection: closed\r\n", true),
        ("1.0", "", false), ("1.0", "Connection: Keep-Alive\r\n", true), ("1.0", "Connection: close\r\n", false),
        ("1.0", "Proxy-Connection: keep-alive\r\n", false), ("1.0", "Keep-Alive: 5\r\n", false),
        ("1.1", "Connection:\r\n", true), ("1.1", "Connection: ,, close ,\r\n", false),
    ]

    @Test(arguments: persistence) func `the connection is kept as version and options say`(
        _ version: String, _ lines: String, _ keeps: Bool
    ) throws {
        #expect(try Self.head(Self.get(lines, version: version)).keepsAlive == keeps)
    }

    static let framings: [(String, BodyFraming)] = [
        ("", .none), ("Content-Length: 0\r\n", .length(0)), ("content-length:\t007 \r\n", .length(7)),
        ("Content-Length: 18446744073709551615\r\n", .length(.max)), ("Transfer-Encoding: chunked\r\n", .chunked),
        ("transfer-encoding:CHUNKED \r\n", .chunked),
        ("Transfer_Encoding: chunked\r\nContent-Length: 5\r\n", .length(5)),
        ("Connection: content-length\r\nContent-Length: 5\r\n", .length(5)),
        ("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n", .chunked),
    ]

    @Test(arguments: framings) func `the framing is what the fields say`(_ lines: String, _ framing: BodyFraming) throws
    {
        #expect(try Self.head(Self.get(lines)).framing == framing)
    }

    @Test func `hop-by-hop fields and fields named in Connection are dropped, Host survives`() throws {
        let lines = """
            Connection: x-named, HOST, authorization\r
            connection: X-Two\r
            Keep-Alive: 5\r
            Proxy-Connection: close\r
            Proxy-Authorization: Basic x\r
            TE: gzip, Trailers\r
            Upgrade: websocket\r
            HTTP2-Settings: AAMAAABkAAQAAP__\r
            Close: x\r
            Trailer: x\r
            X-Named: 1\r
            x-two: 2\r
            Authorization: Bearer x\r
            X-Kept: 3\r

            """
        let head = try Self.head(Self.get(lines))
        let passing = head.fields.filter { !$0.isDropped }.map { text(head.bytes, $0.name) }
        #expect(passing == ["X-Kept"])
        #expect(text(head.bytes, head.authority) == "h")
        #expect(head.acceptsTrailers)
        #expect(!head.wantsUpgrade)
    }

    @Test func `Trailer passes with a chunked body only`() throws {
        let head = try Self.head(Self.get("Trailer: x\r\nTransfer-Encoding: chunked\r\n"))
        #expect(describe(head.fields, of: head.bytes).contains("trailer Trailer=x"))
    }

    static let upgrades: [(String, String, Bool)] = [
        ("1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", true), ("1.1", "Upgrade: websocket\r\n", false),
        ("1.1", "Connection: Upgrade\r\n", false), ("1.1", "Connection: Upgrade\r\nUpgrade:\r\n", false),
        ("1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n", false),
    ]

    @Test(arguments: upgrades) func `an upgrade needs both fields and HTTP/1.1`(
        _ version: String, _ lines: String, _ wants: Bool
    ) throws {
        #expect(try Self.head(Self.get(lines, version: version)).wantsUpgrade == wants)
    }

    @Test func `an expectation counts in HTTP/1.1 and is dropped from HTTP/1.0`() throws {
        let newer = try Self.head(Self.get("Expect: 100-Continue\r\n"))
        #expect(newer.expectsContinue)
        #expect(newer.fields.allSatisfy { !$0.isDropped })
        let older = try Self.head(Self.get("Expect: anything\r\n", version: "1.0"))
        #expect(!older.expectsContinue)
        #expect(older.fields.last?.isDropped == true)
    }

    @Test func `an HTTP/1.0 request may lack Host`() throws {
        let head = try Self.head("GET / HTTP/1.0\r\n\r\n")
        #expect(head.authority.isEmpty)
        #expect(head.version == .http10)
    }

    static let methods: [(String, Method)] = [
        ("GET", .get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete), ("PATCH", .patch),
        ("OPTIONS", .options), ("TRACE", .trace), ("get", .other), ("PURGE", .other), ("M-SEARCH", .other),
        (String(repeating: "M", count: 32), .other), ("!#$%&'*+-.^_`|~", .other),
    ]

    @Test(arguments: methods) func `a method is a token, and case counts`(_ token: String, _ method: Method) throws {
        let head = try Self.head("\(token) / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(head.method == method)
        #expect(text(head.bytes, head.methodRange) == token)
    }
}
