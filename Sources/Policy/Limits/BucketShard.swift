import Core

/// One part of the bucket table, behind a lock of its own: open addressing with linear probing, 24 bytes a bucket.
struct BucketShard {
    /// The members of a `BucketState` stand apart, so that the small one fits beside the key.
    struct Bucket {
        let key: BucketKey
        var used: UInt32
        /// `vacant` for a place without bucket.
        var expiresAt: Int64

        init(key: BucketKey, _ state: BucketState) {
            self.key = key
            used = state.used
            expiresAt = state.expiresAt
        }

        /// A window that has counted more loses more, whenever it ends; a token bucket counts as one request.
        func losesLess(than other: Bucket) -> Bool {
            (max(used, 1), expiresAt) < (max(other.used, 1), other.expiresAt)
        }

        var state: BucketState {
            get { BucketState(expiresAt: expiresAt, used: used) }
            set {
                used = newValue.used
                expiresAt = newValue.expiresAt
            }
        }
    }

    private static let vacant = Int64.min
    private static let searchLimit = 1024
    private static let smallestCapacity = 8
    /// At the bound of the table a shard looks for expired buckets at most this often, so that a flood of new principals
    /// does not make every refusal pay for a walk through the shard.
    private static let sweepInterval: Nanoseconds = .milliseconds(10)

    private var buckets: ContiguousArray<Bucket> = []
    private(set) var count = 0
    private var nextSweep = Int64.min

    var capacity: Int { buckets.count }

    /// The state of the bucket, nil when there is no such bucket (of which then nothing is used).
    func state(_ key: BucketKey) -> BucketState? { slot(of: key).map { buckets[$0].state } }

    /// Sets the state of a bucket that is there.
    mutating func set(_ key: BucketKey, _ state: BucketState) {
        guard let slot = slot(of: key) else { return }
        buckets[slot].state = state
    }

    /// The state of the bucket in a slot that `slot(of:)` found.
    func state(inSlot slot: Int) -> BucketState { buckets[slot].state }

    /// Sets the state of the bucket in a slot that `slot(of:)` found.
    mutating func set(slot: Int, _ state: BucketState) { buckets[slot].state = state }

    /// Adds a bucket that is not there yet. Amortised O(1); the worst case moves the buckets of this shard only.
    /// Returns how many expired buckets were given up on the way.
    mutating func insert(_ key: BucketKey, _ state: BucketState, now: Int64) -> Int {
        var evicted = 0
        if (count + 1) * 4 > buckets.count * 3 {
            evicted = removeExpired(now: now)
            if (count + 1) * 8 > buckets.count * 5 { grow() }
        }
        place(Bucket(key: key, state))
        count += 1
        return evicted
    }

    /// Gives up expired buckets because the table is at its bound; returns how many.
    mutating func sweep(now: Int64) -> Int {
        guard now >= nextSweep || nextSweep &- now > Self.sweepInterval else { return 0 }
        nextSweep = now &+ Self.sweepInterval
        return removeExpired(now: now)
    }

    /// Takes out the bucket that loses least by being forgotten: the one with the fewest requests in its window, or that is full
    /// soonest. `searchLimit` places are looked at, from that of the new bucket on, so that a flood of new principals does not
    /// make every request pay for a walk through the shard. False when there is none.
    mutating func forgetLeast(for key: BucketKey, keeping kept: BucketKeys?) -> Bool {
        guard count > 0 else { return false }
        let capacity = buckets.count
        var slot = home(of: key, capacity: capacity)
        var least: Int?
        for _ in 0..<min(capacity, Self.searchLimit) {
            let bucket = buckets[slot]
            if bucket.expiresAt != Self.vacant, least.map({ bucket.losesLess(than: buckets[$0]) }) ?? true,
                !(kept?.holds(bucket.key) ?? false)
            {
                least = slot
            }
            slot = slot + 1 == capacity ? 0 : slot + 1
        }
        guard let least else { return false }
        remove(at: least)
        return true
    }

    /// Takes a bucket out and closes the gap in its run. A no-op when it is not there.
    mutating func remove(_ key: BucketKey) {
        if let slot = slot(of: key) { remove(at: slot) }
    }

    /// An expired bucket behaves as a missing one, so giving it up changes no answer. No other bucket may be given up.
    private mutating func removeExpired(now: Int64) -> Int {
        let before = count
        var slot = 0
        while slot < buckets.count {
            let expiresAt = buckets[slot].expiresAt
            if expiresAt != Self.vacant && expiresAt <= now {
                remove(at: slot)  // may move another bucket here, so look again
            } else {
                slot += 1
            }
        }
        return before - count
    }

    /// `capacity` is far below 2^32, as the bound of the table is.
    private func home(of key: BucketKey, capacity: Int) -> Int {
        Int(truncatingIfNeeded: (UInt64(key.low) &* UInt64(truncatingIfNeeded: capacity)) >> 32)
    }

    /// Where the bucket is until the next insertion or removal; nil when there is none.
    func slot(of key: BucketKey) -> Int? {
        let capacity = buckets.count
        guard capacity > 0 else { return nil }
        var slot = home(of: key, capacity: capacity)
        while buckets[slot].expiresAt != Self.vacant {
            if buckets[slot].key == key { return slot }
            slot = slot + 1 == capacity ? 0 : slot + 1
        }
        return nil
    }

    private mutating func place(_ bucket: Bucket) {
        let capacity = buckets.count
        var slot = home(of: bucket.key, capacity: capacity)
        while buckets[slot].expiresAt != Self.vacant { slot = slot + 1 == capacity ? 0 : slot + 1 }
        buckets[slot] = bucket
    }

    private mutating func grow() {
        let old = buckets
        buckets = ContiguousArray(
            repeating: Bucket(key: BucketKey(high: 0, low: 0), BucketState(expiresAt: Self.vacant)),
            count: max(Self.smallestCapacity, old.count + old.count / 2))
        for bucket in old where bucket.expiresAt != Self.vacant { place(bucket) }
    }

    private mutating func remove(at slot: Int) {
        let capacity = buckets.count
        var gap = slot
        var next = slot + 1 == capacity ? 0 : slot + 1
        while buckets[next].expiresAt != Self.vacant {
            let home = home(of: buckets[next].key, capacity: capacity)
            let fromHome = next >= home ? next - home : next - home + capacity
            let fromGap = next >= gap ? next - gap : next - gap + capacity
            if fromHome >= fromGap {
                buckets[gap] = buckets[next]
                gap = next
            }
            next = next + 1 == capacity ? 0 : next + 1
        }
        buckets[gap].expiresAt = Self.vacant
        count -= 1
    }
}
