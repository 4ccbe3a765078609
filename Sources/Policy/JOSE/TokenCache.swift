package import Core

/// What one event loop remembers of tokens it has judged: the verified ones, compared byte for byte, and for a few
/// seconds the refused ones. Bounded; not shared between loops.
///
/// An answer belongs to one `IssuerTable`, so a new policy starts empty. A verified token is answered while it is in
/// its time and its key set has not changed. A refusal is answered while none of the table's key sets has changed.
package final class TokenCache {
    /// How long a refusal is remembered.
    static let refusalLifetime: Nanoseconds = .seconds(10)
    /// Entries that compete for the same places. A power of two.
    static let ways = 4

    private struct VerifiedSlot {
        var hash: UInt64 = 0
        var table: UInt64 = 0
        var token: VerifiedToken?
        var isDerived = false
    }

    /// Two keyed hashes and the count stand for the token: nobody can aim a collision at a token without the seed, and
    /// one would only refuse it for some seconds.
    private struct RefusedSlot {
        var hash: (UInt64, UInt64) = (0, 0)
        var count = 0
        var table: UInt64 = 0
        var generations: UInt64 = 0
        var until = Instant(nanoseconds: .min)
        var fault = TokenFault.malformed
    }

    /// Headers of tokens, which are worth keeping though the tokens differ.
    let headers = HeaderCache()
    private let seed: HashSeed
    private var verified: [VerifiedSlot]
    private var refused: [RefusedSlot]
    /// A derived token was remembered since they were last forgotten.
    private var holdsDerived = false
    /// Lookups answered with a verified token, answered with a refusal, and not answered.
    package private(set) var hits: UInt64 = 0
    package private(set) var refusedHits: UInt64 = 0
    package private(set) var misses: UInt64 = 0

    /// Bounds are rounded up to a power of two, at least `ways`.
    package init(
        seed: HashSeed, verifiedLimit: Int = FixedBounds.tokenCacheEntries,
        refusedLimit: Int = FixedBounds.refusedTokenCacheEntries
    ) {
        self.seed = seed
        verified = Array(repeating: VerifiedSlot(), count: Self.capacity(verifiedLimit))
        refused = Array(repeating: RefusedSlot(), count: Self.capacity(refusedLimit))
    }

    /// Forgets everything.
    package func removeAll() {
        for index in verified.indices { verified[index] = VerifiedSlot() }
        for index in refused.indices { refused[index] = RefusedSlot() }
    }

    /// Forgets the tokens that have a parent: it may be gone.
    func removeDerived() {
        guard holdsDerived else { return }
        holdsDerived = false
        for index in verified.indices where verified[index].isDerived { verified[index] = VerifiedSlot() }
    }

    /// The token of these bytes, if `table` verified it and it still holds. Allocates nothing.
    func verifiedToken(_ token: Span<UInt8>, table: IssuerTable, now: ClockReading) -> VerifiedToken? {
        let hash = FastHash.hash(token, seed: seed)
        let first = firstWay(of: hash, in: verified.count)
        for index in first..<first &+ Self.ways {
            guard verified[index].hash == hash, verified[index].table == table.identity,
                let entry = verified[index].token
            else { continue }
            let bytes = entry.bytes
            guard bytes.span.equals(token) else { continue }
            guard entry.isCurrent(now) else {
                verified[index] = VerifiedSlot()
                return nil
            }
            hits &+= 1
            return entry
        }
        return nil
    }

    /// Why these bytes were refused a moment ago, if `table` refused them for a reason that lasts.
    /// - Parameter generations: `table.keySetGenerations` of now.
    func refusal(_ token: Span<UInt8>, table: IssuerTable, generations: UInt64, now: Instant) -> TokenFault? {
        let hash = FastHash.hash128(token, seed: seed)
        let first = firstWay(of: hash.0, in: refused.count)
        for index in first..<first &+ Self.ways {
            let slot = refused[index]
            guard slot.hash == hash, slot.count == token.count, slot.table == table.identity else { continue }
            guard slot.generations == generations, now < slot.until else { return nil }
            refusedHits &+= 1
            return slot.fault
        }
        misses &+= 1
        return nil
    }

    func insert(_ token: VerifiedToken, table: IssuerTable, now: ClockReading) {
        let bytes = token.bytes
        let hash = FastHash.hash(bytes.span, seed: seed)
        let first = firstWay(of: hash, in: verified.count)
        let victim = (first..<first &+ Self.ways).first { !(verified[$0].token?.isCurrent(now) ?? false) }
        // A place free or out of date, or else the oldest: newer entries stand before older ones.
        var index = victim ?? first &+ Self.ways &- 1
        while index > first {
            verified[index] = verified[index &- 1]
            index &-= 1
        }
        verified[first] = VerifiedSlot(
            hash: hash, table: table.identity, token: token, isDerived: token.parent != nil)
        holdsDerived = holdsDerived || token.parent != nil
    }

    /// - Parameter generations: `table.keySetGenerations` from before the token was judged.
    func insert(refused token: Span<UInt8>, fault: TokenFault, table: IssuerTable, generations: UInt64, now: Instant) {
        let hash = FastHash.hash128(token, seed: seed)
        let first = firstWay(of: hash.0, in: refused.count)
        let victim = (first..<first &+ Self.ways).first { now >= refused[$0].until }
        var index = victim ?? first &+ Self.ways &- 1
        while index > first {
            refused[index] = refused[index &- 1]
            index &-= 1
        }
        refused[first] = RefusedSlot(
            hash: hash, count: token.count, table: table.identity, generations: generations,
            until: now.advanced(by: Self.refusalLifetime), fault: fault)
    }

    private func firstWay(of hash: UInt64, in count: Int) -> Int {
        Int(truncatingIfNeeded: hash) & (count &- 1) & ~(Self.ways &- 1)
    }

    private static func capacity(_ limit: Int) -> Int {
        var capacity = ways
        while capacity < limit { capacity &*= 2 }
        return capacity
    }
}
