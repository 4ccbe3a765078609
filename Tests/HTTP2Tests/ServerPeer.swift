import Core

@testable import HTTP2

/// A server session and everything it said, as text.
final class ServerPeer: HTTP2ServerDelegate {
    private(set) var session: HTTP2ServerSession!
    /// What happened, in order: `request 1 GET /x`, `content 1 3`, `end 1`, `closed 1 noError`, …
    var events: [String] = []
    var heads: [Int32: RequestHead] = [:]
    var faults: [Int32: RequestFault] = [:]
    var content: [Int32: [UInt8]] = [:]
    var trailers: [Int32: TrailerSection] = [:]
    var streams: [Int32: HTTP2Stream] = [:]
    /// Called at each request's head.
    var onRequest: (HTTP2Stream, RequestHead) -> Void = { _, _ in }
    var onEnd: (HTTP2Stream) -> Void = { _ in }
    var onRoom: (HTTP2Stream) -> Void = { _ in }
    /// Content is given back to the windows at once.
    var consumes = true
    var now = Instant(nanoseconds: 0)

    init(bounds: Bounds = Bounds(), limits: HTTP2Bounds = HTTP2Bounds(), acceptsWebSockets: Bool = false) {
        session = HTTP2ServerSession(
            bounds: bounds, limits: limits, acceptsWebSockets: acceptsWebSockets, delegate: self)
    }

    func receive(_ bytes: [UInt8]) { session.receive(bytes.span, now: now) }

    func take(limit: Int = .max) -> [UInt8] {
        var out = ByteBuffer()
        session.writePending(to: &out, limit: limit, now: now)
        return out.array
    }

    /// All that is to be written, as frames.
    func frames() -> [WrittenFrame] { WrittenFrame.all(in: take()) }

    func answer(_ stream: HTTP2Stream, status: Int = 200, body: String = "") {
        var lines = HeaderLines()
        lines.append(name: "Content-Type", value: "text/plain")
        session.submitAnswer(
            on: stream, status: status, lines: lines, body: Array(body.utf8).span,
            requestMethod: heads[stream.id]?.method ?? .get, date: Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8).span)
    }

    /// The head of an answer with content to follow.
    func beginAnswer(_ stream: HTTP2Stream) {
        var head = responseHead(200, [])
        let date = ExchangeTests.date
        session.submitHead(
            on: stream, status: 200, head: &head, framing: .chunked, added: HeaderLines(), date: date.span)
    }

    func send(_ content: [UInt8], on stream: HTTP2Stream) { session.send(content.span, on: stream) }

    // MARK: Events

    func session(_ session: HTTP2ServerSession, received head: inout RequestHead, on stream: HTTP2Stream) {
        events.append("request \(stream.id) \(text(head.bytes, head.methodRange)) \(text(head.bytes, head.target))")
        heads[stream.id] = head
        streams[stream.id] = stream
        onRequest(stream, head)
    }

    func session(_ session: HTTP2ServerSession, answeredBeforeEndOf stream: HTTP2Stream) {
        session.reset(stream, .noError)
    }

    func session(
        _ session: HTTP2ServerSession, refused fault: RequestFault, head: inout RequestHead, on stream: HTTP2Stream
    ) {
        events.append("refused \(stream.id) \(fault.reason)")
        heads[stream.id] = head
        faults[stream.id] = fault
        streams[stream.id] = stream
    }

    func session(_ session: HTTP2ServerSession, reset head: inout RequestHead, on stream: HTTP2Stream) {
        events.append("reset \(stream.id)")
    }

    func session(_ session: HTTP2Session, received content: Span<UInt8>, on stream: HTTP2Stream) {
        events.append("content \(stream.id) \(content.count)")
        for index in content.indices { self.content[stream.id, default: []].append(content[index]) }
        if consumes { session.consumed(content.count, on: stream) }
    }

    func session(_ session: HTTP2Session, receivedEndOf stream: HTTP2Stream, trailers: inout TrailerSection) {
        events.append("end \(stream.id)")
        self.trailers[stream.id] = trailers
        onEnd(stream)
    }

    func session(_ session: HTTP2Session, closed stream: HTTP2Stream, code: HTTP2ErrorCode) {
        events.append("closed \(stream.id) \(code)")
    }

    func session(_ session: HTTP2Session, canTakeMoreOn stream: HTTP2Stream) {
        events.append("room \(stream.id)")
        onRoom(stream)
    }
}

func text(_ bytes: [UInt8], _ range: ByteRange) -> String { String(decoding: bytes[range.range], as: UTF8.self) }
func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
