import Core
import Crypto
import HTTP2
import IO
import Policy

/// An HTTP/2 connection (RFC 9113) to one server of an upstream, shared by the exchanges of its loop: each has a stream of
/// the one session. Requests may be submitted while it is still being made; they leave with the first bytes.
///
/// Where ALPN may choose HTTP/1.1 and does, the socket goes on as an `HTTP1UpstreamConnection`.
final class HTTP2UpstreamConnection: UpstreamConnection, HTTP2ClientDelegate {
    private enum Phase {
        /// Not yet made.
        case connecting
        case open
        case closed
    }

    private(set) var session: HTTP2ClientSession!
    /// It has answered a request before.
    private(set) var hasAnswered = false
    /// When bytes last came.
    private(set) var lastHeard: Instant
    private var phase = Phase.connecting
    private var hasHeard = false
    /// No stream was open since.
    private var idleSince: Instant
    /// A PING was sent and not answered.
    private var pingedAt: Instant?
    private var lastPing: Instant
    /// The server may be gone: what is under way may end, nothing new begins.
    private var isDoubted = false
    /// WebSockets not yet submitted.
    private var unsettled: [HTTP2UpstreamStream] = []

    /// Begins to connect.
    override init(worker: Worker, server: UpstreamServer) throws(SystemError) {
        let now = worker.loop.now.instant
        lastHeard = now
        idleSince = now
        lastPing = now
        try super.init(worker: worker, server: server)
        session = HTTP2ClientSession(limits: worker.upstreamHTTP2Limits, delegate: self)
    }

    // MARK: Streams

    /// What is submitted leaves at the end of the round.
    var isOpen: Bool { phase == .open }

    /// Another request may be submitted.
    var takesStreams: Bool { phase != .closed && !isDoubted && session.canOpenStream }

    /// Opens a stream for the request that `worker.plan` describes; nil when none can be opened.
    func submit(_ head: inout RequestHead, for own: HTTP2UpstreamStream, isWebSocket: Bool = false) -> HTTP2Stream? {
        let stream = worker.submitRequest(&head, server: server, to: session, isWebSocket: isWebSocket)
        stream?.context = own
        queueFlush()
        return stream
    }

    /// Whether WebSockets are taken; nil before the server has said anything of itself.
    var takesWebSockets: Bool? { session.hasSettings ? session.takesWebSockets : nil }

    /// A WebSocket waits to be submitted until the server has said whether it takes them.
    func awaitSettings(_ own: HTTP2UpstreamStream) {
        unsettled.append(own)
        let due = worker.loop.now.instant.advanced(by: server.timeouts.connect)
        if due < deadline { setDeadline(at: due) }
    }

    /// Looks at a stream again when it is due, if the running deadline comes later.
    func watch(_ own: HTTP2UpstreamStream) {
        let due = own.due
        if due < deadline { setDeadline(at: due) }
    }

    /// A stream got no answer in time. Where nothing at all was heard meanwhile, the server is most likely gone.
    func noteSilence(since instant: Instant) {
        if lastHeard < instant { isDoubted = true }
    }

    // MARK: Connecting

    override func established() {
        if tls?.applicationProtocol == .h2 {
            connected()
        } else if server.protocols.contains(.http11) {
            continueWithHTTP1()
        } else {
            handshakeFailed(.noApplicationProtocol)
        }
    }

    override func connectingFailed(_ failure: UpstreamFailure) { close(failure) }

    override func connected() {
        phase = .open
        deadline = .distantFuture
        let now = worker.loop.now.instant
        lastHeard = now
        idleSince = now
        lastPing = now
        for own in users { own.connectionOpened() }
        setDeadline(at: nextDeadline)
        queueFlush()
    }

    /// Nothing of the requests was sent: they go over connections of HTTP/1.1, the first of them over this one.
    private func continueWithHTTP1() {
        phase = .closed
        server.noteHTTP1()
        server.forget(self)
        let users = leaveStreams()
        let next = HTTP1UpstreamConnection(continuing: self)
        if !server.keep(next) { next.close() }
        for own in users { own.fail(.chosenHTTP1) }
    }

    // MARK: What the socket says

    override var heldBytes: Int { super.heldBytes &+ session.heldBytes }

    override func process(_ bytes: Span<UInt8>) -> Int {
        lastHeard = worker.loop.now.instant
        hasHeard = true
        session.receive(bytes, now: lastHeard)
        queueFlush()
        return bytes.count
    }

    override var wantsInput: Bool { phase == .open && session.failure == nil }

    override func endOfStream() { close(failureAtEnd) }

    override func readFailed() {
        if hasAnswered || !failedLate() { close(failureAtEnd) }
    }

    /// Bytes came, and they were not HTTP/2.
    var speaksOtherProtocol: Bool { hasHeard && !session.hasSettings }

    /// What the connection's end means to its exchanges: what the server sent before it is judged first.
    private var failureAtEnd: UpstreamFailure {
        session.failure != nil || speaksOtherProtocol ? .invalidAnswer : .closedBeforeAnswer
    }

    override func flushOutput() {
        guard phase == .open else { return }
        session.isTight = worker.buffers.isFull
        while !isClosed, !isBlocked {
            if output.pending == 0 {
                worker.borrow(&output)
                session.writePending(
                    to: &output.bytes, limit: FixedBounds.pendingOutputBytes / 2, now: worker.loop.now.instant)
                if output.pending == 0 {
                    worker.recycle(&output)
                    break
                }
            }
            if case .failed = writeOutput() {
                // Answers may already stand in the receive buffer.
                isReadable = true
                sawPeerClose = true
                receive()
                return close(failureAtEnd)
            }
        }
        guard !isClosed, output.pending == 0 else { return }
        if session.isOver { return close(failureAtEnd) }
        closeIfUnwanted()
    }

    private func closeIfUnwanted() {
        let mayStay = !server.isRetired && !isDoubted && !session.isPeerLeaving && server.idleLimit > 0
        if session.streams.isEmpty, !mayStay { close(.closedBeforeAnswer) }
    }

    // MARK: What the session says

    func session(_ session: HTTP2ClientSession, receivedInterim head: inout ResponseHead, on stream: HTTP2Stream) {
        (stream.context as? HTTP2UpstreamStream)?.receivedHead(&head, ends: false)
    }

    func session(_ session: HTTP2ClientSession, received head: inout ResponseHead, on stream: HTTP2Stream) {
        hasAnswered = true
        (stream.context as? HTTP2UpstreamStream)?.receivedHead(&head, ends: stream.isRemoteEnded)
    }

    func session(_ session: HTTP2ClientSession, refused fault: ResponseFault, on stream: HTTP2Stream) {
        (stream.context as? HTTP2UpstreamStream)?.refused()
    }

    func session(_ session: HTTP2Session, received content: Span<UInt8>, on stream: HTTP2Stream) {
        if let own = stream.context as? HTTP2UpstreamStream {
            own.received(content)
        } else {
            session.consumed(content.count, on: stream)
        }
    }

    func session(_ session: HTTP2Session, receivedEndOf stream: HTTP2Stream, trailers: inout TrailerSection) {
        (stream.context as? HTTP2UpstreamStream)?.receivedEnd(&trailers)
    }

    func session(_ session: HTTP2Session, closed stream: HTTP2Stream, code: HTTP2ErrorCode) {
        if session.streams.isEmpty {
            idleSince = worker.loop.now.instant
            if idleDue < deadline { setDeadline(at: idleDue) }
        }
        (stream.context as? HTTP2UpstreamStream)?.streamClosed(code)
    }

    func session(_ session: HTTP2Session, canTakeMoreOn stream: HTTP2Stream) {
        (stream.context as? HTTP2UpstreamStream)?.roomAgain()
    }

    /// Whether another stream may be opened is asked when one is wanted.
    func sessionLimitsChanged(_ session: HTTP2ClientSession) { settle(.nowSettled) }

    private func settle(_ failure: UpstreamFailure) {
        let waiting = unsettled
        unsettled = []
        for own in waiting { own.fail(failure) }
    }

    func sessionReceivedPong(_ session: HTTP2ClientSession) { pingedAt = nil }

    // MARK: Deadlines

    private var idleDue: Instant { idleSince.advanced(by: server.timeouts.idle) }

    /// When to look whether a PING is due, or its answer.
    private var pingDue: Instant {
        guard let interval = server.keepAlivePing else { return .distantFuture }
        return (pingedAt ?? lastPing).advanced(by: interval)
    }

    /// One for the whole connection, whatever the number of its streams.
    private var nextDeadline: Instant {
        var next = min(session.streams.isEmpty ? idleDue : .distantFuture, pingDue)
        for own in users { next = min(next, own.due) }
        return next
    }

    override func deadlinePassed() {
        guard phase == .open else { return connectingTimedOut() }
        let now = worker.loop.now.instant
        if pingDue <= now {
            if pingedAt != nil {
                server.noteFailed(at: worker.loop.now.wall)
                return close(.closedBeforeAnswer)
            }
            pingedAt = now
            lastPing = now
            _ = session.ping()
        }
        for own in users where own.due <= now { own.timedOut() }
        if !session.hasSettings { settle(.connectTimedOut) }
        if session.streams.isEmpty, idleDue <= now { session.terminate(.noError) }
        queueFlush()
        guard !isClosed else { return }
        setDeadline(at: nextDeadline)
    }

    // MARK: The end

    private var users: [HTTP2UpstreamStream] { session.streams.compactMap { $0.context as? HTTP2UpstreamStream } }

    /// Takes their streams away from those who use them, and names them in the order in which they came.
    private func leaveStreams() -> [HTTP2UpstreamStream] {
        let users = session.streams.sorted { $0.id < $1.id }.compactMap { $0.context as? HTTP2UpstreamStream }
        // The two refer to each other.
        for stream in session.streams { stream.context = nil }
        return users
    }

    /// Its server is retired: it goes when its last exchange is over.
    func closeIfUnused() {
        if session.streams.isEmpty { queueFlush() }
    }

    /// `failure` is what exchanges are told whose answer has not begun.
    private func close(_ failure: UpstreamFailure) {
        guard closeSocket() else { return }
        phase = .closed
        server.forget(self)
        discount()
        for own in leaveStreams() { own.connectionLost(failure) }
        settle(failure)
    }
}
