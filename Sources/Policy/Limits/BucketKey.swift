package import Core

/// Names one bucket: a keyed 96-bit hash of the limit's identity and of the principal the bucket belongs to. Because the seed
/// is random and never shown, clients cannot choose principals that share a bucket; among 100 million buckets two share one by
/// chance once in 10^13 tables.
package struct BucketKey: Hashable, Sendable {
    var high: UInt64
    var low: UInt32

    package init(high: UInt64, low: UInt32) {
        self.high = high
        self.low = low
    }

    /// The key of one limit's bucket of the principal that `appendPart` put together.
    package init(limit: Limit, principal: Span<UInt8>, seed: HashSeed) {
        let (first, second) = FastHash.hash128(principal, seed: seed)
        let identity = FastHash.hash(limit.identity, seed: seed)
        high = first ^ identity
        low = UInt32(truncatingIfNeeded: (second &+ (identity << 32 | identity >> 32)) >> 32)
    }

    /// Adds one part of a principal, marked with its kind and length so that no two lists of parts give the same bytes.
    package static func appendPart(_ part: LimitConfiguration.Part, _ bytes: Span<UInt8>, to principal: inout [UInt8]) {
        let count = UInt32(truncatingIfNeeded: bytes.count)
        principal.append(mark(of: part))
        principal.append(UInt8(truncatingIfNeeded: count))
        principal.append(UInt8(truncatingIfNeeded: count >> 8))
        principal.append(UInt8(truncatingIfNeeded: count >> 16))
        principal.append(contentsOf: bytes)
    }

    /// Adds the client address as a part: IPv6 by its /64.
    package static func appendPart(address: IPAddress, to principal: inout [UInt8]) {
        let accountable = address.accountable
        principal.append(mark(of: .address))
        principal.append(accountable.family.rawValue)
        var word = accountable.family == .v4 ? accountable.low : accountable.high
        for _ in 0..<8 {
            principal.append(UInt8(truncatingIfNeeded: word))
            word >>= 8
        }
    }

    private static func mark(of part: LimitConfiguration.Part) -> UInt8 {
        switch part {
        case .identity: 1
        case .key: 2
        case .address: 3
        case .route: 4
        }
    }
}

/// The bucket keys of one request, beside its `LimitList`.
package typealias BucketKeys = InlineArray<8, BucketKey>

extension InlineArray where Element == BucketKey, count == 8 {
    /// Keys to be overwritten one by one.
    package static var unset: BucketKeys { BucketKeys(repeating: BucketKey(high: 0, low: 0)) }

    /// One of them is `key`; places that are not set equal no bucket's key but by chance.
    func holds(_ key: BucketKey) -> Bool {
        for index in indices where self[index] == key { return true }
        return false
    }
}
