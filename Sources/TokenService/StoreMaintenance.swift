import Core
import Store

/// Changes that time alone calls for.
enum StoreMaintenance {
    /// Changes of one round; the next round makes more.
    private static let limit = 1000

    /// Signing keys whose time after their replacement is over, and refresh tokens that nobody used in theirs, or whose key is
    /// gone.
    static func changes(in index: StoreIndex, now: WallTime) -> [StoreChange] {
        var changes: [StoreChange] = []
        for key in index.signingKeys.values {
            if let end = key.removedAt, end <= now { changes.append(.removeSigningKey(id: key.id)) }
        }
        for family in index.tokenFamilies.values where changes.count < limit {
            let isOrphan = family.key.map { index.keys[$0] == nil } ?? false
            guard isOrphan || family.expiresAt <= now else { continue }
            changes.append(.removeTokenFamily(id: family.id))
        }
        return changes
    }
}
