import Core
import HTTP2
import IO
import Policy

/// One exchange's stream on an HTTP/2 connection to an upstream.
///
/// A client that is slow to take the answer is met by the stream's window: what the server may send is set aside at the client
/// first, and given back to the window only when the client has taken it. The window begins small and grows with what the
/// client takes. It asks the loop for the end of the round, as channels do, since its connection may be gone by then.
final class HTTP2UpstreamStream: UpstreamStream, Channel {
    let server: UpstreamServer
    private let connection: HTTP2UpstreamConnection
    private var stream: HTTP2Stream?
    private var exchange: Exchange?
    private var method = Method.get
    private var responseTimeout: Nanoseconds = 0
    /// How long the answer, once it has begun, may be without a byte either way.
    private var idleTimeout: Nanoseconds = 0
    private var beganAt: Instant
    /// When the exchange, or the client behind it, last did its part.
    private var lastActivity: Instant
    private var requestHasEnded = false
    private var answerHasBegun = false
    /// The request is an extended CONNECT.
    private var asksForTunnel = false
    private var isTunnel = false

    private var isPaused = false
    private var mustDeliver = false
    private var mustFail = false
    /// What to fail with.
    private var failure = UpstreamFailure.unprocessed
    /// Content of the answer that came during a pause; the stream's window bounds it.
    private var held: [UInt8] = []
    /// The answer is whole, in `held`.
    private var heldTrailers: TrailerSection?
    /// What the answer failed with behind what is in `held`.
    private var lateFailure: UpstreamFailure?
    /// Content handed on and not yet given back to the server's window.
    private var unreturned = 0
    /// The stream's window, all of which is set aside at the client.
    private var window = 0
    /// Content of the answer so far.
    private var receivedBytes = 0
    /// Content that the client took since the window was last looked at, and when that was.
    private var takenLately = 0
    private var lookedAt: Instant

    private(set) var sentSoFar: SentContent? = SentContent()

    init(_ connection: HTTP2UpstreamConnection) {
        self.connection = connection
        server = connection.server
        beganAt = connection.worker.loop.now.instant
        lastActivity = beganAt
        lookedAt = beganAt
    }

    private var session: HTTP2ClientSession { connection.session }
    private var now: Instant { connection.worker.loop.now.instant }

    // MARK: After a failure

    var isUntouched: Bool {
        guard let stream else { return true }
        return !stream.isHeadWritten || stream.isUnprocessed
    }

    var isReused: Bool { connection.hasAnswered }

    var canReplay: Bool { method.isIdempotent && sentSoFar != nil && !answerHasBegun }

    // MARK: The request

    func begin(_ exchange: Exchange, head: inout RequestHead, responseTimeout: Nanoseconds?) {
        self.exchange = exchange
        self.responseTimeout = responseTimeout ?? server.timeouts.response
        method = head.method
        server.active &+= 1
        if let offer = exchange.offer {
            asksForTunnel = true
            guard let takesWebSockets = connection.takesWebSockets else { return connection.awaitSettings(self) }
            if takesWebSockets {
                offer.prepare(extendedConnect: &head, adding: &connection.worker.plan.lines)
                stream = connection.submit(&head, for: self, isWebSocket: true)
            } else {
                failure = .noWebSockets
            }
        } else {
            stream = connection.submit(&head, for: self)
        }
        guard stream == nil else {
            setWindow(Int(session.limits.initialWindowBytes), for: exchange)
            if server.usualAnswerBytes > window { grow(to: server.usualAnswerBytes) }
            return
        }
        // The exchange is still in the middle of its step.
        mustFail = true
        connection.worker.loop.wantsFlush(self)
    }

    func sendContent(_ bytes: Span<UInt8>, framing: BodyFraming) {
        guard let stream else { return }
        keep(bytes)
        lastActivity = now
        session.send(bytes, on: stream)
        if session.isFull(stream) { session.noticeWhenTaken(stream) }
        connection.queueFlush()
        connection.watch(self)
    }

    /// While the connection is being made everything is kept: after the first piece the exchange has to wait. While memory is
    /// scarce nothing more is.
    private func keep(_ bytes: Span<UInt8>) {
        guard !answerHasBegun, let kept = sentSoFar?.content.count else { return }
        let fits = kept &+ bytes.count <= server.retryByteLimit && !connection.worker.buffers.isFull
        if !connection.isOpen || fits {
            sentSoFar?.content.append(contentsOf: bytes)
            exchange?.hold(bytes.count)
        } else {
            sentSoFar = nil
        }
    }

    func endRequest(framing: BodyFraming, trailers: inout TrailerSection) {
        requestHasEnded = true
        lastActivity = now
        guard let stream else { return }
        sentSoFar?.trailers = trailers
        // What follows an extended CONNECT is the tunnel, which is not over before it has begun.
        if asksForTunnel, !isTunnel { return connection.watch(self) }
        session.endContent(on: stream, trailers: trailers)
        connection.queueFlush()
        connection.watch(self)
    }

    var isCongested: Bool {
        guard let stream else { return false }
        return !connection.isOpen || session.isFull(stream)
    }

    func roomAgain() {
        if !requestHasEnded { exchange?.upstreamTookOutput() }
    }

    func connectionOpened() {
        lastActivity = now
        roomAgain()
    }

    // MARK: The answer

    /// The head of an interim response or of the final one; `head` is swapped for another.
    func receivedHead(_ head: inout ResponseHead, ends: Bool) {
        guard let exchange else { return }
        let status = head.status
        if status == 101 { return refused() }
        swap(&head, &connection.worker.responseHead)
        lastActivity = now
        guard status >= 200 else { return exchange.receive(status: status) }
        answerHasBegun = true
        sentSoFar = nil
        if asksForTunnel, status < 300 {
            isTunnel = true
            requestHasEnded = false
            exchange.openTunnel()
        } else {
            idleTimeout = exchange.idleTimeout(of: server)
            if !ends { expectContent(connection.worker.responseHead.framing) }
            exchange.receive(status: status)
        }
        connection.watch(self)
        guard ends else { return }
        var none = TrailerSection()
        receivedEnd(&none)
    }

    func received(_ content: Span<UInt8>) {
        guard let stream else { return }
        guard let exchange else { return session.consumed(content.count, on: stream) }
        receivedBytes &+= content.count
        if isPaused {
            held.append(contentsOf: content)
            return
        }
        exchange.receiveAnswerContent(content)
        unreturned &+= content.count
        if owesWindow { self.exchange?.noticeWhenAnswerTaken() }
    }

    // MARK: The window

    /// So much of the window is used that the server may be waiting for more.
    private var owesWindow: Bool { unreturned &* 2 > window }

    private func setWindow(_ count: Int, for exchange: Exchange) {
        window = count
        exchange.reserveAnswer(count)
    }

    /// The answer says how long it is: a window that is much smaller would cost round trips.
    private func expectContent(_ framing: BodyFraming) {
        guard case .length(let count) = framing else { return }
        grow(to: Int(min(count, UInt64(FixedBounds.longAnswerWindowBytes))))
    }

    private func grow(to wanted: Int) {
        guard let exchange, let stream else { return }
        let most = min(wanted, Int(session.limits.streamWindowBytes), exchange.reservableAnswerBytes)
        guard most > window, session.openWindow(of: stream, to: most) else { return }
        setWindow(most, for: exchange)
    }

    /// Gives back to the window what the client has taken, and makes it larger when the client took all of it quickly: a slow
    /// client gains nothing by what waits for it here.
    private func returnWindow() {
        guard let exchange, let stream else { return }
        let waiting = exchange.pendingAnswerBytes
        let taken = max(0, unreturned &- waiting)
        unreturned &-= taken
        takenLately &+= taken
        session.consumed(taken, on: stream)
        if takenLately >= window {
            if now < lookedAt.advanced(by: FixedBounds.quickWindow) { grow(to: window &* 4) }
            takenLately = 0
            lookedAt = now
        }
        if owesWindow { exchange.noticeWhenAnswerTaken() }
    }

    func receivedEnd(_ trailers: inout TrailerSection) {
        guard let exchange else { return }
        if isPaused {
            heldTrailers = trailers
            return
        }
        if isTunnel { return exchange.upstreamEndedTunnel() }
        server.noteAnswer(of: receivedBytes)
        detach()
        // What was not sent of the request is not wanted any more.
        if let stream, !stream.isLocalEnded { session.reset(stream, .cancel) }
        connection.queueFlush()
        exchange.answerEnded(trailers: &trailers)
    }

    func pause() { isPaused = true }

    func resume() {
        guard isPaused || unreturned > 0, !mustDeliver else { return }
        mustDeliver = true
        connection.worker.loop.wantsFlush(self)
    }

    /// The end of the round, when nobody is in the middle of a step.
    func flush() {
        if mustFail {
            mustFail = false
            return fail(failure)
        }
        guard mustDeliver else { return }
        mustDeliver = false
        isPaused = false
        lastActivity = now
        returnWindow()
        var content: [UInt8] = []
        swap(&content, &held)
        receivedBytes &-= content.count
        if !content.isEmpty { received(content.span) }
        connection.queueFlush()
        guard !isPaused else { return }
        if var trailers = heldTrailers {
            heldTrailers = nil
            receivedEnd(&trailers)
        } else if let lateFailure {
            fail(lateFailure)
        } else {
            connection.watch(self)
        }
    }

    private func giveBack(_ count: Int) {
        if let stream { session.consumed(count, on: stream) }
    }

    // MARK: Deadlines

    /// When the server, or the exchange, will have been idle for too long.
    var due: Instant {
        guard connection.isOpen, exchange != nil, !isPaused, !isTunnel, let stream else { return .distantFuture }
        // What the server may not send is not waited for; the client's own deadline watches that it takes something.
        if answerHasBegun, owesWindow { return .distantFuture }
        let taken = max(lastActivity, stream.lastTaken)
        if answerHasBegun { return max(taken, stream.lastReceived).advanced(by: idleTimeout) }
        if stream.pendingBytes > 0 { return taken.advanced(by: server.timeouts.body) }
        // Until the request is whole, the client's own deadline watches for the rest of it.
        return requestHasEnded ? taken.advanced(by: responseTimeout) : .distantFuture
    }

    func timedOut() {
        guard let stream else { return }
        let isUnanswered = !answerHasBegun && requestHasEnded && stream.pendingBytes == 0
        connection.noteSilence(since: beganAt)
        session.reset(stream, .cancel)
        fail(answerHasBegun ? .idle : isUnanswered ? .answerTimedOut : .stalled)
    }

    // MARK: The end

    func abandon() {
        guard exchange != nil else { return }
        detach()
        giveBack(unreturned &+ held.count)
        held = []
        heldTrailers = nil
        if let stream { session.reset(stream, .cancel) }
        connection.queueFlush()
    }

    func leave() {
        guard exchange != nil else { return }
        detach()
        giveBack(unreturned &+ held.count)
        held = []
        heldTrailers = nil
        if let stream { session.leaveTunnel(stream) }
        connection.queueFlush()
    }

    /// The answer is none.
    func refused() {
        if let stream { session.reset(stream, .protocolError) }
        fail(.invalidAnswer)
    }

    func streamClosed(_ code: HTTP2ErrorCode) {
        // An answer that is whole is still handed on.
        guard heldTrailers == nil, let stream else { return }
        if stream.isUnprocessed {
            fail(connection.speaksOtherProtocol ? .invalidAnswer : .unprocessed)
        } else {
            fail(code == .protocolError && !answerHasBegun ? .invalidAnswer : .cut)
        }
    }

    func connectionLost(_ failure: UpstreamFailure) {
        guard heldTrailers == nil else { return }
        if answerHasBegun {
            fail(.cut)
        } else if isUntouched, failure == .closedBeforeAnswer || failure == .invalidAnswer && !connection.speaksOtherProtocol {
            // A fault of the server before the request was written does not answer that request.
            fail(.unprocessed)
        } else {
            fail(failure)
        }
    }

    func fail(_ failure: UpstreamFailure) {
        guard let exchange else { return }
        if isPaused, !held.isEmpty {
            // The client gets first what came before.
            lateFailure = failure
            return
        }
        detach()
        exchange.upstreamFailed(failure, on: self)
    }

    private func detach() {
        exchange?.reserveAnswer(0)
        exchange = nil
        server.active &-= 1
    }

    // MARK: As a channel

    func ready(_ readiness: Readiness) {}
    func deadlineReached() {}
}
