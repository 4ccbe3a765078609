import Core
import Crypto
import IO

/// One end of a connection: the socket, TLS where it is spoken, what is queued to be written, what was read and could not
/// be used yet, and one deadline. Subclasses say what the bytes mean.
class SocketChannel: Channel {
    final let worker: Worker
    final let descriptor: Int32
    /// Nil in clear.
    final private(set) var tls: TLSStream?
    final var output = ByteQueue()
    /// Read but not yet consumed; nearly always empty.
    final var input: [UInt8] = []
    final private(set) var registration = Registration.none
    final private(set) var isClosed = false
    /// The socket may have bytes that were not read.
    final var isReadable = false
    /// The peer sends nothing more, or the connection broke; what it sent before may still be there to be read.
    final var sawPeerClose = false
    /// The end came without TLS having said so: what came before may be cut short.
    final private(set) var isTruncated = false
    /// The socket took less than was offered.
    final var isBlocked = false
    /// TLS is being agreed on; nothing else is read or written before.
    final private(set) var isHandshaking = false
    /// Only as much is taken off the socket as `process` consumes: what follows is for TLS to read.
    final var isPeeking = false
    /// Whoever takes what is read here has enough for now.
    final var isPaused = false
    final var deadline = Instant.distantFuture
    private var firing = Instant.distantFuture
    private var isFlushQueued = false
    /// What of `heldBytes` the loop knows.
    private var countedBytes = 0
    private var readsWhenWritable = false
    private var writesWhenReadable = false

    init(worker: Worker, descriptor: Int32) {
        self.worker = worker
        self.descriptor = descriptor
    }

    /// Takes the connection over from a channel that found out that another protocol is spoken. The other one must not be
    /// used again.
    init(continuing other: SocketChannel) {
        worker = other.worker
        descriptor = other.descriptor
        tls = other.tls
        registration = other.registration
        swap(&output, &other.output)
        swap(&input, &other.input)
        isReadable = other.isReadable
        sawPeerClose = other.sawPeerClose
        countedBytes = other.countedBytes
        other.countedBytes = 0
        isTruncated = other.isTruncated
        isBlocked = other.isBlocked
        other.isClosed = true
        worker.loop.replace(registration, with: self)
    }

    // MARK: For subclasses

    /// Takes what it can of `bytes`; returns how many were consumed.
    func process(_ bytes: Span<UInt8>) -> Int { bytes.count }
    /// More may be read now.
    var wantsInput: Bool { !isPaused }
    /// How much the next read may take off the socket: from 1 to `FixedBounds.readBytes`.
    var readLimit: Int { worker.buffers.readLimit }
    /// Bytes of memory held for messages under way.
    var heldBytes: Int { output.bytes.capacity &+ input.capacity &+ (tls == nil ? 0 : recordBytes) }
    /// The end of what the peer sends was read.
    func endOfStream() {}
    /// Reading failed: the connection is broken.
    func readFailed() {}
    /// Fresh bytes have been given to `process`.
    func received() {}
    /// The socket failed or both directions are shut; false when that ends everything.
    func survivesBreak() -> Bool { true }
    /// A socket that connects: true when it has.
    func finishConnecting(_ readiness: Readiness) -> Bool { true }
    /// TLS is agreed on.
    func established() {}
    func handshakeFailed(_ fault: TLSFault) {}
    /// The round is over: write `output`.
    func flushOutput() {}
    /// The deadline passed, and was taken away.
    func deadlinePassed() {}

    // MARK: Watching

    final func register() throws(SystemError) { registration = try worker.loop.register(self, descriptor: descriptor) }

    final func ready(_ readiness: Readiness) {
        guard !isClosed else { return }
        if readiness.isBroken, !survivesBreak() { return }
        guard finishConnecting(readiness) else { return }
        if readiness.isPeerClosed || readiness.isBroken { sawPeerClose = true }
        if isHandshaking {
            isReadable = true
            isBlocked = false
            return shakeHands()
        }
        if readiness.isReadable || readiness.isBroken || readsWhenWritable && readiness.isWritable {
            isReadable = true
            readsWhenWritable = false
            receive()
        }
        if isBlocked, !isClosed, readiness.isWritable || writesWhenReadable && readiness.isReadable {
            isBlocked = false
            writesWhenReadable = false
            flushOutput()
        }
        countHeld()
    }

    final func flush() {
        isFlushQueued = false
        guard !isClosed, !isHandshaking else { return }
        flushOutput()
        countHeld()
    }

    /// Asks for `flushOutput` at the end of this round.
    @inline(__always)
    final func queueFlush() {
        guard !isFlushQueued else { return }
        isFlushQueued = true
        worker.loop.wantsFlush(self)
    }

    // MARK: Memory

    /// Has the loop know what is held.
    @inline(__always)
    private func countHeld() {
        let held = isClosed ? 0 : heldBytes
        guard held != countedBytes else { return }
        worker.buffers.hold(held &- countedBytes)
        countedBytes = held
    }

    /// What OpenSSL keeps of records in the middle of which one side waits.
    private var recordBytes: Int {
        (output.pending > 0 ? FixedBounds.recordBytes : 0) &+ (isPaused && isReadable ? FixedBounds.recordBytes : 0)
    }

    // MARK: TLS

    /// Speaks TLS from now on: shakes hands as soon as the peer lets it.
    final func speak(_ tls: TLSStream) {
        self.tls = tls
        isHandshaking = true
    }

    /// Goes back to speaking in clear: the peer never spoke anything else.
    final func forgetTLS() {
        tls = nil
        isHandshaking = false
    }

    final func shakeHands() {
        guard let tls else { return }
        switch tls.handshake() {
        case .complete:
            isHandshaking = false
            isReadable = true
            established()
            guard !isClosed else { return }
            queueFlush()
            receive()
        case .wantsRead: isReadable = false
        case .wantsWrite: isBlocked = true
        case .failed(let fault): handshakeFailed(fault)
        }
    }

    // MARK: Reading

    final func receive() {
        while isReadable, !isClosed, wantsInput {
            switch read() {
            case .bytes(let count): consume(count)
            case .wouldBlock: isReadable = false
            case .endOfStream:
                isReadable = false
                sawPeerClose = true
                endOfStream()
            case .failed:
                isReadable = false
                readFailed()
            }
        }
    }

    @inline(__always)
    private func read() -> ReadOutcome {
        let limit = readLimit
        let space = unsafe UnsafeMutableRawBufferPointer(rebasing: worker.loop.scratch[0..<limit])
        if let tls { return unsafe read(through: tls, into: space) }
        if isPeeking { return peek() }
        let outcome = unsafe Sockets.read(descriptor, into: space)
        // A short read has drained the socket, unless its end is already known to follow.
        if case .bytes(let count) = outcome, count < limit, !sawPeerClose { isReadable = false }
        return outcome
    }

    private func peek() -> ReadOutcome {
        let outcome = unsafe Sockets.peek(descriptor, into: worker.loop.scratch)
        guard case .bytes(let count) = outcome else { return outcome }
        let bytes = unsafe Span<UInt8>(_unsafeBytes: UnsafeRawBufferPointer(rebasing: worker.loop.scratch[0..<count]))
        let used = process(bytes)
        guard !isClosed else { return .wouldBlock }
        if used > 0 {
            _ = unsafe Sockets.read(descriptor, into: UnsafeMutableRawBufferPointer(rebasing: worker.loop.scratch[0..<used]))
            received()
        }
        // More of what is incomplete comes with an edge of its own.
        return .wouldBlock
    }

    private func read(through tls: TLSStream, into space: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        switch unsafe tls.read(into: space) {
        case .bytes(let count, let mayHaveMore):
            if !mayHaveMore, !sawPeerClose { isReadable = false }
            return .bytes(count)
        case .wantsRead: return .wouldBlock
        case .wantsWrite:
            readsWhenWritable = true
            return .wouldBlock
        case .endOfStream: return .endOfStream
        case .truncated:
            isTruncated = true
            return .endOfStream
        case .failed: return .failed(0)
        }
    }

    /// Takes `count` fresh bytes from the loop's scratch space.
    private func consume(_ count: Int) {
        let fresh = unsafe UnsafeRawBufferPointer(rebasing: worker.loop.scratch[0..<count])
        if input.isEmpty {
            // SAFETY: the scratch space outlives the call and nobody reads into it before the call returns.
            let bytes = unsafe Span<UInt8>(_unsafeBytes: fresh)
            let used = process(bytes)
            if used < count, !isClosed { input.append(contentsOf: bytes.extracting(used..<count)) }
        } else {
            unsafe input.append(contentsOf: fresh)
            processInput()
        }
        if !isClosed { received() }
    }

    /// Gives what could not be used before to `process` again.
    final func processInput() {
        var bytes: [UInt8] = []
        swap(&bytes, &input)
        let used = process(bytes.span)
        guard !isClosed, used < bytes.count else { return }
        bytes.removeFirst(used)
        input = bytes
    }

    // MARK: Writing

    /// Writes as much of `output` as the socket takes, and gives its storage back when nothing is left.
    final func writeOutput() -> ByteQueue.Progress {
        let progress = writeQueued()
        switch progress {
        case .drained: if !output.keepsWritten { worker.recycle(&output) }
        case .blocked: isBlocked = true
        case .failed: break
        }
        return progress
    }

    @inline(__always)
    private func writeQueued() -> ByteQueue.Progress {
        guard let tls else { return output.write(to: descriptor) }
        return unsafe output.write { bytes in
            switch unsafe tls.write(bytes) {
            case .bytes(let count): return .written(count)
            case .wantsWrite: return .full
            case .wantsRead:
                writesWhenReadable = true
                return .full
            case .failed: return .failed(0)
            }
        }
    }

    /// Tells the peer that nothing more comes; reading goes on.
    final func endWriting() {
        _ = tls?.shutdown()
        Sockets.shutDownWriting(descriptor)
    }

    // MARK: Deadline

    final func setDeadline(after duration: Nanoseconds) {
        setDeadline(at: worker.loop.now.instant.advanced(by: duration))
    }

    final func setDeadline(at instant: Instant) {
        deadline = instant
        if instant < firing { firing = worker.loop.schedule(registration, at: instant) }
    }

    final func deadlineReached() {
        // An entry of the wheel that an earlier one has replaced ends here, so that their number stays small.
        let now = worker.loop.now.instant
        guard now >= firing else { return }
        firing = .distantFuture
        guard !isClosed else { return }
        if now < deadline {
            if deadline != .distantFuture { setDeadline(at: deadline) }
            return
        }
        deadline = .distantFuture
        deadlinePassed()
    }

    // MARK: The end

    /// Closes the socket. False when that has happened before.
    final func closeSocket(resets: Bool = false) -> Bool {
        guard !isClosed else { return false }
        isClosed = true
        worker.loop.unregister(registration)
        if resets {
            Sockets.resetOnClose(descriptor)
        } else if output.pending == 0 {
            _ = tls?.shutdown()
        }
        tls = nil
        Sockets.closeDescriptor(descriptor)
        input = []
        worker.recycle(&output)
        countHeld()
        return true
    }
}
