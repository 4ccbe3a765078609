import Core

@testable import HTTP2

/// A client session and everything it said.
final class ClientPeer: HTTP2ClientDelegate {
    private(set) var session: HTTP2ClientSession!
    var events: [String] = []
    var heads: [Int32: ResponseHead] = [:]
    var interim: [ResponseHead] = []
    var faults: [Int32: ResponseFault] = [:]
    var content: [Int32: [UInt8]] = [:]
    var trailers: [Int32: TrailerSection] = [:]
    var consumes = true
    var now = Instant(nanoseconds: 0)

    init(limits: HTTP2Bounds = HTTP2Bounds()) { session = HTTP2ClientSession(limits: limits, delegate: self) }

    func receive(_ bytes: [UInt8]) { session.receive(bytes.span, now: now) }

    func take(limit: Int = .max) -> [UInt8] {
        var out = ByteBuffer()
        session.writePending(to: &out, limit: limit, now: now)
        return out.array
    }

    func frames() -> [WrittenFrame] { WrittenFrame.all(in: take()) }

    /// Submits a request whose head is made from HTTP/1 text without its request line.
    @discardableResult
    func request(
        _ method: String = "GET", _ target: String = "/x", host: String = "h.test", fields: [(String, String)] = [],
        framing: BodyFraming = .none, acceptsTrailers: Bool = false, isWebSocket: Bool = false
    ) -> HTTP2Stream? {
        var head = requestHead(method, fields)
        head.acceptsTrailers = acceptsTrailers
        var added = HeaderLines()
        added.append(name: "X-Added", value: "by us")
        return session.submitRequest(
            head: &head, target: Array(target.utf8).span, host: Array(host.utf8).span, isSecure: true, framing: framing,
            added: added, isWebSocket: isWebSocket)
    }

    // MARK: Events

    func session(_ session: HTTP2ClientSession, receivedInterim head: inout ResponseHead, on stream: HTTP2Stream) {
        events.append("interim \(stream.id) \(head.status)")
        interim.append(head)
    }

    func session(_ session: HTTP2ClientSession, received head: inout ResponseHead, on stream: HTTP2Stream) {
        events.append("response \(stream.id) \(head.status)")
        heads[stream.id] = head
    }

    func session(_ session: HTTP2ClientSession, refused fault: ResponseFault, on stream: HTTP2Stream) {
        events.append("refused \(stream.id) \(fault.reason)")
        faults[stream.id] = fault
    }

    func session(_ session: HTTP2Session, received content: Span<UInt8>, on stream: HTTP2Stream) {
        events.append("content \(stream.id) \(content.count)")
        for index in content.indices { self.content[stream.id, default: []].append(content[index]) }
        if consumes { session.consumed(content.count, on: stream) }
    }

    func session(_ session: HTTP2Session, receivedEndOf stream: HTTP2Stream, trailers: inout TrailerSection) {
        events.append("end \(stream.id)")
        self.trailers[stream.id] = trailers
    }

    func session(_ session: HTTP2Session, closed stream: HTTP2Stream, code: HTTP2ErrorCode) {
        events.append("closed \(stream.id) \(code)\(stream.isUnprocessed ? " unprocessed" : "")")
    }

    func session(_ session: HTTP2Session, canTakeMoreOn stream: HTTP2Stream) { events.append("room \(stream.id)") }
    func sessionLimitsChanged(_ session: HTTP2ClientSession) { events.append("limits \(session.streamLimit)") }
    func sessionReceivedPong(_ session: HTTP2ClientSession) { events.append("pong") }
}

/// A request head with a method and fields, as the HTTP/1 parser would leave it.
func requestHead(_ method: String, _ fields: [(String, String)]) -> RequestHead {
    var head = RequestHead()
    head.bytes = Array("\(method) /received HTTP/1.1\r\n".utf8)
    head.methodRange = ByteRange(start: 0, count: method.utf8.count)
    head.method = Method(token: Array(method.utf8).span)
    head.fields = append(fields, to: &head.bytes)
    return head
}

/// A response head, as the HTTP/1 parser would leave it.
func responseHead(_ status: Int, _ fields: [(String, String)]) -> ResponseHead {
    var head = ResponseHead()
    head.bytes = Array("HTTP/1.1 \(status) \r\n".utf8)
    head.status = status
    head.fields = append(fields, to: &head.bytes)
    return head
}

func trailerSection(_ fields: [(String, String)]) -> TrailerSection {
    var section = TrailerSection()
    section.fields = append(fields, to: &section.bytes)
    return section
}

private func append(_ fields: [(String, String)], to bytes: inout [UInt8]) -> [FieldLine] {
    let lines = fields.map { name, value in
        let known = KnownField.named(Array(name.utf8).span)
        var line = FieldLine(
            name: ByteRange(start: bytes.count, count: name.utf8.count),
            value: ByteRange(start: bytes.count + name.utf8.count + 2, count: value.utf8.count), known: known)
        bytes += Array("\(name): \(value)\r\n".utf8)
        line.isDropped = line.isHopByHop(in: bytes.span, origin: 0)
        return line
    }
    bytes += Array("\r\n".utf8)
    return lines
}

/// The fields of a head, `name: value`, dropped ones left out.
func lines(_ bytes: [UInt8], _ fields: [FieldLine]) -> [String] {
    fields.filter { !$0.isDropped }.map { "\(text(bytes, $0.name)): \(text(bytes, $0.value))" }
}
