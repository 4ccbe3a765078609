import Core
import Testing

@testable import HTTP2

/// Whole exchanges between a client and a server session.
@Suite struct ExchangeTests {
    static let date = Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8)

    @Test(arguments: [nil, 1, 2, 3, 7, 100]) func `a request and its answer arrive however they are cut`(_ piece: Int?) throws {
        let wire = Wire(piece: piece)
        wire.server.onRequest = { stream, _ in wire.server.answer(stream, body: "hello") }
        let stream = try #require(
            wire.client.request(
                "GET", "/a/b?c=d", host: "h.test:8443",
                fields: [("Host", "ignored"), ("Accept", "*/*"), ("Connection", "close"), ("X-Two", "2")]))
        wire.settle()
        let head = try #require(wire.server.heads[1])
        #expect(head.method == .get && head.version == .http2 && head.framing == .none && head.keepsAlive)
        #expect(text(head.bytes, head.target) == "/a/b?c=d" && text(head.bytes, head.path) == "/a/b")
        #expect(text(head.bytes, head.query) == "c=d" && text(head.bytes, head.authority) == "h.test:8443")
        #expect(
            lines(head.bytes, head.fields) == ["host: h.test:8443", "accept: */*", "x-two: 2", "x-added: by us"])
        #expect(
            text(head.bytes)
                == "GET /a/b?c=d HTTP/1.1\r\nhost: h.test:8443\r\naccept: */*\r\nx-two: 2\r\nx-added: by us\r\n\r\n")
        let answer = try #require(wire.client.heads[1])
        #expect(answer.status == 200 && answer.framing == .length(5) && answer.version == .http2)
        #expect(
            text(answer.bytes)
                == "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 5\r\ncontent-type: text/plain\r\n\r\n"
        )
        #expect(wire.client.content[1] == Array("hello".utf8))
        #expect(wire.client.events.suffix(2) == ["end 1", "closed 1 noError"])
        #expect(wire.server.events == ["request 1 GET /a/b?c=d", "closed 1 noError"])
        #expect(!stream.isOpen && wire.client.session.streams.isEmpty && wire.server.session.streams.isEmpty)
    }

    @Test(arguments: [nil, 1, 5]) func `content and trailers go both ways`(_ piece: Int?) throws {
        let wire = Wire(piece: piece)
        let body = (0..<50_000).map { UInt8(truncatingIfNeeded: $0) }
        wire.server.onEnd = { stream in
            var head = responseHead(200, [("X-A", "1"), ("Trailer", "x-sum"), ("Content-Length", "7")])
            wire.server.session.submitHead(
                on: stream, status: 200, head: &head, framing: .chunked, added: HeaderLines(), date: Self.date.span)
            wire.server.session.send(body.span, on: stream)
            wire.server.session.endContent(
                on: stream, trailers: trailerSection([("Grpc-Status", "0"), ("Connection", "close")]))
        }
        let stream = try #require(
            wire.client.request("POST", "/", fields: [("TE", "trailers")], framing: .chunked, acceptsTrailers: true))
        wire.client.session.send(body.span, on: stream)
        wire.client.session.endContent(on: stream, trailers: trailerSection([("X-Sum", "17")]))
        wire.settle()
        let head = try #require(wire.server.heads[1])
        #expect(head.framing == .chunked && head.acceptsTrailers)
        #expect(wire.server.content[1] == body)
        let received = try #require(wire.server.trailers[1])
        #expect(lines(received.bytes, received.fields) == ["x-sum: 17"])
        let answer = try #require(wire.client.heads[1])
        #expect(answer.framing == .chunked)
        #expect(
            lines(answer.bytes, answer.fields) == ["x-a: 1", "trailer: x-sum", "date: \(text(Self.date))"])
        #expect(wire.client.content[1] == body)
        let trailers = try #require(wire.client.trailers[1])
        #expect(text(trailers.bytes) == "grpc-status: 0\r\n\r\n")
        #expect(wire.client.events.last == "closed 1 noError")
    }

    @Test func `a length announced travels, and the end needs no frame of its own`() throws {
        let wire = Wire()
        let stream = try #require(wire.client.request("PUT", framing: .length(3)))
        wire.client.session.send(Array("abc".utf8).span, on: stream)
        wire.client.session.endContent(on: stream)
        let frames = wire.client.frames()
        #expect(frames.only(.content).map(\.payload) == [Array("abc".utf8)])
        #expect(frames.only(.content).first?.flags == Frames.endStream)
        let empty = try #require(wire.client.request("POST", framing: .length(0)))
        #expect(empty.isContentEnded)
        #expect(wire.client.frames().only(.headers).first?.flags == Frames.endStream | Frames.endHeaders)
    }

    @Test func `interim answers come before the final one`() throws {
        let wire = Wire()
        wire.server.onRequest = { stream, head in
            #expect(head.expectsContinue)
            wire.server.session.submitContinue(on: stream)
            var hints = responseHead(103, [("Link", "</a.css>"), ("Content-Length", "5"), ("Connection", "x")])
            wire.server.session.submitInterim(on: stream, head: &hints, added: HeaderLines())
            var switching = responseHead(101, [])
            wire.server.session.submitInterim(on: stream, head: &switching, added: HeaderLines())
            wire.server.answer(stream)
        }
        wire.client.request("POST", fields: [("Expect", "100-continue")], framing: .chunked)
        wire.settle()
        #expect(wire.client.events.filter { $0.hasPrefix("interim") } == ["interim 1 100", "interim 1 103"])
        #expect(wire.client.interim.last.map { lines($0.bytes, $0.fields) } == ["link: </a.css>"])
        #expect(wire.client.events.contains("response 1 200"))
    }

    @Test(arguments: [
        (ResponseFraming.none, BodyFraming.none, 204, Method.get), (.described, .none, 200, .head),
        (.described, .none, 304, .get), (.length(0), .length(0), 200, .get),
    ])
    func `an answer without content ends with its head`(
        _ sent: ResponseFraming, _ expected: BodyFraming, _ status: Int, _ method: Method
    ) throws {
        let wire = Wire()
        wire.server.onRequest = { stream, _ in
            var head = responseHead(status, status == 204 ? [] : [("Content-Length", "12")])
            wire.server.session.submitHead(
                on: stream, status: status, head: &head, framing: sent, added: HeaderLines(), date: Self.date.span)
            wire.server.session.endContent(on: stream)
        }
        wire.client.request(method == .head ? "HEAD" : "GET")
        wire.settle()
        let head = try #require(wire.client.heads[1])
        #expect(head.framing == expected)
        let length = sent == .described ? ["content-length: 12"] : sent == .length(0) ? ["content-length: 0"] : []
        #expect(lines(head.bytes, head.fields).filter { $0.hasPrefix("content-length") } == length)
        #expect(wire.client.events.suffix(2) == ["response 1 \(status)", "closed 1 noError"])
    }

    @Test func `the gateway's own answer to HEAD has a length and no content`() throws {
        let wire = Wire()
        wire.server.onRequest = { stream, _ in wire.server.answer(stream, status: 401, body: "no") }
        wire.client.request("HEAD")
        wire.settle()
        let head = try #require(wire.client.heads[1])
        #expect(lines(head.bytes, head.fields).contains("content-length: 2"))
        #expect(wire.client.content.isEmpty && wire.client.events.last == "closed 1 noError")
    }

    @Test func `fields about an HTTP 1 connection never pass, whoever adds them`() throws {
        let wire = Wire()
        wire.server.onRequest = { stream, _ in
            var head = responseHead(200, [("X-A", "1")])
            var added = HeaderLines()
            for name: StaticString in ["Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade"] {
                added.append(name: name, value: "x")
            }
            added.append(name: "X-Request-ID", value: "abc")
            wire.server.session.submitHead(
                on: stream, status: 299, head: &head, framing: .none, added: added, date: Self.date.span)
        }
        wire.client.request()
        wire.settle()
        let head = try #require(wire.client.heads[1])
        #expect(
            lines(head.bytes, head.fields) == ["x-a: 1", "date: \(text(Self.date))", "x-request-id: abc"])
        #expect(text(head.bytes).hasPrefix("HTTP/1.1 299 \r\n"))
    }

    @Test func `many streams at once keep apart`() throws {
        let wire = Wire(piece: 37)
        wire.server.onRequest = { stream, head in
            wire.server.answer(stream, body: String(repeating: text(head.bytes, head.target), count: 200))
        }
        wire.settle()
        for index in 0..<100 { wire.client.request("GET", "/\(index)") }
        wire.settle()
        for index in 0..<100 {
            let id = Int32(2 * index + 1)
            let expected = String(repeating: "/\(index)", count: 200)
            #expect(wire.client.content[id].map { text($0) } == expected)
        }
        #expect(wire.client.session.pendingBytes == 0 && wire.server.session.pendingBytes == 0)
    }

    @Test func `an answer before the end of the request stops the request`() throws {
        let wire = Wire()
        wire.server.onRequest = { stream, _ in wire.server.answer(stream, status: 401) }
        let stream = try #require(wire.client.request("POST", framing: .chunked))
        wire.client.session.send([1, 2, 3].span, on: stream)
        wire.settle()
        #expect(wire.client.events.contains("response 1 401"))
        #expect(wire.client.events.last == "closed 1 noError" && !stream.isOpen)
        #expect(wire.server.session.streams.isEmpty)
        wire.client.session.send([4].span, on: stream)
        wire.client.session.endContent(on: stream)
        wire.client.session.reset(stream, .cancel)
        #expect(wire.client.take().isEmpty)
    }

    @Test func `a WebSocket is an extended CONNECT, and reads as the GET it stands for`() throws {
        let wire = Wire(acceptsWebSockets: true)
        wire.settle()
        #expect(wire.client.session.takesWebSockets)
        wire.server.onRequest = { stream, head in
            var answer = responseHead(200, [("Sec-WebSocket-Protocol", "chat")])
            wire.server.session.submitHead(
                on: stream, status: 200, head: &answer, framing: .chunked, added: HeaderLines(), date: Self.date.span)
            wire.server.session.send(Array("from server".utf8).span, on: stream)
        }
        let stream = try #require(
            wire.client.request("GET", "/chat", fields: [("Sec-WebSocket-Version", "13")], isWebSocket: true))
        wire.client.session.send(Array("from client".utf8).span, on: stream)
        wire.settle()
        let head = try #require(wire.server.heads[1])
        #expect(head.method == .get && head.wantsUpgrade && head.version == .http2 && head.framing == .none)
        #expect(text(head.bytes).hasPrefix("GET /chat HTTP/1.1\r\nhost: h.test\r\nupgrade: websocket\r\nsec-websocket-version: 13"))
        #expect(head.fields.contains { $0.known == .upgrade && $0.isDropped })
        #expect(wire.server.content[1].map { text($0) } == "from client")
        #expect(wire.client.content[1].map { text($0) } == "from server")
        #expect(wire.client.heads[1]?.framing == .chunked)
        wire.server.session.endContent(on: try #require(wire.server.streams[1]))
        wire.settle()
        #expect(stream.isOpen && wire.client.events.last == "end 1")
        wire.client.session.endContent(on: stream)
        wire.settle()
        #expect(wire.client.events.last == "closed 1 noError")
    }

    @Test func `a WebSocket is not asked of an upstream that did not say it takes one`() {
        let wire = Wire()
        wire.settle()
        #expect(wire.client.request("GET", isWebSocket: true) == nil)
    }
}
