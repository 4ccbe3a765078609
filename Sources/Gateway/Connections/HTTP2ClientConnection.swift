import Core
import HTTP2
import IO
import Policy

/// A client's HTTP/2 connection (RFC 9113): one session, and an exchange for each of its streams. The session's flow
/// control is the backpressure: what an upstream is slow to take stalls one stream, not the connection.
final class HTTP2ClientConnection: SocketChannel, ClientConnection, HTTP2ServerDelegate {
    let listener: ListenerSocket
    let peerAddress: IPAddress
    let facts: ConnectionFacts
    private(set) var session: HTTP2ServerSession!
    private var waiting: [HTTP2ClientStream] = []
    private var cuts = StreamCuts()
    private var earlyAnswers = EarlyAnswers()
    private var isEnding = false
    private var lastProgress: Instant
    private let beganAt: Instant
    /// The client sends no more. It can neither acknowledge nor open windows, but take what it asked for (RFC 9113 §9.1 leaves
    /// it open; an HTTP/1 client is answered too).
    private var sawEnd = false
    /// Until when such a client waits for answers to begin.
    private var halfCloseDue = Instant.distantFuture
    /// When the connection is cut, since the client was told to calm down.
    private var calmedUntil = Instant.distantFuture
    /// We ended the session.
    private var isTerminated = false
    /// A request has begun, so that the connection's faults are those of requests.
    private var hadRequest = false
    /// What the client began to send, before its first request, did not end in time.
    private var isLate = false
    /// Content of requests that its upstreams have not taken, or not been given yet.
    var heldContentBytes = 0
    /// Heads of requests under way.
    var headBytes = 0
    /// It is not read while memory is scarce.
    private var isHeldBack = false

    /// Goes on with a connection whose client was found to speak HTTP/2: by ALPN, or by how it began.
    init(continuing other: SocketChannel, from peer: IPAddress, facts: ConnectionFacts, listener: ListenerSocket) {
        self.listener = listener
        self.facts = facts
        peerAddress = peer
        beganAt = other.worker.loop.now.instant
        lastProgress = beganAt
        super.init(continuing: other)
        session = HTTP2ServerSession(
            bounds: worker.bounds, limits: worker.http2Limits, acceptsWebSockets: worker.acceptsWebSockets, delegate: self)
    }

    var role: ListenerRole { listener.role }
    var redirect: HTTPSRedirect? { listener.redirect }

    func start() {
        watch()
        queueFlush()
        if !input.isEmpty { processInput() }
        isReadable = true
        receive()
    }

    // MARK: What the socket says

    override func survivesBreak() -> Bool {
        close()
        return false
    }

    override func process(_ bytes: Span<UInt8>) -> Int {
        lastProgress = worker.loop.now.instant
        session.isTight = worker.buffers.isFull
        session.receive(bytes, now: lastProgress)
        if session.isCalmed, calmedUntil == .distantFuture {
            calmedUntil = lastProgress.advanced(by: session.limits.calmedTimeout)
        }
        bringForward(min(calmedUntil, unfinishedDue))
        queueFlush()
        return bytes.count
    }

    /// What the client does not take is not answered, so it is not read either. While memory is scarce a connection that brought
    /// more than its upstreams take is not read.
    override var wantsInput: Bool {
        if worker.buffers.isFull, heldContentBytes > FixedBounds.scarceContentBytes {
            if !isHeldBack { worker.holdBack(self) }
            isHeldBack = true
            return false
        }
        return output.pending <= FixedBounds.pendingOutputBytes && session.failure == nil && !sawEnd
    }

    /// Memory has stopped being scarce.
    func readAgain() {
        isHeldBack = false
        queueFlush()
    }

    override var heldBytes: Int { super.heldBytes &+ session.heldBytes &+ heldContentBytes }

    override func endOfStream() {
        sawEnd = true
        shortenEarlyAnswers(to: worker.loop.now.instant)
        for stream in session.streams { (stream.context as? HTTP2ClientStream)?.clientEnded() }
        halfCloseDue = worker.loop.now.instant.advanced(by: worker.bounds.halfCloseTimeout)
        bringForward(halfCloseDue)
        queueFlush()
    }

    override func readFailed() { close() }

    override func flushOutput() {
        deliverHeld()
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
            switch writeOutput() {
            case .drained, .blocked: lastProgress = worker.loop.now.instant
            case .failed: return close()
            }
        }
        guard !isClosed, output.pending == 0 else { return }
        if !cuts.isEmpty {
            cuts.noteWritten(at: worker.loop.now.instant)
            bringForward(cuts.due)
        }
        if session.isOver || session.streams.isEmpty && (sawEnd || isEnding && sawGoodbye) { return close() }
        if sawEnd { cutStalled() }
        if isReadable { receive() }
        if session.streams.isEmpty != isIdle { watch() }
    }

    /// Nobody opens the windows any more that these answers wait for.
    private func cutStalled() {
        for stream in session.streams where stream.isStalled {
            if let own = stream.context as? HTTP2ClientStream { own.cut() } else { session.reset(stream, .cancel) }
            queueFlush()
        }
    }

    // MARK: Streams

    func session(_ session: HTTP2ServerSession, received head: inout RequestHead, on stream: HTTP2Stream) {
        hadRequest = true
        swap(&head, &worker.requestHead)
        let exchange = worker.takeExchange()
        let asksForTunnel = worker.requestHead.wantsUpgrade
        let own = HTTP2ClientStream(
            connection: self, stream: stream, exchange: exchange, asksForTunnel: asksForTunnel)
        stream.context = own
        let fits = own.count(head: worker.requestHead.bytes.count)
        exchange.begin(client: own, hasContent: !stream.isRemoteEnded && !asksForTunnel, fits: fits)
    }

    func session(
        _ session: HTTP2ServerSession, refused fault: RequestFault, head: inout RequestHead, on stream: HTTP2Stream
    ) {
        hadRequest = true
        swap(&head, &worker.requestHead)
        let exchange = worker.takeExchange()
        let own = HTTP2ClientStream(connection: self, stream: stream, exchange: exchange)
        stream.context = own
        exchange.refuseUnread(
            client: own, .malformedRequest(reason: fault.reason, status: fault.status, detail: fault.detail))
    }

    func session(_ session: HTTP2ServerSession, answeredBeforeEndOf stream: HTTP2Stream) {
        let wait = isEnding ? worker.drainIdleGrace : min(FixedBounds.earlyAnswerTimeout, worker.bounds.lingerTimeout)
        if let first = earlyAnswers.add(stream, due: worker.loop.now.instant.advanced(by: wait)) { session.reset(first, .noError) }
        bringForward(earlyAnswers.due)
    }

    private func shortenEarlyAnswers(to instant: Instant) {
        earlyAnswers.shorten(to: instant)
        bringForward(earlyAnswers.due)
    }

    func session(_ session: HTTP2ServerSession, reset head: inout RequestHead, on stream: HTTP2Stream) {
        hadRequest = true
        swap(&head, &worker.requestHead)
        let exchange = worker.takeExchange()
        let own = HTTP2ClientStream(connection: self, stream: stream, exchange: exchange)
        exchange.dropUnread(client: own)
    }

    func session(_ session: HTTP2Session, received content: Span<UInt8>, on stream: HTTP2Stream) {
        (stream.context as? HTTP2ClientStream)?.received(content)
    }

    func session(_ session: HTTP2Session, receivedEndOf stream: HTTP2Stream, trailers: inout TrailerSection) {
        (stream.context as? HTTP2ClientStream)?.receivedEnd(&trailers)
    }

    func session(_ session: HTTP2Session, closed stream: HTTP2Stream, code: HTTP2ErrorCode) {
        (stream.context as? HTTP2ClientStream)?.closed(because: .clientLeft)
    }

    func session(_ session: HTTP2Session, canTakeMoreOn stream: HTTP2Stream) {
        (stream.context as? HTTP2ClientStream)?.roomAgain()
    }

    /// Hands content on at the end of this round, when nobody is in the middle of a step.
    func deliverLater(_ stream: HTTP2ClientStream) {
        waiting.append(stream)
        queueFlush()
    }

    private func deliverHeld() {
        while let stream = waiting.popLast() { stream.deliver() }
    }

    /// Ends a stream whose answer cannot be finished, behind what is queued on it.
    func resetWhenTaken(_ stream: HTTP2Stream) {
        cuts.add(stream)
        queueFlush()
    }

    // MARK: Answers

    func submitInterim(on stream: HTTP2Stream) {
        session.submitInterim(on: stream, head: &worker.responseHead, added: worker.lines)
        queueFlush()
    }

    func submitHead(on stream: HTTP2Stream, framing: ResponseFraming) {
        let date = worker.currentDate()
        session.submitHead(
            on: stream, status: worker.responseHead.status, head: &worker.responseHead, framing: framing,
            added: worker.lines, date: date.span)
        sayGoodbyeWithAnswer()
        queueFlush()
    }

    func submitAnswer(on stream: HTTP2Stream, requestMethod: Method) {
        let date = worker.currentDate()
        let body = worker.answer.body
        session.submitAnswer(
            on: stream, status: worker.answer.status, lines: worker.answer.lines, body: body.span,
            requestMethod: requestMethod, date: date.span)
        sayGoodbyeWithAnswer()
        queueFlush()
    }

    /// The listener closes soon. A client that was told before its first request was answered would only come again.
    private func sayGoodbyeWithAnswer() {
        if worker.announcesEnd, listener.role == .traffic { drain() }
    }

    // MARK: Deadlines

    /// No stream is open, as the running deadline was set for.
    private var isIdle = true
    /// The last stream's identifier was said: the client opens no more.
    private var sawGoodbye = false

    /// Sets the deadline that fits: idle connections by their own, busy ones are looked at now and then.
    private func watch() {
        isIdle = session.streams.isEmpty
        if isEnding, !sawGoodbye {
            setDeadline(after: worker.drainIdleGrace)
        } else if isIdle {
            setDeadline(after: worker.bounds.idleTimeout)
        } else {
            setDeadline(after: min(worker.bounds.headTimeout, worker.bounds.bodyTimeout) / 4)
        }
        bringForward(min(min(calmedUntil, halfCloseDue), min(unfinishedDue, cuts.due, earlyAnswers.due)))
    }

    /// When what the client began to send, and first of all the preface with its SETTINGS, must have come.
    private var unfinishedDue: Instant {
        guard !isTerminated, let since = session.hasSettings ? session.unfinishedSince : beganAt else {
            return .distantFuture
        }
        return since.advanced(by: worker.bounds.headTimeout)
    }

    private func bringForward(_ due: Instant) {
        if due < deadline { setDeadline(at: due) }
    }

    private func terminate(_ code: HTTP2ErrorCode) {
        isTerminated = true
        session.terminate(code)
        queueFlush()
    }

    override func deadlinePassed() {
        let now = worker.loop.now.instant
        if now >= calmedUntil { return close() }
        for stream in cuts.takeDue(at: now) {
            session.reset(stream, .internalError)
            queueFlush()
        }
        for stream in earlyAnswers.takeDue(at: now) {
            session.reset(stream, .noError)
            queueFlush()
        }
        if isEnding, !sawGoodbye {
            sawGoodbye = true
            session.finishStreams()
            queueFlush()
        } else if isIdle, now >= lastProgress.advanced(by: worker.bounds.idleTimeout) || sawGoodbye {
            terminate(.noError)
        }
        if now >= unfinishedDue {
            isLate = true
            terminate(.enhanceYourCalm)
        }
        if now >= halfCloseDue {
            halfCloseDue = now.advanced(by: worker.bounds.halfCloseTimeout)
            let limit = Instant(nanoseconds: now.nanoseconds &- worker.bounds.halfCloseTimeout)
            for stream in session.streams {
                if let own = stream.context as? HTTP2ClientStream, own.isSilent(since: limit) { own.timedOut() }
            }
        }
        if isBlocked, now >= lastProgress.advanced(by: worker.bounds.bodyTimeout) { return close(because: .clientTimedOut) }
        let limit = Instant(nanoseconds: now.nanoseconds &- worker.bounds.bodyTimeout)
        for stream in session.streams {
            guard let own = stream.context as? HTTP2ClientStream, own.isIdle(since: limit) else { continue }
            own.timedOut()
        }
        watch()
    }

    // MARK: The end

    func drain() {
        guard !isEnding else { return }
        isEnding = true
        shortenEarlyAnswers(to: worker.loop.now.instant.advanced(by: worker.drainIdleGrace))
        session.announceEnd()
        queueFlush()
        watch()
    }

    func cut() { close(because: .drainTimedOut) }

    private func close(because fault: ExchangeFault = .clientLeft) {
        guard closeSocket() else { return }
        if !hadRequest {
            if let failure = session.failure {
                worker.rejected(.http2(failure), from: facts.peer, on: listener)
            } else if isLate {
                worker.rejected(.http2Timeout, from: facts.peer, on: listener)
            }
        }
        let open = session.streams.compactMap { $0.context as? HTTP2ClientStream }
        for stream in open { stream.closed(because: fault) }
        // A stream and its context refer to each other; the session, which would part them, ends with this.
        for stream in session.streams { stream.context = nil }
        waiting = []
        worker.clientClosed(self)
    }
}
