import Core
import Store

/// Changes that time alone calls for.
enum StoreMaintenance {
    /// Changes of one round; the next round makes more.
    private static let limit = 1000

    /// Signing keys whose time after their replacement is over, and refresh tokens that nobody used in theirs, or whose key is
    /// gone. The keys are told of; refresh tokens end as their answers said.
    static func round(in index: StoreIndex, now: WallTime) -> (changes: [StoreChange], answer: [AuditEvent]) {
        var changes: [StoreChange] = []
        var events: [AuditEvent] = []
        for key in index.signingKeys.values {
            guard let end = key.removedAt, end <= now else { continue }
            changes.append(.removeSigningKey(id: key.id))
            events.append(.realmUpdated(key, cause: "jwt_key.deleted", at: now))
        }
        for family in index.tokenFamilies.values where changes.count < limit {
            let isOrphan = family.key.map { index.keys[$0] == nil } ?? false
            guard isOrphan || family.expiresAt <= now else { continue }
            changes.append(.removeTokenFamily(id: family.id))
        }
        return (changes, events)
    }
}
