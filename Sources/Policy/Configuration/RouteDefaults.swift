import Core

/// What `defaults` at the top of a policy gives its routes. It alone says what a route inherits: the reader, `explain` and the
/// comparison of policies ask it, so that they cannot differ.
///
/// A member of the route's own replaces the default as a whole, and null drops it. A route with an action of the gateway's own
/// inherits no `upstream` and no `cors` that leaves the word to it, and a `not_found` route, which looks at nothing, inherits
/// nothing but `cors`: it need not say that it asks for no credential where other routes inherit what they ask for.
struct RouteDefaults: Sendable {
    /// The member at the top of the file, and the beginning of the path of all that is inherited.
    static let member = "defaults"

    /// What every route has to say in one place or the other, so that there is nothing to drop.
    static let indispensable: Set<String> = ["authenticate", "upstream"]

    /// Whose null on a route means something without a default too: it drops the `cors` of the top as well.
    static let ownNull: Set<String> = ["cors"]

    /// In the order of the file; those that no route may inherit are left out.
    let members: [JSONMember]

    /// - Parameter root: the document. Without an object of defaults there are none.
    init(_ root: JSONNode) {
        guard case .object(let members)? = root[Self.member]?.value else {
            self.members = []
            return
        }
        let names = ObjectShape.defaults.members.map(\.name)
        self.members = members.filter { names.contains($0.name) }
    }

    func has(_ name: String) -> Bool { members.contains { $0.name == name } }

    /// The default that counts for a member of a route; nil where the route has its own or has dropped it, and where the
    /// default is not for such routes.
    func inherited(_ name: String, by route: JSONNode) -> JSONNode? {
        guard let member = members.first(where: { $0.name == name }), route[name] == nil, isFor(route, member) else { return nil }
        return member.node
    }

    /// A route with all that counts for it, its own members first.
    func effective(_ route: JSONNode) -> EffectiveRoute {
        guard !members.isEmpty, case .object(let own) = route.value else { return EffectiveRoute(node: route) }
        var effective = own.filter { !isDropped($0) }
        var inherited: Set<String> = []
        for member in members where self.inherited(member.name, by: route) != nil {
            effective.append(member)
            inherited.insert(member.name)
        }
        if has("authenticate"), route["authenticate"] == nil, isNotFound(route) {
            let none = JSONNode(.string("none"), at: route.position)
            effective.append(JSONMember(name: "authenticate", namePosition: route.position, node: none))
        }
        return EffectiveRoute(node: JSONNode(.object(effective), at: route.position), inherited: inherited)
    }

    /// A member of a route that is null in order to drop the default.
    func isDropped(_ member: JSONMember) -> Bool {
        guard case .null = member.node.value else { return false }
        return Self.isDroppable(member.name) && has(member.name)
    }

    /// Null in place of this member means no more than that the default is not inherited.
    static func isDroppable(_ name: String) -> Bool { !indispensable.contains(name) && !ownNull.contains(name) }

    private func isFor(_ route: JSONNode, _ member: JSONMember) -> Bool {
        guard route["action"] != nil else { return true }
        if member.name == "cors" {
            // What leaves the word to the upstream means nothing where none is asked.
            if case .string = member.node.value { return false }
            return true
        }
        return !isNotFound(route) && member.name != "upstream"
    }

    private func isNotFound(_ route: JSONNode) -> Bool { route["action"]?["not_found"] != nil }
}

/// A route with the members it inherits among its own.
struct EffectiveRoute {
    var node: JSONNode
    /// Names of members that are in `defaults`.
    var inherited: Set<String> = []

    /// The path of one of its members: below `defaults` where it is inherited.
    func path(of member: String, at path: String) -> String {
        LocatedNode.path(inherited.contains(member) ? RouteDefaults.member : path, member: member)
    }
}
