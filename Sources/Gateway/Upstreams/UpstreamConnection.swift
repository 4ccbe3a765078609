import Core
import HTTP1
import IO
import Policy

/// A connection to one server of an upstream: writes an exchange's request, reads its answer, and goes back to the pool
/// when both are whole and the server keeps it open.
final class UpstreamConnection: Channel {
    private enum Phase {
        case connecting
        /// In the pool.
        case idle
        /// The request is being written; the answer's head has not come.
        case request
        /// Inside the answer's content.
        case answer
        case closed
    }

    let worker: Worker
    let server: UpstreamServer
    var output = ByteQueue()
    /// It has carried an exchange before.
    private(set) var isReused = false

    private let descriptor: Int32
    private var registration = Registration.none
    private var phase = Phase.connecting
    private var exchange: Exchange?
    private var parser = ResponseHeadParser()
    private var content = BodyReader()
    private var method = Method.get
    private var input: [UInt8] = []
    private var keepsAlive = true
    private var requestHasEnded = false
    private var sawAnswerBytes = false
    private var interimAnswers = 0
    private var responseTimeout: Nanoseconds = 0
    private var deadline = Instant.distantFuture
    private var firing = Instant.distantFuture
    private var isReadable = false
    private var sawPeerClose = false
    private var isBlocked = false
    private var isFlushQueued = false
    private var isPaused = false
    private var mustResume = false

    /// Begins to connect.
    init(worker: Worker, server: UpstreamServer) throws(SystemError) {
        self.worker = worker
        self.server = server
        descriptor = try Sockets.connect(to: server.endpoint)
        do throws(SystemError) {
            registration = try worker.loop.register(self, descriptor: descriptor)
        } catch {
            phase = .closed
            Sockets.closeDescriptor(descriptor)
            throw error
        }
        isBlocked = true
        setDeadline(after: server.timeouts.connect)
    }

    /// No byte of the current request was taken by the kernel. Not to be read off `output`, which forgets what it wrote.
    private(set) var isUntouched = true

    /// The whole request so far is still in `output`.
    var canReplay: Bool { output.keepsWritten && !sawAnswerBytes }

    // MARK: One exchange

    /// Carries `exchange`, whose request head is in `output`.
    func begin(_ exchange: Exchange, method: Method, responseTimeout: Nanoseconds?) {
        self.exchange = exchange
        self.method = method
        self.responseTimeout = responseTimeout ?? server.timeouts.response
        server.active &+= 1
        parser = ResponseHeadParser()
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

    /// More of the request was appended to `output`.
    func contentAppended() {
        if output.keepsWritten, output.bytes.count > FixedBounds.pendingOutputBytes / 2 { output.keepsWritten = false }
        queueFlush()
    }

    /// The request is whole in `output`.
    func requestEnded() {
        requestHasEnded = true
        if phase == .request, output.pending == 0 { setDeadline(after: responseTimeout) }
        queueFlush()
    }

    /// The client takes no more for now.
    func pause() {
        isPaused = true
        deadline = .distantFuture
    }

    @inline(__always)
    func resume() {
        guard isPaused else { return }
        isPaused = false
        mustResume = true
        setDeadline(after: server.timeouts.body)
        queueFlush()
    }

    /// Its exchange needs it no more, and it cannot be used for another.
    func abandon() {
        exchange = nil
        close()
    }

    // MARK: Channel

    func ready(_ readiness: Readiness) {
        guard phase != .closed else { return }
        if phase == .connecting {
            guard finishConnecting(readiness) else { return }
        }
        if readiness.isPeerClosed || readiness.isBroken { sawPeerClose = true }
        if readiness.isReadable || readiness.isBroken {
            isReadable = true
            receive()
        }
        if readiness.isWritable, isBlocked, phase != .closed {
            isBlocked = false
            flush()
        }
    }

    private func finishConnecting(_ readiness: Readiness) -> Bool {
        guard readiness.isWritable || readiness.isBroken else { return false }
        if readiness.isBroken || Sockets.storedError(of: descriptor) != nil {
            server.counters.values.failed &+= 1
            fail(.connectFailed)
            return false
        }
        phase = .request
        deadline = .distantFuture
        return true
    }

    func flush() {
        isFlushQueued = false
        guard phase != .closed else { return }
        if phase != .connecting, !isBlocked, output.pending > 0 { write() }
        guard phase != .closed else { return }
        if mustResume {
            mustResume = false
            if !input.isEmpty { processInput() }
            receive()
        }
    }

    private func write() {
        let before = output.pending
        let progress = output.write(to: descriptor)
        if output.pending < before { isUntouched = false }
        switch progress {
        case .drained:
            if !output.keepsWritten { worker.recycle(&output) }
            if requestHasEnded, phase == .request {
                setDeadline(after: responseTimeout)
            } else if phase == .request {
                // The client's own deadline watches for the rest of the content.
                deadline = .distantFuture
            }
        case .blocked:
            isBlocked = true
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
            return
        }
        if !requestHasEnded, output.pending <= FixedBounds.pendingOutputBytes / 2 { exchange?.upstreamTookOutput() }
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
        case .connecting:
            server.counters.values.failed &+= 1
            fail(.connectTimedOut)
        case .idle: close()
        case .request: fail(requestHasEnded && output.pending == 0 ? .answerTimedOut : .stalled)
        case .answer: fail(.stalled)
        case .closed: break
        }
    }

    // MARK: Reading

    private func receive() {
        while isReadable, phase != .closed, !isPaused {
            switch unsafe Sockets.read(descriptor, into: worker.loop.scratch) {
            case .bytes(let count):
                if count < FixedBounds.readBytes, !sawPeerClose { isReadable = false }
                consume(count)
            case .wouldBlock:
                isReadable = false
            case .endOfStream:
                isReadable = false
                endOfStream()
            case .failed:
                isReadable = false
                broken()
            }
        }
    }

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
    }

    private func processInput() {
        var bytes: [UInt8] = []
        swap(&bytes, &input)
        let used = process(bytes.span)
        guard phase != .closed else { return }
        if used == bytes.count { return }
        bytes.removeFirst(used)
        input = bytes
    }

    private func process(_ bytes: Span<UInt8>) -> Int {
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
                    receiveHead()
                case .malformed:
                    fail(.invalidAnswer)
                    return bytes.count
                }
            case .answer:
                if isPaused { return offset }
                let used = receiveContent(rest)
                offset &+= used
                if used == 0 { return offset }
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

    private func receiveHead() {
        let status = worker.responseHead.status
        guard let exchange else { return }
        if status == 101 {
            // No upgrade was forwarded, so none can be granted.
            fail(.invalidAnswer)
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
            parser = ResponseHeadParser()
            exchange.receive(status: status)
            return
        }
        phase = .answer
        keepsAlive = worker.responseHead.keepsAlive
        content.begin(worker.responseHead.framing)
        exchange.receive(status: status)
        if content.isComplete { answerEnded() } else { setDeadline(after: server.timeouts.body) }
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
                if !isPaused { setDeadline(after: server.timeouts.body) }
                return index
            }
        }
        return index
    }

    private func answerEnded() {
        guard let exchange else { return }
        self.exchange = nil
        let trailers: TrailerSection? = content.framing == .chunked ? content.trailers : nil
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
        exchange.answerEnded(trailers: trailers)
    }

    private func endOfStream() {
        sawPeerClose = true
        switch phase {
        case .idle, .connecting: close()
        case .request: fail(sawAnswerBytes ? .cut : .closedBeforeAnswer)
        case .answer:
            if content.endOfStream() { answerEnded() } else { fail(.cut) }
        case .closed: break
        }
    }

    private func broken() {
        switch phase {
        case .idle: close()
        case .connecting: fail(.connectFailed)
        case .request: fail(sawAnswerBytes ? .cut : .closedBeforeAnswer)
        case .answer: fail(.cut)
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

    func close() {
        guard phase != .closed else { return }
        let wasIdle = phase == .idle
        phase = .closed
        if wasIdle { server.forget(self) } else { server.active &-= 1 }
        server.open &-= 1
        server.counters.values.open -= 1
        worker.loop.unregister(registration)
        Sockets.closeDescriptor(descriptor)
        input = []
        worker.recycle(&output)
    }

    private func queueFlush() {
        guard !isFlushQueued else { return }
        isFlushQueued = true
        worker.loop.wantsFlush(self)
    }

    private func setDeadline(after duration: Nanoseconds) {
        setDeadline(at: worker.loop.now.instant.advanced(by: duration))
    }

    private func setDeadline(at instant: Instant) {
        deadline = instant
        if instant < firing { firing = worker.loop.schedule(registration, at: instant) }
    }
}
