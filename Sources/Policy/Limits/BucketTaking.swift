import Core

/// One attempt to take from several buckets: what was found, and what follows from it. Lives on the stack and is
/// never copied.
struct BucketTaking: ~Copyable {
    let limits: LimitList
    let keys: BucketKeys
    /// Within the bounds of `BucketRule`.
    let now: Int64
    private let shardMask: UInt64
    /// Indices of the limits in ascending order of their shards.
    private var order = InlineArray<8, UInt8>(repeating: 0)
    private var status: RateStatus
    private var isRefused = false
    /// A bucket is missing and there is no room for it.
    var lacksRoom = false
    /// Buckets made for this attempt, to be given up again when nothing is taken.
    var made = InlineArray<8, Bool>(repeating: false)
    /// Buckets whose state is to be stored where nothing is taken too: it was cut down to the span of their limit, or expired.
    private(set) var isChanged = InlineArray<8, Bool>(repeating: false)
    /// The buckets' states as they were found, and after the decision as they are to be.
    private(set) var states = InlineArray<8, BucketState>(repeating: BucketState(expiresAt: 0))
    private(set) var isTaken = false

    init(limits: LimitList, keys: BucketKeys, now: Int64, shardMask: UInt64) {
        self.limits = limits
        self.keys = keys
        self.now = now
        self.shardMask = shardMask
        status = RateStatus(limits: limits)
        for index in limits.indices {
            var place = index
            while place > 0, shard(at: place - 1) > Int(keys[index].high & shardMask) {
                order[place] = order[place - 1]
                place -= 1
            }
            order[place] = UInt8(truncatingIfNeeded: index)
        }
    }

    /// The limit's index at a position of the locking order.
    func index(at position: Int) -> Int { Int(order[position]) }

    func shard(at position: Int) -> Int { Int(truncatingIfNeeded: keys[index(at: position)].high & shardMask) }

    /// Notes the state of one bucket; nil is a missing one, of which nothing is used.
    mutating func check(_ index: Int, _ stored: BucketState?) {
        let rule = limits[index].rule
        let state = rule.current(stored, now: now)
        states[index] = state
        if let stored, stored.expiresAt <= now || stored.expiresAt > state.expiresAt { isChanged[index] = true }
        if !rule.admits(state, now: now) { isRefused = true }
    }

    /// Decides once every bucket is checked.
    mutating func decide() {
        isTaken = !isRefused && !lacksRoom
        for index in limits.indices {
            let rule = limits[index].rule
            if isTaken {
                let state = rule.taking(states[index], now: now)
                states[index] = state
                status[index] = .init(
                    remaining: rule.remaining(state, now: now), resetAfter: state.expiresAt &- now, isRefused: false)
            } else {
                let state = states[index]
                let wait = rule.wait(state, now: now)
                status[index] = .init(
                    remaining: rule.remaining(state, now: now), resetAfter: wait > 0 ? wait : state.expiresAt &- now,
                    isRefused: wait > 0)
            }
        }
        status.chooseTightest()
    }

    /// Where the principal stands after the checks, with nothing taken and nothing refused.
    consuming func standing() -> RateStatus {
        var standing = status
        for index in limits.indices {
            standing[index] = .init(
                remaining: limits[index].rule.remaining(states[index], now: now), resetAfter: states[index].expiresAt &- now,
                isRefused: false)
        }
        standing.chooseTightest()
        return standing
    }

    consuming func outcome() -> RateOutcome {
        if isTaken { return .taken(status) }
        return isRefused ? .refused(status) : .tableFull
    }
}
