/// The limits that apply to one request: at most `capacity`, no name twice.
package struct LimitList: Sendable {
    package static let capacity = 8

    private let limits: [Limit]

    /// Nil above the capacity. A limit that is named twice counts once.
    package init?(_ limits: [Limit]) {
        var distinct: [Limit] = []
        for limit in limits where !distinct.contains(where: { $0.name == limit.name }) { distinct.append(limit) }
        guard distinct.count <= Self.capacity else { return nil }
        self.limits = distinct
    }

    /// Those that enforce, and those that are only tried.
    func split() -> (enforced: LimitList, tried: [Limit]) {
        let tried = limits.filter(\.isShadow)
        return (tried.isEmpty ? self : LimitList(distinct: limits.filter { !$0.isShadow }), tried)
    }

    /// The limits of several callers of one request, which may have some in common. Nil above the capacity.
    init?(ofSeveral limits: [Limit]) {
        guard limits.count <= Self.capacity else { return nil }
        self.limits = limits
    }

    /// A list of one.
    init(_ limit: Limit) { limits = [limit] }

    private init(distinct: [Limit]) { limits = distinct }

    package var count: Int { limits.count }
    package var isEmpty: Bool { limits.isEmpty }
    package var indices: Range<Int> { limits.indices }
    package subscript(index: Int) -> Limit { limits[index] }
}
