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
    private var debts = InlineArray<8, Nanoseconds>(repeating: 0)
    private var isRefused = false
    /// A bucket is missing and there is no room for it.
    var lacksRoom = false
    /// Buckets made for this attempt, to be given up again when nothing is taken.
    var made = InlineArray<8, Bool>(repeating: false)
    /// Buckets whose debt was cut down to the span of their limit.
    private(set) var isOverdrawn = InlineArray<8, Bool>(repeating: false)
    /// What the buckets' state is to be after the decision.
    private(set) var newFullAt = InlineArray<8, Int64>(repeating: 0)
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

    /// Notes the state of one bucket; nil is a missing one, which is full.
    mutating func check(_ index: Int, fullAt: Int64?) {
        let rule = limits[index].rule
        let stored = fullAt ?? now
        let debt = rule.debt(fullAt: stored, now: now)
        debts[index] = debt
        if debt < stored &- now {
            isOverdrawn[index] = true
            newFullAt[index] = now &+ debt
        }
        if !rule.admits(debt: debt) { isRefused = true }
    }

    /// Decides once every bucket is checked.
    mutating func decide() {
        isTaken = !isRefused && !lacksRoom
        for index in limits.indices {
            let rule = limits[index].rule
            let debt = debts[index]
            if isTaken {
                let owed = debt &+ rule.interval
                newFullAt[index] = now &+ owed
                status[index] = .init(remaining: rule.tokens(debt: owed), resetAfter: owed, isRefused: false)
            } else {
                let wait = rule.wait(debt: debt)
                status[index] = .init(
                    remaining: rule.tokens(debt: debt), resetAfter: wait > 0 ? wait : debt, isRefused: wait > 0)
            }
        }
        status.chooseTightest()
    }

    /// Where the principal stands after the checks, with nothing taken and nothing refused.
    consuming func standing() -> RateStatus {
        var standing = status
        for index in limits.indices {
            standing[index] = .init(
                remaining: limits[index].rule.tokens(debt: debts[index]), resetAfter: debts[index], isRefused: false)
        }
        standing.chooseTightest()
        return standing
    }

    consuming func outcome() -> RateOutcome {
        if isTaken { return .taken(status) }
        return isRefused ? .refused(status) : .tableFull
    }
}
