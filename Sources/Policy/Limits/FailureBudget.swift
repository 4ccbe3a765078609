package import Core
import Synchronization

/// Distinct failed credentials per address (IPv6: per /64), so that guessing costs the guesser: once an address has used up
/// its budget, its credentials are refused unseen until the budget has refilled some, except those that were accepted before.
///
/// One token bucket an address, 96 bytes each, in 4096 sets of at most 16: `addressLimit` addresses. In a set that is
/// full the address with the most budget left makes room, so those that are exhausted are the last to be forgotten, and
/// an address without an entry has its whole budget. Kept over reloads.
///
/// Of each address the last `rememberedFailures` failed credentials are remembered, as keyed hashes: a repeated one is
/// refused and not counted again. A client that goes round among more than these is counted as one that guesses.
package final class FailureBudget: Sendable {
    private static let setCount = 4096
    private static let setCapacity = 16
    private static let shardCount = 64
    /// Failed credentials of one address that are not counted again. Two of them are taken for one once in 2^32; without the
    /// seed nobody can find two such.
    package static let rememberedFailures = 16
    /// Places for accepted credentials. A power of two.
    private static let acceptedCount = 4096
    /// Addresses remembered at most.
    package static let addressLimit = setCount * setCapacity

    private struct Entry {
        let address: IPAddress
        /// When the budget is whole again, in nanoseconds.
        var fullAt: Int64
        /// Marks of the failed credentials seen last; 0 where there is none yet.
        private var marks = InlineArray<16, UInt32>(repeating: 0)
        /// The place that the next mark takes.
        private var next: UInt8 = 0

        init(address: IPAddress, fullAt: Int64) {
            self.address = address
            self.fullAt = fullAt
        }

        /// Remembers a mark; false when it was remembered before. 0 is never remembered.
        mutating func remember(_ mark: UInt32) -> Bool {
            if mark == 0 { return true }
            for index in marks.indices where marks[index] == mark { return false }
            marks[Int(next)] = mark
            next = (next &+ 1) & 15
            return true
        }
    }

    private struct Shard {
        /// Nil switches the budget off.
        var rule: BucketRule?
        /// Sets are made when their first address fails.
        var sets: [[Entry]]
    }

    private let seed: HashSeed
    /// For each shard a bit for each of its sets, set when its first address has failed: nearly every request comes from
    /// an address of a set without entries, and needs no lock.
    private let occupied: InlineArray<64, Atomic<UInt64>>
    private let shards: InlineArray<64, Mutex<Shard>>
    /// Words of the digests of credentials that were accepted, each in the place it names; the last one there stays. 0 is none.
    private let accepted: InlineArray<4096, Atomic<UInt64>>

    /// A budget without failures yet; nil for none at all. Numbers that make no bucket (see `BucketRule`) are refused
    /// when the configuration is read; here they are taken for the defaults, never for no budget.
    package init(_ configuration: FailureBudgetConfiguration?, seed: HashSeed) {
        self.seed = seed
        let rule = Self.rule(configuration)
        occupied = InlineArray { _ in Atomic(0) }
        accepted = InlineArray { _ in Atomic(0) }
        shards = InlineArray { _ in
            Mutex(Shard(rule: rule, sets: Array(repeating: [], count: Self.setCount / Self.shardCount)))
        }
    }

    /// Goes on under the numbers of a new configuration. What is known of addresses stays.
    package func adopt(_ configuration: FailureBudgetConfiguration?) {
        let rule = Self.rule(configuration)
        for index in shards.indices { shards[index].withLock { $0.rule = rule } }
    }

    /// Forgets every address.
    func removeAll() {
        for index in shards.indices where occupied[index].load(ordering: .acquiring) != 0 {
            shards[index].withLock { shard in
                for set in shard.sets.indices { shard.sets[set].removeAll() }
            }
            occupied[index].store(0, ordering: .releasing)
        }
        for index in accepted.indices where accepted[index].load(ordering: .relaxed) != 0 {
            accepted[index].store(0, ordering: .relaxed)
        }
    }

    /// Notes that a credential was recognized: from now on it passes whatever its address has done. Being accepted is no proof
    /// of anything later: the credential is judged anew each time.
    /// - Parameter word: the first word of its digest.
    @inline(__always)
    func accept(_ word: UInt64) {
        let place = Int(truncatingIfNeeded: word) & (Self.acceptedCount &- 1)
        if accepted[place].load(ordering: .relaxed) != word { accepted[place].store(word, ordering: .relaxed) }
    }

    /// The credential of this digest was recognized before, and is not forgotten.
    func hasAccepted(_ word: UInt64) -> Bool {
        word != 0 && accepted[Int(truncatingIfNeeded: word) & (Self.acceptedCount &- 1)].load(ordering: .relaxed) == word
    }

    /// What a failed credential is remembered by.
    package func mark(of credential: Span<UInt8>) -> UInt32 {
        UInt32(truncatingIfNeeded: FastHash.hash(credential, seed: seed)) | 1
    }

    /// Knows of an address, and of accepted credentials, what another budget knows.
    func copy(_ address: IPAddress, from other: FailureBudget) {
        let address = address.accountable
        for index in accepted.indices {
            accepted[index].store(other.accepted[index].load(ordering: .relaxed), ordering: .relaxed)
        }
        let place = other.place(of: address)
        let known = other.shards[place.shard].withLock { shard in
            shard.sets[place.set].first { $0.address == address }
        }
        guard let known else { return }
        let mine = self.place(of: address)
        occupied[mine.shard].bitwiseOr(1 << UInt64(truncatingIfNeeded: mine.set), ordering: .releasing)
        shards[mine.shard].withLock { $0.sets[mine.set].append(known) }
    }

    /// How long until the address may show a credential again; nil while it may.
    package func retryAfter(_ address: IPAddress, now: Instant) -> Nanoseconds? {
        let address = address.accountable
        let now = BucketRule.clamped(now)
        let place = place(of: address)
        let bit: UInt64 = 1 << UInt64(truncatingIfNeeded: place.set)
        guard occupied[place.shard].load(ordering: .acquiring) & bit != 0 else { return nil }
        return shards[place.shard].withLock { shard -> Nanoseconds? in
            guard let rule = shard.rule else { return nil }
            for entry in shard.sets[place.set] where entry.address == address {
                let wait = rule.wait(debt: rule.debt(fullAt: entry.fullAt, now: now))
                return wait > 0 ? wait : nil
            }
            return nil
        }
    }

    /// Counts a failed credential, unless it is among those that failed from this address last. Requests that were under way
    /// together may overdraw a budget by no more than themselves: failures beyond an empty budget are not carried over.
    /// - Parameter mark: what `mark(of:)` makes of the credential; 0 counts in any case.
    package func recordFailure(_ address: IPAddress, mark: UInt32 = 0, now: Instant) {
        let address = address.accountable
        let now = BucketRule.clamped(now)
        let place = place(of: address)
        shards[place.shard].withLock { shard in
            guard let rule = shard.rule else { return }
            let bit: UInt64 = 1 << UInt64(truncatingIfNeeded: place.set)
            occupied[place.shard].bitwiseOr(bit, ordering: .releasing)
            Self.record(address, mark, in: &shard.sets[place.set], rule, now: now)
        }
    }

    private static func record(_ address: IPAddress, _ mark: UInt32, in set: inout [Entry], _ rule: BucketRule, now: Int64) {
        for index in set.indices where set[index].address == address {
            guard set[index].remember(mark) else { return }
            let debt = rule.debt(fullAt: set[index].fullAt, now: now)
            set[index].fullAt = now + max(debt, min(debt + rule.interval, rule.span))
            return
        }
        var entry = Entry(address: address, fullAt: now + rule.interval)
        _ = entry.remember(mark)
        if set.count < setCapacity {
            set.append(entry)
        } else if let fullest = set.indices.min(by: { set[$0].fullAt < set[$1].fullAt }) {
            set[fullest] = entry
        }
    }

    private func place(of address: IPAddress) -> (shard: Int, set: Int) {
        let word = address.high ^ (address.low << 8 | UInt64(address.family.rawValue))
        let hash = FastHash.hash(word, seed: seed)
        let shard = Int(truncatingIfNeeded: hash % UInt64(Self.shardCount))
        return (shard, Int(truncatingIfNeeded: hash >> 32 % UInt64(Self.setCount / Self.shardCount)))
    }

    private static func rule(_ configuration: FailureBudgetConfiguration?) -> BucketRule? {
        guard let configuration else { return nil }
        let chosen = try? BucketRule(
            requests: configuration.failures, per: configuration.per, burst: configuration.burst)
        let fallback = FailureBudgetConfiguration()
        return chosen
            ?? (try? BucketRule(requests: fallback.failures, per: fallback.per, burst: fallback.burst))
    }
}
