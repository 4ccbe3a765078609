import Core

/// What still passes in one direction of a tunnel, and where its close frame may stand. No I/O.
struct TunnelDirection {
    private enum State {
        /// Everything passes.
        case open
        /// The rest of the frame under way passes.
        case closing
        /// Nothing passes any more.
        case closed
    }

    private var state = State.open
    /// Nil when the tunnel speaks something else than WebSocket.
    private var boundary: WebSocketBoundary?

    init(isWebSocket: Bool) { boundary = isWebSocket ? WebSocketBoundary() : nil }

    /// How many of the bytes that came pass on; the others are dropped.
    mutating func pass(_ bytes: Span<UInt8>) -> Int {
        switch state {
        case .open:
            _ = boundary?.advance(over: bytes)
            return bytes.count
        case .closing: return boundary?.advance(over: bytes, stopsAtBoundary: true) ?? 0
        case .closed: return 0
        }
    }

    /// Nothing more than the frame under way is to pass. Where that is not to be known, nothing.
    mutating func close() {
        guard state == .open else { return }
        if let boundary, !boundary.isLost, !boundary.hasClosed { state = .closing } else { state = .closed }
    }

    /// True once, when `close` was called and the gateway's own close frame can and must be sent now.
    mutating func takesCloseFrame() -> Bool {
        guard state == .closing, let boundary else { return false }
        if boundary.isAtBoundary, !boundary.hasClosed {
            state = .closed
            return true
        }
        // The peer's own close frame was the one under way, or what came was no frame.
        if boundary.hasClosed || boundary.isLost { state = .closed }
        return false
    }

    /// The sender has ended this direction.
    mutating func end() { state = .closed }

    var isClosed: Bool { state == .closed }

    /// The sender's close frame went by.
    var hasSeenClose: Bool { boundary?.hasClosed ?? false }
}
