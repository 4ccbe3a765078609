import Core
import HTTP1
import IO
import Policy

/// A client's connection: reads heads, hands each to an exchange, reads the content the exchange asks for, writes what the
/// exchange answers. One exchange at a time; requests sent ahead (pipelining) wait in `input`.
final class ClientConnection: Channel {
    private enum Phase {
        /// A PROXY protocol header is expected before anything else.
        case proxyHeader
        /// Between requests, or inside a head.
        case head
        /// An exchange is under way; its request content may still be arriving.
        case exchange
        /// An answer was given early; the rest of the request's content is read and dropped, then the next head comes.
        case discarding
        /// The last answer is written; reading on so that the client gets to see it (RFC 9112 §9.6).
        case lingering
        case closed
    }

    let worker: Worker
    let role: ListenerRole
    /// The other end of the socket, whatever a PROXY header says.
    let peerAddress: IPAddress
    var facts: ConnectionFacts
    var output = ByteQueue()
    private(set) var exchange: Exchange?

    private let descriptor: Int32
    private var registration = Registration.none
    private var phase: Phase
    private var parser = RequestHeadParser()
    private var discard = BodyReader()
    private var discarded = 0
    /// Read but not yet consumed; nearly always empty.
    private var input: [UInt8] = []
    private var deadline = Instant.distantFuture
    private var firing = Instant.distantFuture
    /// The deadline that runs is the one between requests.
    private var isIdleDeadline = false
    private var isReadable = false
    private var sawPeerClose = false
    /// The end of what the client sends has been read.
    private var sawEnd = false
    private var isBlocked = false
    private var isFlushQueued = false
    private var owesNotice = false
    private var closesAfterFlush = false
    private var mustResume = false
    /// The upstream is slow: do not read more content until it has taken what is there.
    private var isPaused = false
    private let requiresProxyHeader: Bool

    init(worker: Worker, descriptor: Int32, peer: SocketEndpoint, listener: ListenerSocket) {
        self.worker = worker
        self.descriptor = descriptor
        role = listener.role
        peerAddress = peer.address
        facts = ConnectionFacts(
            peer: peer.address, peerPort: peer.port, localPort: listener.endpoint.port, isSecure: false, waited: false)
        switch listener.proxyExpectation(of: peer.address) {
        case .never:
            phase = .head
            requiresProxyHeader = false
        case .allowed:
            phase = .proxyHeader
            requiresProxyHeader = false
        case .required:
            phase = .proxyHeader
            requiresProxyHeader = true
        }
    }

    /// Begins to be served. False when the kernel would not watch it; then it is closed.
    func start() -> Bool {
        do {
            registration = try worker.loop.register(self, descriptor: descriptor)
        } catch {
            phase = .closed
            Sockets.closeDescriptor(descriptor)
            return false
        }
        setDeadline(after: worker.bounds.headTimeout)
        return true
    }

    // MARK: Channel

    func ready(_ readiness: Readiness) {
        guard phase != .closed else { return }
        if readiness.isBroken {
            // Nothing can reach this client any more.
            close()
            return
        }
        if readiness.isPeerClosed { sawPeerClose = true }
        if readiness.isReadable {
            isReadable = true
            receive()
        }
        if readiness.isWritable, isBlocked, phase != .closed {
            isBlocked = false
            flush()
        }
    }

    func flush() {
        isFlushQueued = false
        guard phase != .closed else { return }
        if output.pending > 0, !isBlocked {
            let before = output.pending
            switch output.write(to: descriptor) {
            case .drained:
                worker.recycle(&output)
                setDeadlineAfterDrain()
            case .blocked:
                isBlocked = true
                if output.pending < before || deadline == .distantFuture {
                    setDeadline(after: worker.bounds.bodyTimeout)
                }
            case .failed:
                close()
                return
            }
        }
        if owesNotice, output.pending <= FixedBounds.pendingOutputBytes / 2 {
            owesNotice = false
            exchange?.clientTookOutput()
        }
        if output.pending == 0, closesAfterFlush {
            beginLingering()
        } else if mustResume, output.pending <= FixedBounds.pendingOutputBytes {
            mustResume = false
            resume()
        }
    }

    func deadlineReached() {
        // An entry of the wheel that an earlier one has replaced ends here, so that their number stays small.
        guard worker.loop.now.instant >= firing else { return }
        firing = .distantFuture
        guard phase != .closed else { return }
        if worker.loop.now.instant < deadline {
            if deadline != .distantFuture { setDeadline(at: deadline) }
            return
        }
        deadline = .distantFuture
        switch phase {
        case .head where !input.isEmpty:
            refuseBroken(.headTimeout)
        case .exchange:
            exchange?.clientTimedOut()
        case .proxyHeader, .head, .discarding, .lingering:
            close()
        case .closed: break
        }
    }

    // MARK: Reading

    private func receive() {
        while isReadable, phase != .closed, !isPaused {
            // A client that sends requests ahead, or takes no answers, is read again when its turn comes.
            if input.count >= FixedBounds.readBytes,
                phase == .exchange || output.pending > FixedBounds.pendingOutputBytes
            {
                return
            }
            switch unsafe Sockets.read(descriptor, into: worker.loop.scratch) {
            case .bytes(let count):
                // A short read has drained the socket, unless its end is already known to follow.
                if count < FixedBounds.readBytes, !sawPeerClose { isReadable = false }
                consume(count)
            case .wouldBlock:
                isReadable = false
            case .endOfStream:
                isReadable = false
                endOfStream()
            case .failed:
                close()
            }
        }
    }

    /// Takes `count` fresh bytes from the loop's scratch space.
    private func consume(_ count: Int) {
        let fresh = unsafe UnsafeRawBufferPointer(rebasing: worker.loop.scratch[0..<count])
        if input.isEmpty {
            // SAFETY: the scratch space outlives the call and nobody reads into it before the call returns.
            let bytes = unsafe Span<UInt8>(_unsafeBytes: fresh)
            let used = process(bytes)
            if used < count, phase != .closed { input.append(contentsOf: bytes.extracting(used..<count)) }
        } else {
            unsafe input.append(contentsOf: fresh)
            processInput()
        }
        if phase == .head, !input.isEmpty, deadline == .distantFuture || isIdleDeadline {
            isIdleDeadline = false
            setDeadline(after: worker.bounds.headTimeout)
        }
    }

    private func processInput() {
        var bytes: [UInt8] = []
        swap(&bytes, &input)
        let used = process(bytes.span)
        guard phase != .closed else { return }
        if used == bytes.count {
            bytes.removeAll(keepingCapacity: false)
        } else {
            bytes.removeFirst(used)
        }
        input = bytes
    }

    /// Takes what it can of `bytes`; returns how many were consumed.
    private func process(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        while offset < bytes.count {
            let rest = bytes.extracting(offset..<bytes.count)
            switch phase {
            case .head:
                if output.pending > FixedBounds.pendingOutputBytes {
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
                    beginExchange()
                case .malformed(let fault):
                    refuseMalformed(fault)
                    return bytes.count
                }
            case .exchange:
                guard let exchange, !exchange.requestIsComplete, !isPaused else { return offset }
                let used = exchange.receiveContent(rest)
                offset &+= used
                if phase == .exchange, !exchange.requestIsComplete {
                    if !isPaused {
                        expectContent()
                    } else if !isBlocked {
                        deadline = .distantFuture
                    }
                }
                if used == 0 { return offset }
            case .discarding:
                let used = discardContent(rest)
                offset &+= used
                if used == 0 { return offset }
            case .proxyHeader:
                guard let used = takeProxyHeader(rest) else { return offset }
                offset &+= used
            case .lingering:
                discarded &+= bytes.count
                if discarded > FixedBounds.lingerBytes { close() }
                return bytes.count
            case .closed:
                return bytes.count
            }
        }
        return offset
    }

    private func beginExchange() {
        deadline = .distantFuture
        isIdleDeadline = false
        phase = .exchange
        let exchange = worker.takeExchange()
        self.exchange = exchange
        exchange.begin(client: self)
    }

    private func endOfStream() {
        sawPeerClose = true
        sawEnd = true
        switch phase {
        case .exchange:
            guard let exchange, exchange.requestIsComplete else { return close() }
            // Half-closed (RFC 9112 §9.6 leaves it open): answer, if the answer comes soon; also what was sent ahead.
            if input.isEmpty { exchange.clientEndsAfterThis() }
            if !exchange.answerHasBegun { setDeadline(after: worker.bounds.halfCloseTimeout) }
        case .head where mustResume:
            // Requests sent ahead may wait until their turn.
            break
        case .proxyHeader, .head, .discarding, .lingering:
            if output.pending == 0 || phase == .lingering { close() } else { closesAfterFlush = true }
        case .closed: break
        }
    }

    /// Nil: more bytes are needed.
    private func takeProxyHeader(_ bytes: Span<UInt8>) -> Int? {
        switch ProxyProtocolParser.parse(bytes) {
        case .incomplete:
            return nil
        case .absent:
            if requiresProxyHeader {
                close()
                return nil
            }
            phase = .head
            return 0
        case .complete(let source, let count):
            if let source {
                facts.peer = source.address
                facts.peerPort = source.port
            }
            phase = .head
            return count
        case .malformed:
            close()
            return nil
        }
    }

    private func discardContent(_ bytes: Span<UInt8>) -> Int {
        var index = 0
        while true {
            let piece: ChunkPiece?
            do throws(FramingFault) { piece = try discard.next(bytes, from: &index) } catch {
                closesAfterFlush = true
                queueFlush()
                return bytes.count
            }
            if discard.isComplete {
                phase = .head
                startIdling()
                return index
            }
            guard let piece, case .body(let range) = piece else { return index }
            discarded &+= range.count
            if discarded > FixedBounds.lingerBytes {
                closesAfterFlush = true
                queueFlush()
                return bytes.count
            }
        }
    }

    // MARK: What an exchange asks for

    /// Asks for the output to be written at the end of this round.
    @inline(__always)
    func queueFlush() {
        guard !isFlushQueued else { return }
        isFlushQueued = true
        worker.loop.wantsFlush(self)
    }

    /// Tell the exchange when half of the output is taken.
    func noticeWhenTaken() { owesNotice = true }

    /// Stop reading content: the upstream has enough to write.
    func pauseContent() { isPaused = true }

    func resumeContent() {
        guard isPaused else { return }
        isPaused = false
        mustResume = true
        // The pause stopped the clock, and nothing may be there to be read that would start it.
        expectContent()
        queueFlush()
    }

    /// The client is due to send content: watch that it does.
    func expectContent() { setDeadline(after: worker.bounds.bodyTimeout) }

    /// The exchange is over, its answer queued. `unread` is content of the request that nobody wants any more.
    func exchangeEnded(closes: Bool, unread: BodyReader?) {
        exchange = nil
        isPaused = false
        owesNotice = false
        deadline = .distantFuture
        if closes {
            phase = .discarding
            discard.begin(.untilClose)
            discarded = 0
            closesAfterFlush = true
        } else if let unread {
            phase = .discarding
            discard = unread
            discarded = 0
            setDeadline(after: worker.bounds.bodyTimeout)
        } else {
            phase = .head
            startIdling()
        }
        mustResume = true
        queueFlush()
    }

    /// The answer cannot be finished: end the connection so that the client cannot take it for whole.
    func abortAnswer() {
        exchange = nil
        phase = .discarding
        Sockets.resetOnClose(descriptor)
        close()
    }

    private func startIdling() {
        isIdleDeadline = true
        let idle = worker.isDraining ? worker.drainIdleGrace : worker.bounds.idleTimeout
        // While the last answer is still being taken, the client is not idle.
        setDeadline(after: isBlocked ? worker.bounds.bodyTimeout : idle)
    }

    /// The gateway drains: go as soon as nothing is under way. A client that never sent anything is idle too.
    func drain() {
        guard phase == .head || phase == .proxyHeader, input.isEmpty else { return }
        startIdling()
    }

    private func resume() {
        if !input.isEmpty { processInput() }
        receive()
        if sawEnd, !isPaused, phase != .closed { endOfStream() }
    }

    // MARK: Refusing what never became an exchange

    private func refuseMalformed(_ fault: RequestFault) {
        phase = .exchange
        let exchange = worker.takeExchange()
        self.exchange = exchange
        exchange.refuseMalformed(client: self, fault)
    }

    private func refuseBroken(_ denial: Denial) {
        phase = .exchange
        let exchange = worker.takeExchange()
        self.exchange = exchange
        exchange.refuseUnread(client: self, denial)
    }

    // MARK: Deadlines and the end

    private func setDeadlineAfterDrain() {
        // A blocked writer's deadline is over with its writing; the phase's own deadline, if any, was set by the phase.
        if phase == .exchange, let exchange {
            let awaitsHalfClosed = sawPeerClose && !exchange.answerHasBegun
            if isPaused || exchange.requestIsComplete && !awaitsHalfClosed { deadline = .distantFuture }
        } else if phase == .head, isIdleDeadline {
            startIdling()
        }
    }

    private func setDeadline(after duration: Nanoseconds) {
        setDeadline(at: worker.loop.now.instant.advanced(by: duration))
    }

    private func setDeadline(at instant: Instant) {
        deadline = instant
        if instant < firing { firing = worker.loop.schedule(registration, at: instant) }
    }

    private func beginLingering() {
        closesAfterFlush = false
        if sawPeerClose, !isReadable {
            close()
            return
        }
        phase = .lingering
        discarded = 0
        input = []
        Sockets.shutDownWriting(descriptor)
        setDeadline(after: FixedBounds.lingerTimeout)
        receive()
    }

    /// The process ends: what is under way cannot be finished, and must not look finished.
    func cut() {
        if phase == .exchange { Sockets.resetOnClose(descriptor) }
        close(because: .drainTimedOut)
    }

    func close(because fault: ExchangeFault = .clientLeft) {
        guard phase != .closed else { return }
        phase = .closed
        worker.loop.unregister(registration)
        // What is not written yet is missing: an end of the stream must not make an answer without a length look whole.
        if output.pending > 0 { Sockets.resetOnClose(descriptor) }
        Sockets.closeDescriptor(descriptor)
        input = []
        worker.recycle(&output)
        if let exchange {
            self.exchange = nil
            exchange.clientLeft(fault)
        }
        worker.clientClosed(self)
    }
}
