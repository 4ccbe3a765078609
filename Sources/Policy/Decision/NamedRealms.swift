/// What a query or content has under the name of the realm's parameter.
package struct NamedRealms: Sendable, Equatable {
    /// Values where a request names its realm: of `realm_id` itself, or directly in a resource, `user[realm_id]` or
    /// `{"user": {"realm_id": …}}`. Two that differ at most, since more change nothing.
    package private(set) var named: [String] = []
    /// Values anywhere deeper, and in lists. They name nothing, and must agree with the realm the request is about, since
    /// what a server makes of them cannot be known. Two that differ at most.
    package private(set) var deeper: [String] = []

    package init(_ named: String? = nil) {
        if let named { self.named = [named] }
    }

    mutating func name(_ realm: String) { Self.add(realm, to: &named) }

    mutating func mention(_ realm: String) { Self.add(realm, to: &deeper) }

    private static func add(_ realm: String, to list: inout [String]) {
        if list.count < 2, !list.contains(realm) { list.append(realm) }
    }
}
