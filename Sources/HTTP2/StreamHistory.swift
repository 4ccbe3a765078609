/// Which streams a client has used, so that none is used twice (RFC 9113 §5.1.1), in bounded memory.
struct StreamHistory {
    /// What is known of a stream that is not open.
    enum Past: Equatable {
        /// Above all that were opened.
        case idle
        /// We reset it: what the client sent before it could see that is ignored (RFC 9113 §5.1).
        case reset
        /// Opened and ended by the client, or by both sides.
        case closed
        /// Below one that was opened, and never opened itself.
        case skipped
    }

    /// How many streams that we reset are remembered. A client has `HTTP2Bounds.concurrentStreams` open of its own view, and
    /// is cut at 500 refused ones (`Glitch.refusedStream`); frames of all of these may be under way.
    static let resetLimit = 1024

    private var highest: Int32 = 0
    /// Identifiers that the newest gap left out; a client that counts by two has none.
    private var skipped: ClosedRange<Int32>?
    private var resets: [Int32] = []
    private var nextReset = 0

    /// The client opened a stream, or tried to.
    mutating func opened(_ id: Int32) {
        guard id > highest else { return }
        let next = highest == 0 ? 1 : highest &+ 2
        if id > next { skipped = next...(id &- 2) }
        highest = id
    }

    /// A stream was refused or is being reset by us.
    mutating func reset(_ id: Int32) {
        guard !resets.contains(id) else { return }
        if resets.count < Self.resetLimit {
            resets.append(id)
        } else {
            resets[nextReset] = id
            nextReset = (nextReset &+ 1) % Self.resetLimit
        }
    }

    /// What a stream is that is not open. It takes time in proportion to the resets remembered.
    func past(of id: Int32) -> Past {
        if id > highest { return .idle }
        if resets.contains(id) { return .reset }
        return skipped?.contains(id) == true ? .skipped : .closed
    }
}
