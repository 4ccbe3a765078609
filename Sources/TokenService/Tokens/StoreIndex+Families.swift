import Core
import Store

extension StoreIndex {
    /// Families that one key or one user may have at a time.
    static let familyLimit = 100

    /// What begins a family. Where its parent has as many as it may, the oldest end, and expired ones with them.
    func changes(beginning family: TokenFamily, at now: WallTime) -> [StoreChange] {
        let siblings = tokenFamilies(of: family.parent)
        var changes = [StoreChange.putTokenFamily(family)]
        guard siblings.count >= Self.familyLimit else { return changes }
        let live = siblings.filter { now < $0.expiresAt }.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        let kept = Set(live.suffix(Self.familyLimit - 1).map(\.id))
        for sibling in siblings where !kept.contains(sibling.id) { changes.append(.removeTokenFamily(id: sibling.id)) }
        return changes
    }
}
