import Core
import Testing

@testable import HTTP2

/// What is no request, and what is done about it (RFC 9113 §8.1.1, §8.2, §8.3).
@Suite struct MalformedRequestTests {
    enum Verdict: Equatable, CustomStringConvertible {
        /// RST_STREAM with PROTOCOL_ERROR; nobody is told of a request.
        case reset
        /// An answer can be given.
        case refused(RequestFault)
        case accepted

        var description: String {
            switch self {
            case .reset: "reset"
            case .refused(let fault): "\(fault.reason)"
            case .accepted: "accepted"
            }
        }
    }

    typealias Case = (title: String, fields: [(String, String)], verdict: Verdict)

    /// The pseudo-fields of a GET with one of them changed; an empty name takes it away.
    static func get(_ changed: String, _ value: String?) -> [(String, String)] {
        Frames.get.compactMap { $0.0 == changed ? value.map { (changed, $0) } : $0 }
    }

    static let pseudoFields: [Case] = [
        ("as it should be", Frames.get, .accepted),
        ("in another order", Frames.get.reversed(), .accepted),
        ("no :method", get(":method", nil), .reset), ("no :scheme", get(":scheme", nil), .reset),
        ("no :path", get(":path", nil), .reset), ("no :authority and no host", get(":authority", nil), .reset),
        ("empty :method", get(":method", ""), .reset), ("empty :path", get(":path", ""), .reset),
        ("empty :scheme", get(":scheme", ""), .reset), ("empty :authority", get(":authority", ""), .reset),
        ("two :method", [(":method", "GET")] + Frames.get, .reset), ("two :path", Frames.get + [(":path", "/x")], .reset),
        ("two :scheme", Frames.get + [(":scheme", "https")], .reset),
        ("two :authority", Frames.get + [(":authority", "h.test")], .reset),
        ("unknown pseudo-field", Frames.get + [(":a", "b")], .reset), (":status", Frames.get + [(":status", "200")], .reset),
        ("a colon alone", Frames.get + [(":", "b")], .reset),
        ("pseudo-field behind a field", [(":method", "GET"), ("a", "b")] + Frames.get.dropFirst(), .reset),
        (":protocol without CONNECT", Frames.get + [(":protocol", "websocket")], .reset),
        ("upper-case pseudo-field", get(":path", nil) + [(":Path", "/x")], .reset),
        ("method of 32 bytes", get(":method", String(repeating: "A", count: 32)), .accepted),
        ("method of 33 bytes", get(":method", String(repeating: "A", count: 33)), .refused(.methodNotSupported)),
        ("method that is no token", get(":method", "GE T"), .reset), ("CONNECT", [(":method", "CONNECT"), (":authority", "h:443")], .refused(.methodNotSupported)),
        ("CONNECT with a path", get(":method", "CONNECT"), .reset), ("scheme of a file", get(":scheme", "file"), .refused(.targetInvalid)),
        ("scheme in upper case", get(":scheme", "HTTPS"), .accepted), ("scheme with a host", get(":scheme", "https://h"), .reset),
    ]

    static let targets: [Case] = [
        ("query", get(":path", "/?a=b&c"), .accepted), ("asterisk with GET", get(":path", "*"), .reset),
        ("asterisk with OPTIONS", [(":method", "OPTIONS")] + get(":path", "*").dropFirst(), .accepted),
        ("absolute-form", get(":path", "https://h.test/x"), .reset), ("no slash", get(":path", "x"), .reset),
        ("fragment", get(":path", "/x#y"), .refused(.targetInvalid)), ("space", get(":path", "/x y"), .reset),
        ("CR LF", get(":path", "/x HTTP/1.1\r\nHost: a\r\n\r\n"), .reset), ("NUL", get(":path", "/x\0"), .reset),
        ("tab", get(":path", "/x\ty"), .reset), ("backslash", get(":path", "/x\\y"), .refused(.targetInvalid)),
        ("byte above 0x7F", get(":path", "/\u{E9}"), .refused(.targetInvalid)), ("half an escape", get(":path", "/%4"), .refused(.targetInvalid)),
        ("DEL", get(":path", "/\u{7F}"), .reset),
        ("a target at its limit", get(":path", "/" + String(repeating: "a", count: 16_383)), .accepted),
        ("a target above its limit", get(":path", "/" + String(repeating: "a", count: 16_384)), .refused(.targetTooLong)),
        ("a target of any length", get(":path", "/" + String(repeating: "a", count: 40_000)), .refused(.targetTooLong)),
    ]

    static let authorities: [Case] = [
        ("port", get(":authority", "h.test:8443"), .accepted), ("IPv6", get(":authority", "[::1]:80"), .accepted),
        ("userinfo", get(":authority", "user@h.test"), .refused(.hostInvalid)), ("comma", get(":authority", "a,b"), .refused(.hostInvalid)),
        ("escape", get(":authority", "%61"), .refused(.hostInvalid)), ("port too large", get(":authority", "h:70000"), .refused(.hostInvalid)),
        ("space", get(":authority", "a b"), .reset), ("slash", get(":authority", "a/b"), .reset),
        ("host alone", get(":authority", nil) + [("host", "h.test")], .accepted),
        ("host that agrees", Frames.get + [("host", "H.TEST")], .accepted),
        ("host that differs", Frames.get + [("host", "other.test")], .refused(.authorityDiffers)),
        ("host with a port more", Frames.get + [("host", "h.test:443")], .refused(.authorityDiffers)),
        ("empty host beside :authority", Frames.get + [("host", "")], .reset),
        ("two hosts", Frames.get + [("host", "h.test"), ("host", "h.test")], .reset),
        ("empty port", get(":authority", "h.test:"), .accepted), ("two colons", get(":authority", "h.test::"), .refused(.hostInvalid)),
        ("host that has an empty port", Frames.get + [("host", "h.test:")], .accepted),
        ("host alone with an empty port", get(":authority", nil) + [("host", "h.test:")], .accepted),
        ("invalid host alone", get(":authority", nil) + [("host", "a,b")], .refused(.hostInvalid)),
    ]

    static let fields: [Case] = [
        ("upper case", Frames.get + [("Accept", "a")], .reset), ("no name", Frames.get + [("", "a")], .refused(.fieldNameInvalid)),
        ("space in a name", Frames.get + [("a b", "a")], .refused(.fieldNameInvalid)), ("colon in a name", Frames.get + [("a:b", "a")], .refused(.fieldNameInvalid)),
        ("NUL in a name", Frames.get + [("a\0", "a")], .refused(.fieldNameInvalid)), ("CR LF in a name", Frames.get + [("a\r\nb", "a")], .refused(.fieldNameInvalid)),
        ("byte above 0x7F in a name", Frames.get + [("\u{E9}", "a")], .refused(.fieldNameInvalid)),
        ("NUL in a value", Frames.get + [("a", "a\0b")], .refused(.fieldValueInvalid)), ("CR in a value", Frames.get + [("a", "a\rb")], .refused(.fieldValueInvalid)),
        ("LF in a value", Frames.get + [("a", "a\nb")], .refused(.fieldValueInvalid)),
        ("CR LF in a value", Frames.get + [("a", "a\r\nx-injected: 1")], .refused(.fieldValueInvalid)),
        ("DEL in a value", Frames.get + [("a", "\u{7F}")], .refused(.fieldValueInvalid)), ("space before a value", Frames.get + [("a", " b")], .refused(.fieldValueInvalid)),
        ("tab behind a value", Frames.get + [("a", "b\t")], .refused(.fieldValueInvalid)), ("tab in a value", Frames.get + [("a", "b\tc")], .accepted),
        ("empty value", Frames.get + [("a", "")], .accepted), ("obs-text", Frames.get + [("a", "\u{E9}")], .accepted),
        ("connection", Frames.get + [("connection", "close")], .reset), ("keep-alive", Frames.get + [("keep-alive", "a")], .reset),
        ("proxy-connection", Frames.get + [("proxy-connection", "a")], .reset), ("transfer-encoding", Frames.get + [("transfer-encoding", "chunked")], .reset),
        ("upgrade", Frames.get + [("upgrade", "h2c")], .reset), ("te: trailers", Frames.get + [("te", "trailers")], .accepted),
        ("te: gzip", Frames.get + [("te", "gzip")], .reset), ("te: trailers, gzip", Frames.get + [("te", "trailers, gzip")], .reset),
        ("content-length with a sign", Frames.get + [("content-length", "+0")], .reset), ("content-length as a list", Frames.get + [("content-length", "0, 0")], .reset),
        ("empty content-length", Frames.get + [("content-length", "")], .reset), ("content-length beyond 64 bits", Frames.get + [("content-length", "18446744073709551616")], .reset),
        ("two content-lengths", Frames.get + [("content-length", "0"), ("content-length", "0")], .reset),
        ("content-length and no content", Frames.get + [("content-length", "1")], .reset), ("content-length 0", Frames.get + [("content-length", "0")], .accepted),
        ("empty expectation", Frames.get + [("expect", "")], .accepted), ("empty elements", Frames.get + [("expect", ", 100-continue")], .accepted),
        ("unknown expectation", Frames.get + [("expect", "200-ok")], .refused(.expectationUnknown)),
        ("expectation twice", Frames.get + [("expect", "100-continue"), ("expect", "100-continue")], .refused(.expectationUnknown)),
        ("as many fields as allowed", Frames.get + (0..<99).map { ("a\($0)", "b") }, .accepted),
        ("a field too many", Frames.get + (0..<100).map { ("a\($0)", "b") }, .refused(.tooManyFields)),
        ("a large head", Frames.get + [("a", String(repeating: "b", count: 32_600))], .accepted),
        ("a head too large", Frames.get + [("a", String(repeating: "b", count: 32_768))], .refused(.headTooLarge)),
        ("cookies too large", Frames.get + (0..<20).map { _ in ("cookie", String(repeating: "b", count: 2000)) }, .refused(.headTooLarge)),
    ]

    @Test(arguments: [pseudoFields, targets, authorities, fields].flatMap { $0 })
    func `a message is judged before anybody hears of it`(_ expected: Case) {
        let peer = ServerPeer()
        peer.receive(Frames.opening)
        _ = peer.take()
        for part in blocks(Frames.block(expected.fields)) { peer.receive(part) }
        let frames = peer.frames()
        switch expected.verdict {
        case .accepted:
            #expect(peer.heads[1] != nil && peer.faults.isEmpty && frames.resets(1).isEmpty, "\(expected.title)")
        case .reset:
            #expect(peer.events == ["reset 1"], "\(expected.title)")
            #expect(frames.resets(1) == [1], "\(expected.title)")
        case .refused(let fault):
            #expect(peer.events == ["refused 1 \(fault.reason)"], "\(expected.title)")
            #expect(frames.resets(1).isEmpty)
            peer.streams[1].map { peer.answer($0, status: fault.status, body: "no") }
            #expect(peer.frames().only(.headers).count == 1)
            #expect(peer.events.last == "closed 1 noError")
        }
        // The connection goes on.
        #expect(peer.session.failure == nil && frames.goAways.isEmpty)
        peer.receive(Frames.headers(Frames.get, stream: 3))
        #expect(peer.events.last == "request 3 GET /x", "\(expected.title)")
    }

    /// A block in as many frames as it needs, the stream ended.
    private func blocks(_ block: [UInt8]) -> [[UInt8]] {
        let parts = stride(from: 0, to: block.count, by: 16_384).map { Array(block[$0..<min($0 + 16_384, block.count)]) }
        return parts.enumerated().map { index, part in
            let ends = index == parts.count - 1 ? Frames.endHeaders : 0
            return index == 0
                ? Frames.frame(.headers, flags: Frames.endStream | ends, stream: 1, part)
                : Frames.frame(.continuation, flags: ends, stream: 1, part)
        }
    }

    @Test func `the bytes of names and values are those of HTTP 1`() {
        for byte in UInt8.min...UInt8.max {
            let character = String(Unicode.Scalar(byte))
            let peer = ServerPeer()
            peer.receive(Frames.opening)
            peer.receive(Frames.headers(Frames.get + [("x" + character, "v")], stream: 1))
            let isUpper = 0x41...0x5A ~= byte
            #expect((peer.heads[1] != nil && peer.faults.isEmpty) == (ByteClass.token.contains(byte) && !isUpper), "name \(byte)")
            peer.receive(Frames.headers(Frames.get + [("x", "a\(character)b")], stream: 3))
            #expect((peer.heads[3] != nil && peer.faults[3] == nil) == byte.isFieldValueByte, "value \(byte)")
        }
    }

    @Test func `what is refused has its content dropped, and its windows given back`() throws {
        let peer = ServerPeer()
        peer.receive(Frames.opening)
        peer.receive(Frames.headers(Frames.post + [("host", "other")], ends: false))
        for _ in 0..<12 { peer.receive(Frames.content([UInt8](repeating: 0, count: 16_000))) }
        #expect(peer.content.isEmpty)
        let updates = peer.frames().only(.windowUpdate)
        #expect(updates.contains { $0.stream == 1 } && updates.contains { $0.stream == 0 })
        peer.answer(try #require(peer.streams[1]), status: 400)
        #expect(peer.frames().resets(1) == [0])
        #expect(peer.events.last == "closed 1 noError")
    }

    @Test(arguments: [(10, 20, false), (10, 5, true), (10, 11, true), (0, 1, false)])
    func `content that is not what was announced ends the stream`(_ announced: Int, _ sent: Int, _ ends: Bool) {
        let peer = ServerPeer()
        peer.receive(Frames.opening)
        peer.receive(Frames.headers(Frames.post + [("content-length", "\(announced)")], ends: false))
        peer.receive(Frames.content([UInt8](repeating: 0, count: sent), ends: ends))
        #expect(!peer.events.contains("end 1"))
        #expect(peer.frames().resets(1) == [1])
        #expect(peer.events.last == "closed 1 protocolError")
    }

    @Test(arguments: [
        ([("a", "b")], false), ([(":path", "/y")], true), ([("A", "b")], true), ([("a", "b\r\nc")], true), ([("connection", "x")], true),
        ([("a", String(repeating: "b", count: 9000))], true),
    ])
    func `trailers that are none end the stream`(_ fields: [(String, String)], _ ends: Bool) {
        let peer = ServerPeer()
        peer.receive(Frames.opening)
        peer.receive(Frames.headers(Frames.post, ends: false) + Frames.headers(fields, ends: ends))
        #expect(!peer.events.contains("end 1"))
        #expect(peer.frames().resets(1) == [1])
        #expect(peer.events == ["request 1 POST /x", "closed 1 protocolError"])
    }

    @Test func `trailers keep what may be kept`() throws {
        let peer = ServerPeer()
        peer.receive(Frames.opening)
        peer.receive(
            Frames.headers(Frames.post, ends: false)
                + Frames.headers([("x-sum", "1"), ("authorization", "a"), ("x-auth-subject", "root"), ("host", "h")]))
        let trailers = try #require(peer.trailers[1])
        #expect(lines(trailers.bytes, trailers.fields) == ["x-sum: 1"])
    }

    @Test func `cookie crumbs are one cookie`() throws {
        let peer = ServerPeer()
        peer.receive(Frames.opening)
        peer.receive(Frames.headers(Frames.get + [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")]))
        let head = try #require(peer.heads[1])
        #expect(lines(head.bytes, head.fields) == ["host: h.test", "x: y", "cookie: a=1; b=2; c=3"])
    }

    @Test(arguments: [(true, "websocket", Verdict.accepted), (true, "connect-udp", .refused(.methodNotSupported)), (false, "websocket", .reset)])
    func `extended CONNECT is for WebSockets, where they are allowed`(_ isAllowed: Bool, _ name: String, _ verdict: Verdict) {
        let peer = ServerPeer(acceptsWebSockets: isAllowed)
        peer.receive(Frames.opening)
        peer.receive(Frames.headers([(":method", "CONNECT"), (":protocol", name)] + Frames.get.dropFirst(), ends: false))
        switch verdict {
        case .accepted: #expect(peer.events == ["request 1 GET /x"])
        case .refused(let fault): #expect(peer.events == ["refused 1 \(fault.reason)"])
        case .reset: #expect(peer.frames().resets(1) == [1])
        }
    }
}
