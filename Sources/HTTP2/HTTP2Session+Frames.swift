import CNghttp2
import Core

/// Frames of the peer on their way to the library. Each is judged as soon as its header is whole, when the library has taken
/// all before it: its state is then what the frame meets.
///
/// Here stands what a peer may do, but not often, and what the library lets pass: frames on streams that have ended, PRIORITY
/// that it need not look at.
extension HTTP2Session {
    /// Gives the peer's bytes to the library, but for frames that are dropped.
    func deliver(_ bytes: Span<UInt8>) {
        var index = 0
        if boundary.isDropping { boundary.skip(in: bytes, at: &index) }
        /// Up to here the library has its bytes, or is not to have them.
        var taken = index
        while let header = boundary.next(in: bytes, at: &index) {
            let headBytes = header.dependency == nil ? FrameHeader.byteCount : FrameHeader.priorityByteCount
            let start = Swift.max(index &- headBytes, taken)
            feed(bytes.extracting(taken..<start))
            guard failure == nil else { return }
            if admit(header) {
                feedHead(headBytes &- (index &- start))
                taken = start
            } else {
                guard failure == nil else { return }
                if boundary.remaining > 0 {
                    boundary.isDropping = true
                    boundary.skip(in: bytes, at: &index)
                }
                taken = index
            }
        }
        // A header that is not whole waits in `boundary`.
        feed(bytes.extracting(taken..<Swift.max(taken, index &- boundary.headCount)))
    }

    /// The part of a frame's header that came with earlier bytes.
    private func feedHead(_ count: Int) {
        guard count > 0 else { return }
        let head = boundary.head
        feed(head.span.extracting(0..<count))
    }

    private func feed(_ bytes: Span<UInt8>) {
        guard failure == nil, !bytes.isEmpty else { return }
        let result = unsafe bytes.withUnsafeBufferPointer { unsafe nghttp2_session_mem_recv(raw, $0.baseAddress, $0.count) }
        if result < 0 { fail(SessionFailure(libraryError: Int32(truncatingIfNeeded: result))) }
    }

    /// Whether a frame goes on to the library. False too when the session has failed.
    private func admit(_ header: FrameHeader) -> Bool {
        if openBlock == 0 { headerBlockSince = nil }
        // The library ends the connection: the frame is too long, or not the first or next that must come.
        let isMisplaced = !hasSettings || openBlock != 0
        let isOverlong = header.length > limits.frameBytes
        switch header.kind {
        case .content: return admitContent(header)
        case .headers: return beginBlock(header)
        case .continuation: return continueBlock(header)
        case .windowUpdate:
            windowUpdateCredit &-= 1
            if windowUpdateCredit < 0 {
                windowUpdateCredit = 0
                return charge(.windowUpdate)
            }
        case .reset: if let resetGlitch { return charge(resetGlitch) }
        case .settings:
            if !header.isAck, hasSettings { return charge(.settings) }
            if !header.isAck { hasSettings = true }
        case .ping: if !header.isAck || outstandingPings == 0 { return charge(.ping) }
        case .goAway: if isPeerLeaving { return charge(.unknownFrame) }
        case .priority:
            guard charge(.priority) else { return false }
            return isMisplaced || isOverlong || judgePriority(header)
        case .pushPromise:
            // A client may not push, and an upstream was told not to before it was asked anything (RFC 9113 §8.4).
            fail(.protocolViolated)
            return false
        case nil:
            guard charge(.unknownFrame) else { return false }
            return isMisplaced || isOverlong
        }
        return true
    }

    // MARK: Field blocks

    private func beginBlock(_ header: FrameHeader) -> Bool {
        headerBlockSince = now
        continuationCount = 0
        if !header.endsBlock { openBlock = header.stream }
        let stream = stream(header.stream)
        let isSilent = stream.map { $0.isTunnel && !$0.hasFinalResponse && isClient } ?? false
        guard charge(meter.begin(header.length, allowance: headAllowance, mayBeSilent: isSilent)) else { return false }
        return stream != nil || admitUnknown(header)
    }

    private func continueBlock(_ header: FrameHeader) -> Bool {
        continuationCount &+= 1
        if header.endsBlock { openBlock = 0 }
        if continuationCount > limits.continuationFrames { fail(.headerBlockTooLarge) }
        return charge(Glitch.continuation.points &+ meter.goOn(header.length))
    }

    // MARK: Frames of streams that are not open

    private func admitContent(_ header: FrameHeader) -> Bool {
        if stream(header.stream) != nil { return true }
        guard admitUnknown(header) else { return false }
        return header.length > 0 || charge(.emptyContent)
    }

    // MARK: PRIORITY

    /// Judges a PRIORITY frame, whose advice nothing here follows: it is not passed on (RFC 9113 §5.3.2).
    private func judgePriority(_ header: FrameHeader) -> Bool {
        let stream = stream(header.stream)
        if header.stream == 0 {
            fail(.protocolViolated)
        } else if header.dependency == nil {
            // A stream error where there is a stream (RFC 9113 §6.3); one that is idle must not be reset.
            guard let stream else { return true }
            provoked(stream, .frameSizeError)
        } else if header.dependency == header.stream {
            // RFC 7540 §5.3.1.
            guard let stream else {
                fail(.protocolViolated)
                return false
            }
            provoked(stream, .protocolError)
        }
        return false
    }

    private func provoked(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
        reset(stream, code)
        _ = charge(provokedResetPoints)
    }
}
