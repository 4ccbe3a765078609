import Core
import Store

/// Changes that time alone calls for.
enum StoreMaintenance {
    /// Changes of one round; the next round makes more.
    private static let limit = 1000

    /// Signing keys whose time after their replacement is over, and refresh tokens that nobody used in theirs.
    static func changes(in index: StoreIndex, now: WallTime) -> [StoreChange] {
        var changes: [StoreChange] = []
        for key in index.signingKeys.values {
            if let end = key.removedAt, end <= now { changes.append(.removeSigningKey(id: key.id)) }
        }
        for family in index.tokenFamilies.values where family.expiresAt <= now && changes.count < limit {
            changes.append(.removeTokenFamily(id: family.id))
        }
        return changes
    }
}
