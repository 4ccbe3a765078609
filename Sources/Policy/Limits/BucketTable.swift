package import Core
import Synchronization

/// What the process has counted under its limits, token buckets and windows, shared by all loops and kept over reloads.
///
/// Taking is exact under concurrency: the shards a request needs are locked in ascending order, every bucket is checked
/// while all of them are locked, and only then is anything taken. The table holds at most `bucketLimit` buckets of 24
/// bytes, in shards that are at least two fifths full after growing (under 60 bytes a live bucket). Only full buckets and
/// windows that are over are given up, since they answer as missing ones do; where that makes no room, a table with `onEviction`
/// forgets the bucket that loses least by it, and one without has the outcome `.tableFull`, and nothing is taken. A shard moves only
/// its own buckets when it grows, so no request pays for more than a 256th of a large table.
package final class BucketTable: Sendable {
    private static let shardLimit = 256

    /// Live buckets at most.
    package let bucketLimit: Int
    private let seed: HashSeed
    private let shards: InlineArray<256, Mutex<BucketShard>>
    /// A small table uses few shards, so that its bound is not split into crumbs.
    private let shardMask: UInt64
    private let live = Atomic<Int>(0)
    private let evictions = Atomic<UInt64>(0)
    /// Called when the first bucket in debt is forgotten, on the event loop of the request. Nil: none is ever forgotten.
    private let onEviction: (@Sendable () -> Void)?

    package init(bucketLimit: Int, seed: HashSeed, onEviction: (@Sendable () -> Void)? = nil) {
        self.bucketLimit = max(0, bucketLimit)
        self.onEviction = onEviction
        self.seed = seed
        shards = InlineArray { _ in Mutex(BucketShard()) }
        var shardCount = 1
        while shardCount < Self.shardLimit, shardCount * 2048 <= bucketLimit { shardCount *= 2 }
        shardMask = UInt64(shardCount - 1)
    }

    /// Buckets held now, expired ones not yet given up included.
    package var bucketCount: Int { live.load(ordering: .relaxed) }

    /// Buckets that were forgotten before they were full again, or their windows over.
    package var evictionCount: UInt64 { evictions.load(ordering: .relaxed) }

    /// Bytes of the shards' storage. O(shards); for metrics and tests.
    package var storageBytes: Int {
        var places = 0
        for index in shards.indices { places += shards[index].withLock { $0.capacity } }
        return places * MemoryLayout<BucketShard.Bucket>.stride
    }

    /// Empties the table.
    func removeAll() {
        for index in 0...Int(truncatingIfNeeded: shardMask) { shards[index].withLock { $0 = BucketShard() } }
        live.store(0, ordering: .relaxed)
    }

    /// Makes a bucket that holds as much as one of another table does. A missing one needs no place.
    func copy(_ theirs: BucketKey, from other: BucketTable, to mine: BucketKey, now: Instant) {
        let place = Int(truncatingIfNeeded: theirs.high & other.shardMask)
        guard let state = other.shards[place].withLock({ $0.state(theirs) }) else { return }
        let now = BucketRule.clamped(now)
        shards[Int(truncatingIfNeeded: mine.high & shardMask)].withLock { shard in
            if shard.state(mine) != nil {
                shard.set(mine, state)
            } else if reserve(&shard, for: mine, now: now) {
                _ = shard.insert(mine, state, now: now)
            }
        }
    }

    /// The key of one limit's bucket of a principal.
    package func key(for limit: Limit, principal: Span<UInt8>) -> BucketKey {
        BucketKey(limit: limit, principal: principal, seed: seed)
    }

    /// Takes one token from the bucket of every limit, or none from any. `keys[i]` belongs to `limits[i]`.
    package func take(_ limits: LimitList, keys: BucketKeys, now: Instant) -> RateOutcome {
        if limits.count == 1 { return takeOne(limits, key: keys[0], now: BucketRule.clamped(now)) }
        var taking = BucketTaking(limits: limits, keys: keys, now: BucketRule.clamped(now), shardMask: shardMask)
        visit(0, &taking)
        return taking.outcome()
    }

    /// What `take` would say, with nothing taken and no bucket made: for limits that only watch.
    package func inspect(_ limits: LimitList, keys: BucketKeys, now: Instant) -> RateOutcome {
        var taking = checked(limits, keys, now)
        taking.decide()
        return taking.outcome()
    }

    /// Where a principal stands, for answers to requests that are not counted. Nothing is taken and no bucket made.
    package func standing(_ limits: LimitList, keys: BucketKeys, now: Instant) -> RateStatus {
        checked(limits, keys, now).standing()
    }

    /// Every bucket looked at, each by itself.
    private func checked(_ limits: LimitList, _ keys: BucketKeys, _ now: Instant) -> BucketTaking {
        var taking = BucketTaking(limits: limits, keys: keys, now: BucketRule.clamped(now), shardMask: shardMask)
        for position in limits.indices {
            let index = taking.index(at: position)
            let stored = shards[taking.shard(at: position)].withLock { $0.state(keys[index]) }
            taking.check(index, stored)
        }
        return taking
    }

    /// The usual case, one limit: the same rules without the order of locks and the way back.
    private func takeOne(_ limits: LimitList, key: BucketKey, now: Int64) -> RateOutcome {
        switch limits[0].rule {
        case .bucket(let rule): takeOne(limits, by: rule, key: key, now: now)
        case .window(let rule): takeOne(limits, by: rule, key: key, now: now)
        }
    }

    /// Made for each kind, so that the kind is asked once.
    private func takeOne(_ limits: LimitList, by rule: some CountingRule, key: BucketKey, now: Int64) -> RateOutcome {
        var state = BucketState(expiresAt: now)
        var lacksRoom = false
        var isTaken = false
        shards[Int(truncatingIfNeeded: key.high & shardMask)].withLock { shard in
            let slot = shard.slot(of: key)
            let stored = slot.map { shard.state(inSlot: $0) }
            state = rule.current(stored, now: now)
            if rule.admits(state, now: now) {
                state = rule.taking(state, now: now)
                if let slot {
                    shard.set(slot: slot, state)
                } else if reserve(&shard, for: key, now: now) {
                    let evicted = shard.insert(key, state, now: now)
                    if evicted > 0 { live.subtract(evicted, ordering: .relaxed) }
                } else {
                    lacksRoom = true
                }
                isTaken = !lacksRoom
            } else if let slot, let stored, state.expiresAt < stored.expiresAt {
                shard.set(slot: slot, state)
            }
        }
        if lacksRoom { return .tableFull }
        let status = RateStatus(
            limits: limits,
            only: RateStatus.Measure(
                remaining: isTaken ? rule.remaining(state, now: now) : 0,
                resetAfter: isTaken ? state.expiresAt &- now : rule.wait(state, now: now), isRefused: !isTaken))
        return isTaken ? .taken(status) : .refused(status)
    }

    /// Locks the shard at this position of the ascending order, checks its buckets, goes on to the next shard, and on
    /// the way back takes. So all shards are locked when the decision falls, and each is unlocked once its share is
    /// done.
    private func visit(_ position: Int, _ taking: inout BucketTaking) {
        guard position < taking.limits.count else {
            taking.decide()
            return
        }
        let shard = taking.shard(at: position)
        var end = position + 1
        while end < taking.limits.count, taking.shard(at: end) == shard { end += 1 }
        shards[shard].withLock { shard in
            for place in position..<end { prepare(taking.index(at: place), &taking, &shard) }
            visit(end, &taking)
            for place in position..<end { settle(taking.index(at: place), &taking, &shard) }
        }
    }

    /// Checks one bucket, and makes it when it is missing, so that taking cannot fail any more.
    private func prepare(_ index: Int, _ taking: inout BucketTaking, _ shard: inout BucketShard) {
        let key = taking.keys[index]
        let stored = shard.state(key)
        // A nanosecond short of expired, so that making the request's next bucket cannot give this one up.
        let held = BucketState(expiresAt: taking.now + 1)
        if let stored {
            if stored.expiresAt <= taking.now { shard.set(key, held) }
        } else if reserve(&shard, for: key, keeping: taking.keys, now: taking.now) {
            let evicted = shard.insert(key, held, now: taking.now)
            if evicted > 0 { live.subtract(evicted, ordering: .relaxed) }
            taking.made[index] = true
        } else {
            taking.lacksRoom = true
        }
        taking.check(index, stored)
    }

    private func settle(_ index: Int, _ taking: inout BucketTaking, _ shard: inout BucketShard) {
        let key = taking.keys[index]
        if taking.isTaken {
            shard.set(key, taking.states[index])
        } else if taking.made[index] {
            shard.remove(key)
            live.subtract(1, ordering: .relaxed)
        } else if taking.isChanged[index] {
            shard.set(key, taking.states[index])
        }
    }

    /// Counts one more bucket if the bound allows it, after giving up expired buckets of this shard if it must, and then the
    /// one that loses least.
    /// - Parameter kept: buckets of the same request, which stay.
    private func reserve(
        _ shard: inout BucketShard, for key: BucketKey, keeping kept: BucketKeys? = nil, now: Int64
    ) -> Bool {
        if live.add(1, ordering: .relaxed).newValue <= bucketLimit { return true }
        live.subtract(1 + shard.sweep(now: now), ordering: .relaxed)
        if live.add(1, ordering: .relaxed).newValue <= bucketLimit { return true }
        // Another bucket goes in its place.
        if let onEviction, shard.forgetLeast(for: key, keeping: kept) {
            live.subtract(1, ordering: .relaxed)
            if evictions.add(1, ordering: .relaxed).oldValue == 0 { onEviction() }
            return true
        }
        live.subtract(1, ordering: .relaxed)
        return false
    }
}
