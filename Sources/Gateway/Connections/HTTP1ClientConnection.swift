import Core
import HTTP1
import IO
import Policy

/// A client's HTTP/1 connection: reads heads, hands each to an exchange, reads the content the exchange asks for, writes
/// what the exchange answers. One exchange at a time; requests sent ahead (pipelining) wait in `input`.
final class HTTP1ClientConnection: SocketChannel, ClientConnection, ClientStream {
    enum Phase {
        /// Between requests, or inside a head.
        case head
        /// An exchange is under way; its request content may still be arriving.
        case exchange
        /// The protocol was changed: bytes pass both ways, to the end.
        case tunnel
        /// An answer was given early; the rest of the request's content is read and dropped, then the next head comes.
        case discarding
        /// The last answer is written; reading on so that the client gets to see it (RFC 9112 §9.6).
        case lingering
        case closed
    }

    let listener: ListenerSocket
    let peerAddress: IPAddress
    let facts: ConnectionFacts
    var exchange: Exchange?

    var phase = Phase.head
    private var parser = RequestHeadParser()
    /// The content of the request under way, or of one that was answered early.
    var content = BodyReader()
    /// There is, or may be, content of the request that was answered: it is read and dropped, no longer than until `lingerDue`.
    var dropsContent = false
    var lingerDue = Instant.distantFuture
    /// The deadline that runs is the one between requests.
    var isIdleDeadline = false
    /// The end of what the client sends has been read.
    private var sawEnd = false
    var owesNotice = false
    /// Set aside for what the upstream may send unasked.
    var reserved = 0
    /// Nothing more is sent through the tunnel than what is queued.
    var endsTunnelOutput = false
    var closesAfterFlush = false
    /// The answer was cut, and only a reset behind what is queued shows it. When that comes at the latest; `.distantFuture` as
    /// long as it waits for the queue.
    var resetDue: Instant?
    /// What the client's side had not acknowledged when it was last looked at.
    var unacknowledged = 0
    var mustResume = false
    /// Nothing was asked yet, and the listener speaks HTTP/2 with clients that know it beforehand.
    private var mayBeHTTP2: Bool

    private static let http2Preface = Array("PRI * HTTP/2.0\r".utf8)

    init(worker: Worker, descriptor: Int32, facts: ConnectionFacts, listener: ListenerSocket) {
        self.listener = listener
        self.facts = facts
        peerAddress = facts.peer
        mayBeHTTP2 = listener.takesHTTP2InClear
        super.init(worker: worker, descriptor: descriptor)
    }

    /// Goes on with a connection that is open for HTTP now.
    init(continuing opening: ClientOpening) {
        listener = opening.listener
        facts = opening.facts
        peerAddress = opening.peerAddress
        mayBeHTTP2 = !opening.facts.isSecure && opening.listener.takesHTTP2InClear
        super.init(continuing: opening)
    }

    /// Begins to be served; the socket is registered.
    func start() {
        setDeadline(after: worker.bounds.headTimeout)
        if !input.isEmpty { processInput() }
        if isReadable { receive() }
    }

    var role: ListenerRole { listener.role }
    var isEnding: Bool { listener.isClosed || worker.announcesEnd && listener.role == .traffic }
    var redirect: HTTPSRedirect? { listener.redirect }

    // MARK: What the socket says

    /// Nothing can reach this client any more.
    override func survivesBreak() -> Bool {
        // Both directions of a tunnel may be shut while the last bytes are still to be read.
        if phase == .tunnel, Sockets.storedError(of: descriptor) == nil { return true }
        close()
        return false
    }

    override func flushOutput() {
        if output.pending > 0, !isBlocked {
            let before = output.pending
            switch writeOutput() {
            case .drained: setDeadlineAfterDrain()
            case .blocked:
                if phase != .tunnel, output.pending < before || deadline == .distantFuture {
                    setDeadline(after: worker.bounds.bodyTimeout)
                }
            case .failed:
                close()
                return
            }
        }
        if owesNotice, output.pending <= worker.buffers.queueLimit / 2 {
            owesNotice = false
            exchange?.clientTookOutput()
        }
        if output.pending == 0, endsTunnelOutput {
            endsTunnelOutput = false
            endWriting()
        }
        if output.pending == 0, resetDue != nil {
            resetWhenTaken()
        } else if output.pending == 0, closesAfterFlush {
            beginLingering()
        } else if mustResume, phase == .tunnel || output.pending <= worker.buffers.queueLimit {
            mustResume = false
            resume()
        }
    }

    override func deadlinePassed() {
        switch phase {
        case .head where !input.isEmpty:
            refuseBroken(.headTimeout)
        case .exchange:
            exchange?.clientTimedOut()
        case .tunnel: break
        case .discarding where resetDue != nil && output.pending == 0:
            resetWhenTaken()
        case .head, .discarding, .lingering:
            if phase == .head, !isIdleDeadline { worker.rejected(.silent, from: facts.peer, on: listener) }
            close()
        case .closed: break
        }
    }

    // MARK: Reading

    /// A client that sends requests ahead, or takes no answers, is read again when its turn comes.
    override var wantsInput: Bool {
        if isPaused { return false }
        if input.count < worker.buffers.readLimit { return true }
        return phase != .exchange && output.pending <= worker.buffers.queueLimit
    }

    override var heldBytes: Int { max(super.heldBytes, reserved > FixedBounds.pieceBytes ? reserved : 0) }

    override func readFailed() { close() }

    override func received() {
        if phase == .head, !input.isEmpty, deadline == .distantFuture || isIdleDeadline {
            isIdleDeadline = false
            setDeadline(after: worker.bounds.headTimeout)
        }
    }

    /// Takes what it can of `bytes`; returns how many were consumed.
    override func process(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        while offset < bytes.count {
            let rest = bytes.extracting(offset..<bytes.count)
            switch phase {
            case .head:
                if output.pending > worker.buffers.queueLimit {
                    // Requests sent ahead are answered no faster than the answers are taken.
                    mustResume = true
                    queueFlush()
                    return offset
                }
                switch parser.parse(rest, bounds: worker.bounds, into: &worker.requestHead) {
                case .incomplete: return offset
                case .complete(let count):
                    offset &+= count
                    parser = RequestHeadParser()
                    guard listener.takesHTTP1 else {
                        refuseMalformed(.http2Required)
                        return bytes.count
                    }
                    beginExchange()
                case .malformed(let fault):
                    if isForHTTP2(rest, fault) {
                        // Prior knowledge (RFC 9113 §3.3): the whole preface is read again, by the session.
                        input.append(contentsOf: rest)
                        worker.proceed(from: self)
                    } else {
                        refuseMalformed(listener.takesHTTP1 ? fault : .http2Required)
                    }
                    return bytes.count
                }
            case .exchange:
                guard let exchange, !content.isComplete, !isPaused else { return offset }
                let used = readContent(rest, for: exchange)
                offset &+= used
                if phase == .exchange {
                    if !content.isComplete, !isPaused {
                        expectContent()
                    } else if !isBlocked {
                        // Whoever has sent all may wait for the answer.
                        deadline = .distantFuture
                    }
                }
                if used == 0 { return offset }
            case .tunnel:
                guard let exchange, !isPaused else { return offset }
                _ = exchange.receiveContent(rest)
                return bytes.count
            case .discarding:
                let used = discardContent(rest)
                offset &+= used
                if used == 0 { return offset }
            case .lingering:
                if dropsContent { lingerOn() }
                return bytes.count
            case .closed:
                return bytes.count
            }
        }
        return offset
    }

    /// The client may speak HTTP/2 here, and does; or it speaks no HTTP/1, where HTTP/2 alone is spoken: the session says then
    /// what is wrong with its preface (RFC 9113 §3.4).
    private func isForHTTP2(_ bytes: Span<UInt8>, _ fault: RequestFault) -> Bool {
        guard mayBeHTTP2 else { return false }
        if fault == .versionNotSupported, bytes.hasPrefix(Self.http2Preface.span) { return true }
        return !listener.takesHTTP1 && (fault == .requestLineInvalid || fault == .targetInvalid)
    }

    private func beginExchange() {
        deadline = .distantFuture
        isIdleDeadline = false
        phase = .exchange
        mayBeHTTP2 = false
        content.begin(worker.requestHead.framing)
        let exchange = worker.takeExchange()
        self.exchange = exchange
        exchange.begin(client: self, hasContent: !content.isComplete)
    }

    /// Takes content of the request from `bytes`; returns how much.
    private func readContent(_ bytes: Span<UInt8>, for exchange: Exchange) -> Int {
        var index = 0
        while !content.isComplete {
            let piece: ChunkPiece?
            do throws(FramingFault) { piece = try content.next(bytes, from: &index) } catch {
                exchange.contentFailed(.malformedRequest(reason: error.reason, status: 400, detail: error.detail))
                return bytes.count
            }
            if let piece, case .body(let range) = piece {
                guard exchange.receiveContent(bytes.extracting(range)) else { return bytes.count }
            }
            if content.isComplete {
                var trailers = content.trailers
                exchange.requestEnded(trailers: &trailers)
            } else if piece == nil {
                break
            }
        }
        return index
    }

    override func endOfStream() {
        let isNews = !sawEnd
        sawEnd = true
        switch phase {
        case .exchange:
            guard let exchange, exchange.requestIsComplete, !(isNews && isGone(exchange)) else {
                // An answer without a length must not look whole.
                return close(resets: exchange?.answerHasBegun ?? false)
            }
            // Half-closed (RFC 9112 §9.6 leaves it open): answer, if the answer comes soon; also what was sent ahead.
            if input.isEmpty { exchange.clientEndsAfterThis() }
            if !exchange.answerHasBegun || output.pending == 0 { setDeadline(after: worker.bounds.halfCloseTimeout) }
        case .tunnel:
            // Without TLS having said so, it is a cut and no end.
            if isTruncated { return close() }
            var none = TrailerSection()
            exchange?.requestEnded(trailers: &none)
        case .head where mustResume, .discarding where resetDue != nil:
            // Requests sent ahead may wait until their turn; a reset comes when the queue is taken.
            break
        case .head, .discarding, .lingering:
            if output.pending == 0 || phase == .lingering { close() } else { closesAfterFlush = true }
        case .closed: break
        }
    }

    /// The client has left, and has not only ended its sending side. Over TLS an end without notice tells; so does any end that comes
    /// while the client waits for more of an answer, since clients of HTTP keep their side open. In plaintext a half-close looks the same.
    private func isGone(_ exchange: Exchange) -> Bool {
        guard tls != nil else { return false }
        return isTruncated || exchange.answerHasBegun && output.pending == 0
    }

    // MARK: What an exchange asks for

    func sendInterim() {
        worker.borrow(&output)
        ResponseWriter.append(informationalTo: &output.bytes, head: worker.responseHead, added: worker.lines)
        queueFlush()
    }

    func beginTunnel() {
        sendInterim()
        phase = .tunnel
        deadline = .distantFuture
        // What came behind the request belongs to the tunnel.
        mustResume = true
    }

    func sendHead(for head: inout RequestHead, framing: ResponseFraming, closes: Bool) {
        worker.borrow(&output)
        worker.writeResponse(framing: framing, version: head.version, closes: closes, to: &output.bytes)
        queueFlush()
    }

    func sendAnswer(for head: inout RequestHead, closes: Bool) {
        worker.borrow(&output)
        worker.writeAnswer(for: &head, closes: closes, to: &output.bytes)
    }

    func sendContent(_ bytes: Span<UInt8>, framing: ResponseFraming) {
        worker.borrow(&output)
        if framing == .chunked {
            ChunkWriter.append(chunkTo: &output.bytes, content: bytes)
        } else {
            output.bytes.append(contentsOf: bytes)
        }
        queueFlush()
    }

    func endContent(framing: ResponseFraming, trailers: inout TrailerSection) {
        if phase == .tunnel {
            endsTunnelOutput = true
            queueFlush()
        }
        guard framing == .chunked else { return }
        worker.borrow(&output)
        ChunkWriter.append(lastChunkTo: &output.bytes, trailers: trailers)
    }

    var isCongested: Bool { output.pending > worker.buffers.queueLimit }

    /// Tell the exchange when half of the output is taken.
    func noticeWhenTaken() { owesNotice = true }

    var room: Int { max(0, worker.buffers.queueLimit &- output.pending) }

    var pendingBytes: Int { output.pending }

    func reserve(_ count: Int) { reserved = count }

    var reservable: Int { worker.buffers.isFull ? FixedBounds.pieceBytes : Int(worker.upstreamHTTP2Limits.streamWindowBytes) }

    /// An answer says it.
    func turnAway() -> Bool { false }

    func pauseContent() { isPaused = true }

    func resumeContent() {
        guard isPaused else { return }
        isPaused = false
        mustResume = true
        // The pause stopped the clock, and nothing may be there to be read that would start it.
        expectContent()
        queueFlush()
    }

    func expectContent() {
        // Who is silent in a tunnel is the tunnel's affair.
        if phase == .tunnel { return }
        // Once the answer has begun, it may be the server's turn to speak: the route's `idle_timeout` watches both sides.
        if exchange?.answerHasBegun == true { return }
        setDeadline(after: worker.bounds.bodyTimeout)
    }

    private func resume() {
        if !input.isEmpty { processInput() }
        receive()
        if sawEnd, !isPaused, !isClosed { endOfStream() }
    }

    private func setDeadlineAfterDrain() {
        // A blocked writer's deadline is over with its writing; the phase's own deadline, if any, was set by the phase.
        if phase == .exchange, let exchange {
            if exchange.answerHasBegun {
                // A half-closed client is waited for as long as the answer goes on: whether it has left shows when it is sent some.
                if sawEnd { setDeadline(after: worker.bounds.halfCloseTimeout) } else { deadline = .distantFuture }
            } else if isPaused || exchange.requestIsComplete && !sawPeerClose {
                deadline = .distantFuture
            }
        } else if phase == .head, isIdleDeadline {
            startIdling()
        }
    }
}
