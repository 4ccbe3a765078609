import Core
import Policy
import Store

/// The use of stored keys on one loop since it was last told.
struct KeyUsageTally {
    /// Keys told of at once; the use of others is not counted until then.
    private static let keyLimit = 8192

    private var uses: [StoredKeyUse: (count: Int64, last: WallTime)] = [:]

    mutating func count(_ identity: Identity, now: WallTime) {
        guard let use = StoredKeyUse(identity) else { return }
        if let known = uses[use] {
            uses[use] = (known.count &+ 1, now)
        } else if uses.count < Self.keyLimit {
            uses[use] = (1, now)
        }
    }

    /// What was counted, and begins anew.
    mutating func take() -> [KeyUsage] {
        if uses.isEmpty { return [] }
        defer { uses.removeAll() }
        return uses.map { KeyUsage(key: $0.key.key, count: $0.value.count, lastUsedAt: $0.value.last) }
    }
}
