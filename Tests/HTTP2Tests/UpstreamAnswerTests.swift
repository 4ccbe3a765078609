import Core
import Testing

@testable import HTTP2

/// Answers of an upstream written by hand: what is passed on and what is not.
@Suite struct UpstreamAnswerTests {
    private func asking(_ method: String = "GET") -> ClientPeer {
        let client = ClientPeer()
        client.receive(Frames.settings + Frames.settingsAck)
        client.request(method)
        _ = client.take()
        client.events.removeAll()
        return client
    }

    @Test(arguments: [
        ([(":status", "200"), ("a", "b")], BodyFraming.length(0), true), ([(":status", "200")], .chunked, false),
        ([(":status", "200"), ("content-length", "3")], .length(3), false), ([(":status", "599")], .length(0), true),
        ([(":status", "204")], .none, true), ([(":status", "304"), ("content-length", "3")], .none, true),
    ])
    func `an answer is a head of HTTP 1`(_ fields: [(String, String)], _ framing: BodyFraming, _ ends: Bool) throws {
        let client = asking()
        client.receive(Frames.headers(fields, ends: ends))
        let head = try #require(client.heads[1])
        #expect(head.framing == framing && head.version == .http2 && head.keepsAlive)
        #expect(client.session.streams.first?.isRemoteEnded ?? true == ends)
    }

    @Test(arguments: [
        ("status_line_invalid", [(":status", "600")]), ("field_name_invalid", [(":status", "200"), ("a b", "c")]),
        ("field_value_invalid", [(":status", "200"), ("a", "b\r\nc")]), ("field_value_invalid", [(":status", "200"), ("a", " b")]),
        ("head_too_large", [(":status", "200")] + (0..<3).map { ("a\($0)", String(repeating: "b", count: 30_000)) }),
        ("too_many_fields", [(":status", "200")] + (0..<201).map { ("a\($0)", "b") }),
    ])
    func `an answer that cannot be forwarded is refused`(_ reason: String, _ fields: [(String, String)]) {
        let client = asking()
        let block = Frames.block(fields)
        let parts = stride(from: 0, to: block.count, by: 16_384).map { Array(block[$0..<min($0 + 16_384, block.count)]) }
        for (index, part) in parts.enumerated() {
            client.receive(
                Frames.frame(index == 0 ? .headers : .continuation, flags: index == parts.count - 1 ? 4 : 0, stream: 1, part))
        }
        client.receive(Frames.content([1, 2, 3]))
        #expect(client.events == ["refused 1 \(reason)"])
        #expect(client.frames().resets(1) == [1])
        #expect(client.events.last == "closed 1 protocolError" && client.session.failure == nil)
    }

    @Test(arguments: [
        [("a", "b")], [(":status", "2x0")], [(":status", "20")], [(":status", "200"), (":status", "200")], [(":status", "101")],
        [(":status", "200"), (":path", "/")], [(":status", "200"), ("connection", "close")], [(":status", "200"), ("A", "b")],
        [(":status", "200"), ("transfer-encoding", "chunked")], [(":status", "200"), ("content-length", "a")],
        [(":status", "200"), ("content-length", "1"), ("content-length", "1")], [(":status", "200"), ("content-length", "1")],
    ])
    func `an answer that is none ends its stream`(_ fields: [(String, String)]) {
        let client = asking()
        client.receive(Frames.headers(fields))
        #expect(client.heads.isEmpty && client.frames().resets(1) == [1])
        #expect(client.events == ["closed 1 protocolError"])
    }

    @Test(arguments: [("GET", 3, [UInt8](repeating: 1, count: 4)), ("GET", 3, [1]), ("HEAD", 3, [1])])
    func `content that does not add up is never whole`(_ method: String, _ length: Int, _ content: [UInt8]) {
        let client = asking(method)
        client.receive(
            Frames.headers([(":status", "200"), ("content-length", "\(length)")], ends: false)
                + Frames.content(content, ends: true))
        #expect(client.heads[1] != nil && !client.events.contains("end 1"))
        _ = client.take()
        #expect(client.events.last == "closed 1 protocolError")
    }

    @Test func `a stream that is cut is not an end`() {
        let client = asking()
        client.receive(
            Frames.headers([(":status", "200")], ends: false) + Frames.content([1]) + Frames.reset(1, code: 2))
        #expect(client.events == ["response 1 200", "content 1 1", "closed 1 internalError"])
    }

    @Test func `interim answers without end are not waited for`() {
        let client = asking()
        for _ in 0..<40 { client.receive(Frames.headers([(":status", "103")], ends: false)) }
        #expect(client.events.count(where: { $0 == "interim 1 103" }) == FixedBounds.interimAnswers)
        #expect(client.frames().resets(1) == [1])
    }

    @Test func `nothing is pushed`() {
        let client = asking()
        client.receive(
            Frames.frame(.pushPromise, flags: Frames.endHeaders, stream: 1, Frames.bytes(2) + Frames.block(Frames.get)))
        #expect(client.frames().goAways == [1] && client.session.isOver)
    }

    @Test(arguments: [Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), Frames.settings + Frames.content([1], stream: 0)])
    func `an upstream that breaks the protocol is known before anything is written`(_ bytes: [UInt8]) {
        let client = ClientPeer()
        client.request()
        client.receive(bytes)
        #expect(client.session.failure == .protocolViolated)
        #expect(client.frames().goAways == [1] && client.session.isOver)
        #expect(client.events.last == "closed 1 refusedStream unprocessed")
    }

    @Test func `the upstream's limits are kept`() {
        let client = ClientPeer()
        client.receive(Frames.settings([(3, 2)]))
        #expect(client.events == ["limits 2"])
        #expect(client.request() != nil && client.request() != nil && client.request() == nil)
        _ = client.take()
        client.receive(Frames.headers([(":status", "200")], stream: 3))
        #expect(client.session.canOpenStream && client.request() != nil)
        client.receive(Frames.settings([(3, 0)]))
        #expect(!client.session.canOpenStream && client.session.streamLimit == 0)
    }

    @Test func `an upstream may not flood either`() {
        let client = asking()
        var count = 0
        while client.session.failure == nil, count < 10_000 {
            client.receive(Frames.frame(.ping, stream: 0, [UInt8](repeating: 0, count: 8)))
            _ = client.take()
            count += 1
        }
        #expect(count <= 1000)
        // Refusing streams is not flooding.
        let refusing = ClientPeer()
        refusing.receive(Frames.settings)
        for index in 0..<2000 {
            refusing.request()
            _ = refusing.take()
            refusing.receive(Frames.reset(Int32(2 * index + 1), code: 7))
        }
        #expect(refusing.session.failure == nil && refusing.events.count(where: { $0.hasSuffix("unprocessed") }) == 2000)
    }

    @Test func `requests carry what the writer of HTTP 1 would send`() throws {
        let wire = Wire()
        wire.client.request(
            "POST", "/target", host: "up.test:81",
            fields: [
                ("Host", "in.test"), ("Content-Length", "9"), ("Transfer-Encoding", "chunked"), ("Upgrade", "x"), ("TE", "gzip"),
                ("Cookie", "a=b"), ("Authorization", "Basic eA=="),
            ], framing: .length(0))
        wire.settle()
        let head = try #require(wire.server.heads[1])
        #expect(
            lines(head.bytes, head.fields) == [
                "host: up.test:81", "authorization: Basic eA==", "content-length: 0", "x-added: by us", "cookie: a=b",
            ])
        #expect(!head.acceptsTrailers)
    }
}
