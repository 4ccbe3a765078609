import CNghttp2
package import Core

/// One HTTP/2 connection without its socket: bytes in, events out, bytes to write pulled. What servers and clients have
/// in common; the two subclasses say what a header block means.
///
/// The library does framing, header compression, stream states and flow control; this class bounds it, copies what it
/// lends, and keeps content waiting to be sent. Nothing is given back to the peer's windows but by `consumed`, so a slow
/// reader stalls its own stream only, until the connection's window is used up.
@safe
package class HTTP2Session {
    /// The library's session. Freed in `deinit`, never before, so it may be used whenever this object exists.
    let raw: OpaquePointer
    let isClient: Bool
    package let limits: HTTP2Bounds
    /// The streams that are open, in no order.
    package internal(set) var streams: [HTTP2Stream] = []
    /// Why the session cannot go on, if so.
    package private(set) var failure: SessionFailure?
    /// Where the peer's frames begin and end.
    var boundary: FrameBoundary
    /// The stream of the field block that goes on with the next frame; 0 between blocks.
    var openBlock: Int32 = 0
    /// What the field block being received costs.
    var meter = FieldBlockMeter()
    /// When the header block now being received began: a peer may take its time over no block.
    var headerBlockSince: Instant?
    /// The peer sent GOAWAY.
    package internal(set) var isPeerLeaving = false
    /// We sent, or are about to send, GOAWAY with the last stream's identifier.
    package private(set) var isLeaving = false
    /// Content queued on all streams.
    package internal(set) var pendingBytes = 0
    /// What streams hold beyond their shares.
    package private(set) var excessBytes = 0
    /// Storage of all queues, and what is set aside beyond a share where that is more.
    package private(set) var heldBytes = 0
    /// Memory is scarce: no stream may hold more than its share, or `FixedBounds.pieceBytes`.
    package var isTight = false
    package internal(set) var score: GlitchScore
    /// The peer did so many odd things that it was told to calm down: what is open finishes, nothing new begins.
    package internal(set) var isCalmed = false

    unowned let delegate: any HTTP2SessionDelegate
    /// The clock's reading that the call now running came with.
    private(set) var now = Instant(nanoseconds: 0)
    let vector = FieldVector()
    var trailers = TrailerBuilder()

    /// Where content goes while `writePending` runs.
    var out = ByteBuffer()
    private(set) var outLimit = 0
    var freeStorage: [[UInt8]] = []
    var waitingCount = 0
    /// WINDOW_UPDATE frames that are still excused by what we sent.
    var windowUpdateCredit = 32
    /// The peer's SETTINGS came, or began to: it does speak HTTP/2.
    package internal(set) var hasSettings = false
    /// CONTINUATION frames of the block being received.
    var continuationCount = 0
    var outstandingPings = 0
    static let freeStorageLimit = 4
    static let windowUpdateCreditLimit = 1024

    /// The library's side of a connection.
    enum Side { case server, client }

    init(side: Side, limits: HTTP2Bounds, delegate: any HTTP2SessionDelegate) {
        self.limits = limits
        self.delegate = delegate
        isClient = side == .client
        // The preface is 24 bytes (RFC 9113 §3.4).
        boundary = FrameBoundary(behind: side == .server ? 24 : 0)
        score = GlitchScore(points: limits.glitchPoints, leakPerSecond: limits.glitchPointsPerSecond)
        var session: OpaquePointer?
        // SAFETY: the library copies callbacks and options; it fails for want of memory only.
        let result = unsafe limits.withOptions { option in
            switch side {
            case .server: unsafe nghttp2_session_server_new2(&session, SessionCallbacks.shared, nil, option)
            case .client: unsafe nghttp2_session_client_new2(&session, SessionCallbacks.shared, nil, option)
            }
        }
        guard result == 0, let session = unsafe session else { fatalError("no memory for an HTTP/2 session") }
        unsafe raw = session
        // SAFETY: the callbacks run only within calls of this object's methods, so the reference need not be counted.
        unsafe nghttp2_session_set_user_data(raw, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { unsafe nghttp2_session_del(raw) }

    /// Queues our SETTINGS, which must be the first frame, and opens the connection's window.
    func begin(_ settings: [(nghttp2_settings_id, UInt32)]) {
        let entries = settings.map { id, value in
            nghttp2_settings_entry(settings_id: Int32(truncatingIfNeeded: id.rawValue), value: value)
        }
        // SAFETY: the entries are copied.
        unsafe entries.withUnsafeBufferPointer { entries in
            check(unsafe nghttp2_submit_settings(raw, 0, entries.baseAddress, entries.count))
        }
        check(unsafe nghttp2_session_set_local_window_size(raw, 0, 0, Int32(clamping: limits.connectionWindowBytes)))
    }

    // MARK: What the two sides do differently. Called by the callbacks.

    /// A header block begins.
    func beginHeaders(of id: Int32, category: nghttp2_headers_category) {}
    /// A field of the block.
    func takeField(_ name: Span<UInt8>, _ value: Span<UInt8>) {}
    /// A field that the library will not pass on.
    func noteInvalidField(_ name: Span<UInt8>) {}
    /// The block is whole.
    func endHeaders(of stream: HTTP2Stream, ends: Bool) {}
    /// The library refuses the block and resets the stream.
    func rejectHeaders(of stream: HTTP2Stream) {}
    /// A head of ours is written.
    func headWritten(of stream: HTTP2Stream) {}
    /// The frame that ends our side of the stream is written.
    func endedLocally(_ stream: HTTP2Stream) {}
    func receivedSettings() {}
    /// The peer acknowledged our SETTINGS.
    func settingsTaken() {}
    func receivedGoAway() {}
    func receivedPong() {}
    /// What RST_STREAM of the peer counts as.
    var resetGlitch: Glitch? { nil }
    /// What a frame costs that makes us reset a stream.
    var provokedResetPoints: Int64 { Glitch.provokedReset.points }
    /// How many bytes a block may have, received or decoded, before it costs the peer anything.
    var headAllowance: Int { 0 }
    /// Whether HEADERS or DATA go on to the library for a stream that is not open. False too when the session has failed.
    func admitUnknown(_ header: FrameHeader) -> Bool { true }
    /// Bytes of the peer were given to the library.
    func tookInput() {}
    /// A stream is being reset by us, or was refused.
    func noteReset(of id: Int32) {}

    // MARK: Bytes in and out

    /// Takes bytes of the peer, and tells the delegate what they come to.
    package func receive(_ bytes: Span<UInt8>, now: Instant) {
        guard failure == nil, !bytes.isEmpty else { return }
        self.now = now
        withExtendedLifetime(self) { deliver(bytes) }
        tookInput()
        if openBlock == 0, boundary.remaining == 0 { headerBlockSince = nil }
        if failure == nil, unsafe nghttp2_session_get_outbound_queue_size(raw) > limits.outboundFrames {
            fail(.outboundFlooded)
        }
    }

    /// Appends frames that wait to be written to `out`, until it holds `limit` bytes or a little more, and tells the
    /// delegate of streams that closed or have room by that. Several frames come from one call. Content is copied once,
    /// from the stream's queue to `out`; other frames once, from the library's buffer.
    package func writePending(to out: inout ByteBuffer, limit: Int, now: Instant) {
        self.now = now
        swap(&self.out, &out)
        outLimit = limit
        while self.out.count < limit {
            var start: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(raw, &start)
            guard count > 0, let start = unsafe start else {
                if count < 0 { fail(.internalFailure) }
                break
            }
            // SAFETY: the library's buffer is good until its next call.
            unsafe self.out.append(contentsOf: Span(_unsafeStart: start, count: count))
        }
        swap(&self.out, &out)
        if waitingCount > 0 { notifyWaiting() }
    }

    /// There is something to write, as far as the peer's windows allow.
    package var wantsWrite: Bool { unsafe nghttp2_session_want_write(raw) != 0 }

    /// Nothing will come of reading more, and nothing is left to write: the connection is to be closed.
    package var isOver: Bool {
        if wantsWrite { return false }
        return unsafe failure != nil || nghttp2_session_want_read(raw) == 0
    }

    // MARK: Flow control towards the peer

    /// Gives `count` bytes of a stream's content, which were passed on or dropped, back to the peer's windows.
    package func consumed(_ count: Int, on stream: HTTP2Stream) {
        let count = Swift.min(count, stream.unconsumed)
        guard stream.isOpen, count > 0 else { return }
        stream.unconsumed &-= count
        check(unsafe nghttp2_session_consume(raw, stream.id, count))
    }

    // MARK: Content to send

    /// Queues content on a stream whose head was submitted as one with content. Nothing for a stream that is closed.
    package func send(_ content: Span<UInt8>, on stream: HTTP2Stream) {
        guard stream.isOpen, !stream.isContentEnded, !content.isEmpty else { return }
        if stream.queue.count == 0 { stream.lastTaken = now }
        stream.queue.borrow(from: &freeStorage)
        stream.queue.append(content)
        pendingBytes &+= content.count
        account(for: stream)
        resume(stream)
    }

    /// Ends our side of a stream behind the content queued, with the trailers that are not dropped.
    package func endContent(on stream: HTTP2Stream, trailers: TrailerSection? = nil) {
        guard stream.isOpen, !stream.isContentEnded else { return }
        stream.isContentEnded = true
        if let trailers, trailers.fields.contains(where: { !$0.isDropped }) { stream.trailers = trailers }
        resume(stream)
    }

    /// So much content waits that a stream's source is to be read no further until `canTakeMoreOn`, which comes only to
    /// those who ask by `noticeWhenTaken`. What is left is too little to be worth a read.
    package func isFull(_ stream: HTTP2Stream) -> Bool {
        let limit = limit(of: stream)
        return stream.queue.count >= limit &- min(limit / 4, 1024)
    }

    /// Content that may be queued on a stream now.
    package func room(on stream: HTTP2Stream) -> Int { max(0, limit(of: stream) &- stream.queue.count) }

    /// What may be set aside for a stream now, in all.
    package func reservable(on stream: HTTP2Stream) -> Int { allowance(of: stream, atMost: Int(limits.streamWindowBytes)) }

    /// Sets bytes aside on a stream: so much its source may send without being asked again. Content that is queued comes
    /// out of them.
    package func reserve(_ count: Int, on stream: HTTP2Stream) {
        guard stream.isOpen else { return }
        stream.reserved = count
        account(for: stream)
    }

    /// Has the delegate told when the stream has room again.
    package func noticeWhenTaken(_ stream: HTTP2Stream) {
        guard stream.isOpen, !stream.isWaiting else { return }
        stream.isWaiting = true
        waitingCount &+= 1
    }

    /// What may be queued on a stream as things stand.
    private func limit(of stream: HTTP2Stream) -> Int {
        max(allowance(of: stream, atMost: limits.streamQueueBytes), stream.reserved)
    }

    /// The stream's share, and of what all have in common as much as it leaves for the others: so no stream gets everything,
    /// and all together never hold more than `queuedBytes`.
    private func allowance(of stream: HTTP2Stream, atMost most: Int) -> Int {
        let share = limits.streamShareBytes
        if isTight { return min(share, FixedBounds.pieceBytes) }
        let left = limits.commonBytes &- (excessBytes &- stream.excess)
        return min(most, share &+ max(0, left) / 2)
    }

    /// Follows what a stream holds.
    func account(for stream: HTTP2Stream) {
        let held = stream.isOpen ? max(stream.queue.count, stream.reserved) : 0
        let excess = max(0, held &- limits.streamShareBytes)
        excessBytes &+= excess &- stream.excess
        stream.excess = excess
        let weight = excess > 0 ? max(stream.queue.capacity, stream.reserved) : stream.queue.capacity
        heldBytes &+= weight &- stream.weight
        stream.weight = weight
    }

    private func resume(_ stream: HTTP2Stream) {
        guard stream.isDeferred else { return }
        stream.isDeferred = false
        check(unsafe nghttp2_session_resume_data(raw, stream.id))
    }

    private func notifyWaiting() {
        // The delegate may close streams, which moves others into their places: go from the end.
        var index = streams.count
        while index > 0, waitingCount > 0 {
            index &-= 1
            guard index < streams.count else { continue }
            let stream = streams[index]
            let limit = stream.reserved > 0 ? stream.reserved : limit(of: stream)
            guard stream.isWaiting, stream.queue.count <= limit / 2 else { continue }
            stream.isWaiting = false
            waitingCount &-= 1
            delegate.session(self, canTakeMoreOn: stream)
        }
    }

    // MARK: The end

    /// Resets a stream. Content queued on it is dropped.
    package func reset(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
        guard stream.isOpen, !stream.isResetAccounted else { return }
        stream.isResetAccounted = true
        noteReset(of: stream.id)
        check(unsafe nghttp2_submit_rst_stream(raw, 0, stream.id, code.rawValue))
    }

    /// Ends the session at once with GOAWAY: streams that are open are cut.
    package func terminate(_ code: HTTP2ErrorCode) {
        isLeaving = true
        check(unsafe nghttp2_session_terminate_session(raw, code.rawValue))
    }

    /// Queues GOAWAY with the last stream seen: later streams are ignored, those that are open finish.
    package func finishStreams(_ code: HTTP2ErrorCode = .noError) {
        guard !isLeaving else { return }
        isLeaving = true
        check(unsafe nghttp2_submit_goaway(raw, 0, lastProcessed, code.rawValue, nil, 0))
    }

    /// The highest stream of the peer that may have been acted on; those above are ignored once we leave.
    var lastProcessed: Int32 { unsafe nghttp2_session_get_last_proc_stream_id(raw) }

    /// Announces the end without refusing anything yet (RFC 9113 §6.8), so that streams on their way are still served.
    /// `finishStreams` is to follow a round trip later.
    package func announceEnd() {
        guard !isLeaving else { return }
        check(unsafe nghttp2_submit_shutdown_notice(raw))
    }

    /// Queues a PING. At most one is under way; false when there is one already.
    package func ping() -> Bool {
        guard outstandingPings == 0 else { return false }
        outstandingPings = 1
        check(unsafe nghttp2_submit_ping(raw, 0, nil))
        return true
    }

    /// Our own mistakes and want of memory end the session, but not the process.
    func check(_ result: Int32) {
        // A stream that was closed meanwhile, by either side, is nobody's mistake.
        if result < 0, nghttp2_is_fatal(result) != 0 { fail(.internalFailure) }
    }

    /// Ends the session with a GOAWAY that says why, unless it has ended already.
    func fail(_ failure: SessionFailure) {
        guard self.failure == nil else { return }
        self.failure = failure
        isLeaving = true
        unsafe _ = nghttp2_session_terminate_session(raw, failure.code.rawValue)
    }
}
