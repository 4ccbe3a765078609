import Core
import HTTP2
import IO
import Policy

/// One request of an HTTP/2 connection and its answer.
final class HTTP2ClientStream: ClientStream {
    private unowned let connection: HTTP2ClientConnection
    private let stream: HTTP2Stream
    private(set) var exchange: Exchange?
    /// Content that came while the exchange took none; the stream's window bounds it.
    private var held: [UInt8] = []
    /// The request's content is whole, in `held`.
    private var heldTrailers: TrailerSection?
    private var isPaused: Bool
    private let isTunnel: Bool
    /// Content that came behind the answer.
    private var droppedBytes = 0
    /// The exchange asked for content since the last round.
    private var mustDeliver = false

    /// `asksForTunnel`: the request is an extended CONNECT, whose content waits for the upstream's answer.
    init(connection: HTTP2ClientConnection, stream: HTTP2Stream, exchange: Exchange, asksForTunnel: Bool = false) {
        self.connection = connection
        self.stream = stream
        self.exchange = exchange
        isTunnel = asksForTunnel
        isPaused = asksForTunnel
    }

    var role: ListenerRole { connection.role }
    /// GOAWAY says it of the connection; a stream ends with its answer anyway.
    var isEnding: Bool { false }
    var peerAddress: IPAddress { connection.peerAddress }
    var facts: ConnectionFacts { connection.facts }
    var redirect: HTTPSRedirect? { connection.redirect }

    // MARK: The answer

    func sendInterim() { connection.submitInterim(on: stream) }

    func sendHead(for head: inout RequestHead, framing: ResponseFraming, closes: Bool) {
        connection.submitHead(on: stream, framing: framing)
    }

    func sendAnswer(for head: inout RequestHead, closes: Bool) {
        connection.submitAnswer(on: stream, requestMethod: head.method)
    }

    func beginTunnel() {
        connection.submitHead(on: stream, framing: .untilClose)
        resumeContent()
    }

    func sendContent(_ bytes: Span<UInt8>, framing: ResponseFraming) {
        connection.session.send(bytes, on: stream)
        connection.queueFlush()
    }

    func endContent(framing: ResponseFraming, trailers: inout TrailerSection) {
        connection.session.endContent(on: stream, trailers: trailers)
        connection.queueFlush()
    }

    var isCongested: Bool { connection.session.isFull(stream) }

    func noticeWhenTaken() { connection.session.noticeWhenTaken(stream) }

    func roomAgain() { exchange?.clientTookOutput() }

    var room: Int { connection.session.room(on: stream) }

    var pendingBytes: Int { stream.pendingBytes }

    func reserve(_ count: Int) { connection.session.reserve(count, on: stream) }

    var reservable: Int { connection.session.reservable(on: stream) }

    // MARK: The request's content

    func pauseContent() { isPaused = true }

    func resumeContent() {
        guard isPaused, !mustDeliver else { return }
        mustDeliver = true
        connection.deliverLater(self)
    }

    /// The connection looks for streams without progress by itself.
    func expectContent() {}

    func received(_ content: Span<UInt8>) {
        guard let exchange, !isPaused else {
            if self.exchange == nil {
                connection.session.consumed(content.count, on: stream)
                droppedBytes &+= content.count
                if droppedBytes > FixedBounds.earlyAnswerBytes { connection.session.reset(stream, .noError) }
            } else {
                held.append(contentsOf: content)
                connection.heldContentBytes &+= content.count
            }
            return
        }
        _ = exchange.receiveContent(content)
        // What the upstream cannot take yet waits on its side; the client's window is not opened for more.
        if isPaused { unreturned &+= content.count } else { connection.session.consumed(content.count, on: stream) }
        if isPaused { connection.heldContentBytes &+= content.count }
    }

    func receivedEnd(_ trailers: inout TrailerSection) {
        guard let exchange else { return }
        if isPaused {
            heldTrailers = trailers
        } else {
            exchange.requestEnded(trailers: &trailers)
        }
    }

    /// Bytes handed on and not yet given back to the client's window.
    private var unreturned = 0
    /// Of the request's head, while the exchange holds it.
    private var headBytes = 0

    /// Counts the request's head; false when the heads of all requests under way are too much for one connection.
    func count(head: Int) -> Bool {
        headBytes = head
        connection.headBytes &+= head
        return connection.headBytes <= connection.session.limits.queuedBytes
    }

    /// Hands on what was held back.
    func deliver() {
        mustDeliver = false
        guard isPaused else { return }
        isPaused = false
        connection.session.consumed(unreturned, on: stream)
        connection.heldContentBytes &-= unreturned &+ held.count
        unreturned = 0
        var content: [UInt8] = []
        swap(&content, &held)
        if !content.isEmpty { received(content.span) }
        guard !isPaused, var trailers = heldTrailers else { return }
        heldTrailers = nil
        exchange?.requestEnded(trailers: &trailers)
    }

    /// The client is due to send content or to take some, and has done neither since `instant`.
    func isIdle(since instant: Instant) -> Bool {
        guard let exchange else { return stream.isStalled && stream.lastTaken < instant }
        // Who is silent in a tunnel is the tunnel's affair.
        if exchange.tunnel != nil { return false }
        if stream.isStalled { return stream.lastTaken < instant }
        // Once the answer has begun, the route's `idle_timeout` watches both sides.
        if exchange.answerHasBegun { return false }
        return !exchange.requestIsComplete && !isPaused && stream.lastReceived < instant
    }

    func timedOut() {
        if let exchange { return exchange.clientTimedOut() }
        // The answer is whole and is not taken.
        connection.session.reset(stream, .cancel)
        connection.queueFlush()
    }

    // MARK: The end

    /// The client, whose connection brings nothing more, waits for its answer to begin, or for more of it since `instant`.
    func isSilent(since instant: Instant) -> Bool {
        guard let exchange else { return false }
        guard let answeredAt = exchange.answeredAt else { return true }
        return stream.pendingBytes == 0 && max(answeredAt, stream.lastTaken) <= instant
    }

    /// The client's connection brings nothing more. What it asked for in full is still answered; a tunnel, or a request that
    /// is not whole, is cut, and so is an answer that is silent: clients of HTTP/2 keep their side open.
    func clientEnded() {
        guard let exchange, isTunnel || !stream.isRemoteEnded || exchange.answerHasBegun && stream.pendingBytes == 0 else { return }
        cut()
    }

    /// Ends the stream from our side.
    func cut() {
        connection.session.reset(stream, .cancel)
        connection.queueFlush()
        closed(because: .clientLeft)
    }

    func exchangeEnded(closes: Bool) {
        exchange = nil
        connection.session.reserve(0, on: stream)
        connection.session.consumed(unreturned &+ held.count, on: stream)
        dropContent()
        if isTunnel { connection.session.endTunnel(stream) }
        connection.queueFlush()
    }

    /// The request's content is not wanted any more.
    private func dropContent() {
        connection.heldContentBytes &-= unreturned &+ held.count
        unreturned = 0
        held = []
        connection.headBytes &-= headBytes
        headBytes = 0
    }

    func turnAway() -> Bool {
        exchange = nil
        dropContent()
        connection.session.reset(stream, .refusedStream)
        connection.queueFlush()
        return true
    }

    func abortAnswer(_ ending: AnswerCut) {
        exchange = nil
        dropContent()
        switch ending {
        case .now: connection.session.reset(stream, .internalError)
        case .afterQueued: connection.resetWhenTaken(stream)
        }
        connection.queueFlush()
    }

    /// The stream is closed.
    func closed(because fault: ExchangeFault) {
        guard let exchange else { return }
        self.exchange = nil
        dropContent()
        exchange.notTaken(stream.pendingBytes)
        exchange.clientLeft(fault)
    }
}
