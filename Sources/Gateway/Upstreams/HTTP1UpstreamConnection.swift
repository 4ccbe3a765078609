import Core
import Crypto
import HTTP1
import IO
import Policy

/// An HTTP/1 connection to one server of an upstream: writes an exchange's request, reads its answer, and goes back to the pool
/// when both are whole and the server keeps it open.
final class HTTP1UpstreamConnection: UpstreamConnection, UpstreamStream {
    private enum Phase {
        /// Not yet made.
        case connecting
        /// In the pool.
        case idle
        /// The request is being written; the answer's head has not come.
        case request
        /// Inside the answer's content.
        case answer
        /// The protocol was changed: bytes pass both ways, to the end.
        case tunnel
        /// A tunnel's end: what is queued is written, what comes is dropped.
        case leaving
        case closed
    }

    /// It has carried an exchange before.
    private(set) var isReused = false

    private var phase = Phase.connecting
    private var exchange: Exchange?
    private var parser = ResponseHeadParser()
    private var content = BodyReader()
    private var method = Method.get
    private var keepsAlive = true
    private var requestHasEnded = false
    private var sawAnswerBytes = false
    private var interimAnswers = 0
    private var responseTimeout: Nanoseconds = 0
    /// How long the answer, once it has begun, may be without a byte either way.
    private var idleTimeout: Nanoseconds = 0
    private var mustResume = false
    /// The server was told that a tunnel's client sends no more.
    private var hasEndedOutput = false

    /// Begins to connect.
    override init(worker: Worker, server: UpstreamServer) throws(SystemError) {
        try super.init(worker: worker, server: server)
    }

    /// Goes on with a connection that was made for HTTP/2, on which ALPN chose HTTP/1.1 (RFC 7301 §3.2). It is idle; false
    /// from `server.keep` ends it.
    init(continuing other: HTTP2UpstreamConnection) {
        super.init(continuing: other)
        phase = .idle
        isReadable = true
        mustResume = true
        setDeadline(after: server.timeouts.idle)
        queueFlush()
    }

    /// No byte of the current request was taken by the kernel. Not to be read off `output`, which forgets what it wrote.
    private(set) var isUntouched = true

    /// The whole request so far is still in `output`.
    var canReplay: Bool { output.keepsWritten && !sawAnswerBytes }

    /// What was sent stands in `output` in the framing of HTTP/1, and only another such connection can use it.
    var sentSoFar: SentContent? { nil }

    // MARK: One exchange

    func begin(_ exchange: Exchange, head: inout RequestHead, responseTimeout: Nanoseconds?) {
        worker.borrow(&output)
        exchange.offer?.append(requestLinesTo: &worker.plan.lines)
        worker.writeRequest(&head, server: server, to: &output.bytes)
        begin(exchange, method: head.method, responseTimeout: responseTimeout)
    }

    /// Carries an exchange whose request so far another connection failed to carry.
    func begin(
        _ exchange: Exchange, insteadOf other: HTTP1UpstreamConnection, method: Method, responseTimeout: Nanoseconds?
    ) {
        swap(&output, &other.output)
        output.rewind()
        begin(exchange, method: method, responseTimeout: responseTimeout)
    }

    private func begin(_ exchange: Exchange, method: Method, responseTimeout: Nanoseconds?) {
        // A pooled connection may have been closed by the other side meanwhile: keep the request until it answers.
        output.keepsWritten = isReused && method.isIdempotent
        self.exchange = exchange
        self.method = method
        self.responseTimeout = responseTimeout ?? server.timeouts.response
        server.active &+= 1
        parser = ResponseHeadParser(isLenient: server.isLenient)
        requestHasEnded = false
        sawAnswerBytes = false
        isUntouched = true
        interimAnswers = 0
        keepsAlive = true
        isPaused = false
        if phase == .idle {
            phase = .request
            deadline = .distantFuture
        }
        queueFlush()
    }

    func sendContent(_ bytes: Span<UInt8>, framing: BodyFraming) {
        worker.borrow(&output)
        if framing == .chunked {
            ChunkWriter.append(chunkTo: &output.bytes, content: bytes)
        } else {
            output.bytes.append(contentsOf: bytes)
        }
        if phase == .answer { watchAnswer() }
        if output.keepsWritten, output.bytes.count > server.retryByteLimit { output.keepsWritten = false }
        queueFlush()
    }

    func endRequest(framing: BodyFraming, trailers: inout TrailerSection) {
        if framing == .chunked {
            worker.borrow(&output)
            ChunkWriter.append(lastChunkTo: &output.bytes, trailers: trailers)
        }
        requestHasEnded = true
        if phase == .request, output.pending == 0 { setDeadline(after: responseTimeout) }
        queueFlush()
    }

    var isCongested: Bool { output.pending > worker.buffers.queueLimit }

    func leave() {
        exchange = nil
        phase = .leaving
        requestHasEnded = true
        isPaused = false
        mustResume = true
        setDeadline(after: FixedBounds.lingerTimeout)
        queueFlush()
    }

    func pause() {
        isPaused = true
        deadline = .distantFuture
    }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        mustResume = true
        if phase == .answer { watchAnswer() }
        queueFlush()
    }

    func abandon() {
        exchange = nil
        // A tunnel that is cut must not look as if it had come to its end.
        close(resets: phase == .tunnel)
    }

    // MARK: What the socket says

    override func context(of security: UpstreamSecurity) -> TLSClientContext { security.http1Context }

    override func connected() {
        phase = .request
        deadline = .distantFuture
    }

    override func connectingFailed(_ failure: UpstreamFailure) { fail(failure) }

    override func flushOutput() {
        if phase != .connecting, !isBlocked, output.pending > 0 { write() }
        guard !isClosed else { return }
        if requestHasEnded, phase == .tunnel || phase == .leaving { endTunnelOutput() }
        if mustResume, !isClosed {
            mustResume = false
            if !input.isEmpty { processInput() }
            receive()
        }
    }

    private func write() {
        let before = output.pending
        let progress = writeOutput()
        if output.pending < before {
            isUntouched = false
            if phase == .answer { watchAnswer() }
        }
        switch progress {
        case .drained:
            if requestHasEnded, phase == .request {
                setDeadline(after: responseTimeout)
            } else if phase == .request {
                // The client's own deadline watches for the rest of the content.
                deadline = .distantFuture
            }
        case .blocked:
            if phase == .request, output.pending < before || deadline == .distantFuture {
                setDeadline(after: server.timeouts.body)
            }
        case .failed:
            // An answer may already stand in the receive buffer (413 before the end of an upload).
            isReadable = true
            sawPeerClose = true
            output.keepsWritten = output.keepsWritten && !sawAnswerBytes
            receive()
            if phase == .request, exchange != nil { fail(.closedBeforeAnswer) }
            if phase == .tunnel {
                // Of what the server sent before, a slow client may not have taken all; reading finds the end behind it.
                if isPaused { worker.recycle(&output) } else { fail(.cut) }
            }
            if phase == .leaving { close() }
            return
        }
        if !requestHasEnded, output.pending <= worker.buffers.queueLimit / 2 { exchange?.upstreamTookOutput() }
    }

    override func deadlinePassed() {
        switch phase {
        case .connecting: connectingTimedOut()
        case .idle: close()
        case .request: fail(requestHasEnded && output.pending == 0 ? .answerTimedOut : .stalled)
        case .answer: fail(.idle)
        case .leaving: close()
        case .tunnel, .closed: break
        }
    }

    // MARK: Reading

    /// No more of an answer than its client's side has room for.
    override var readLimit: Int { exchange?.answerRoom ?? worker.buffers.readLimit }

    override func process(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        while offset < bytes.count {
            let rest = bytes.extracting(offset..<bytes.count)
            switch phase {
            case .request:
                sawAnswerBytes = true
                switch parser.parse(rest, requestMethod: method, into: &worker.responseHead) {
                case .incomplete: return offset
                case .complete(let count):
                    offset &+= count
                    receiveHead(before: bytes.extracting(offset..<bytes.count))
                case .malformed:
                    fail(.invalidAnswer)
                    return bytes.count
                }
            case .answer:
                if isPaused { return offset }
                let used = receiveContent(rest)
                offset &+= used
                if used == 0 { return offset }
            case .tunnel:
                guard let exchange, !isPaused else { return offset }
                exchange.receiveAnswerContent(rest)
                return bytes.count
            case .leaving:
                return bytes.count
            case .idle, .connecting:
                // Nobody asked for anything: what comes now belongs to no answer.
                close()
                return bytes.count
            case .closed:
                return bytes.count
            }
        }
        return offset
    }

    /// `rest`: what was read behind the head.
    private func receiveHead(before rest: Span<UInt8>) {
        let status = worker.responseHead.status
        guard let exchange else { return }
        if status == 101 {
            beginTunnel(exchange)
            return
        }
        output.keepsWritten = false
        if output.pending == 0, !output.bytes.isEmpty { worker.recycle(&output) }
        if status < 200 {
            interimAnswers &+= 1
            if interimAnswers > FixedBounds.interimAnswers {
                fail(.invalidAnswer)
                return
            }
            parser = ResponseHeadParser(isLenient: server.isLenient)
            exchange.receive(status: status)
            return
        }
        content.begin(worker.responseHead.framing, isLenient: server.isLenient)
        // Nothing of the answer has gone on yet: the client can still be told that it is wrong.
        guard content.admits(rest) else { return fail(.invalidAnswer) }
        phase = .answer
        keepsAlive = worker.responseHead.keepsAlive
        exchange.receive(status: status)
        guard !content.isComplete else { return answerEnded() }
        idleTimeout = exchange.idleTimeout(of: server)
        watchAnswer()
    }

    /// Content passes one way or the other. While the client takes none of the answer, its own deadline watches.
    private func watchAnswer() {
        if !isPaused { setDeadline(after: idleTimeout) }
    }

    /// The upstream says that it changes the protocol: only to the one it was asked for.
    private func beginTunnel(_ exchange: Exchange) {
        guard let offer = exchange.offer, offer.isGranted(by: worker.responseHead) else { return fail(.invalidAnswer) }
        output.keepsWritten = false
        if output.pending == 0, !output.bytes.isEmpty { worker.recycle(&output) }
        phase = .tunnel
        requestHasEnded = false
        deadline = .distantFuture
        exchange.openTunnel()
    }

    /// The client sends no more; once all of it is written, the server is told.
    private func endTunnelOutput() {
        guard output.pending == 0 else { return }
        if !hasEndedOutput {
            hasEndedOutput = true
            endWriting()
        }
        if phase == .leaving, sawPeerClose, !isReadable { close() }
    }

    private func receiveContent(_ bytes: Span<UInt8>) -> Int {
        var index = 0
        while phase == .answer {
            let piece: ChunkPiece?
            do throws(FramingFault) { piece = try content.next(bytes, from: &index) } catch {
                fail(.cut)
                return bytes.count
            }
            if let piece, case .body(let range) = piece {
                exchange?.receiveAnswerContent(bytes.extracting(range))
            }
            if content.isComplete {
                answerEnded()
            } else if piece == nil {
                watchAnswer()
                return index
            }
        }
        return index
    }

    private func answerEnded() {
        guard let exchange else { return }
        self.exchange = nil
        let isChunked = content.framing == .chunked
        // A slow client paused this answer, not what the server says next, such as that it closes.
        isPaused = false
        if keepsAlive, requestHasEnded, output.pending == 0, content.framing != .untilClose, !sawPeerClose,
            server.keep(self)
        {
            server.active &-= 1
            phase = .idle
            isReused = true
            input = []
            setDeadline(after: server.timeouts.idle)
        } else {
            close()
        }
        if isChunked {
            var trailers = content.trailers
            exchange.answerEnded(trailers: &trailers)
        } else {
            exchange.answerEnded(trailers: &worker.noTrailers)
        }
    }

    override func endOfStream() {
        switch phase {
        case .idle, .connecting: close()
        case .request: fail(sawAnswerBytes ? .cut : .closedBeforeAnswer)
        case .answer:
            if !isTruncated, content.endOfStream() { answerEnded() } else { fail(.cut) }
        case .tunnel: if isTruncated { fail(.cut) } else { exchange?.upstreamEndedTunnel() }
        case .leaving: if output.pending == 0 { close() }
        case .closed: break
        }
    }

    override func readFailed() {
        switch phase {
        case .idle: close()
        case .connecting: fail(.connectFailed)
        case .request:
            if sawAnswerBytes { fail(.cut) } else if !failedLate() { fail(.closedBeforeAnswer) }
        case .answer, .tunnel: fail(.cut)
        case .leaving: close()
        case .closed: break
        }
    }

    // MARK: The end

    private func fail(_ failure: UpstreamFailure) {
        let exchange = self.exchange
        self.exchange = nil
        var storage = ByteQueue()
        swap(&storage, &output)
        close()
        // The exchange may want to send the same bytes again.
        swap(&storage, &output)
        exchange?.upstreamFailed(failure, on: self)
        output = ByteQueue()
    }

    func close(resets: Bool = false) {
        guard closeSocket(resets: resets) else { return }
        let wasIdle = phase == .idle
        phase = .closed
        if wasIdle { server.forget(self) } else { server.active &-= 1 }
        discount()
    }
}
