import Core

/// What an action that makes tokens takes over from the one that it is `like`. It alone says whose members these are: the reader and
/// the comparison of policies ask it.
///
/// A member of the action's own replaces the inherited one as a whole, and null drops it. What is inherited is the effective value, also
/// where that is a default of the other action.
struct ActionInheritance: Sendable {
    /// The member that names the route.
    static let member = "like"

    /// Actions that can be inherited from.
    enum Kind: String, CaseIterable, Sendable {
        case login
        case mintToken = "mint_token"

        /// The lifetime of tokens where the action says nothing of it.
        var lifetime: String {
            switch self {
            case .login: "1h"
            case .mintToken: "1d"
            }
        }
    }

    /// The action that another one is like.
    struct Base: Sendable {
        var kind: Kind
        /// What the action consists of.
        var node: JSONNode
        /// The index of its route.
        var route: Int
    }

    /// Why a name leads to no action.
    enum Fault: Error, Equatable {
        case routeUnknown
        case itself
        /// The route neither signs in nor mints.
        case withoutTokens
        /// The action is like another one itself.
        case chained(String)
    }

    private let routes: [JSONNode]

    /// - Parameter routes: those of the file, in its order.
    init(routes: [JSONNode]) { self.routes = routes }

    /// Names of all routes, for suggestions.
    var names: [String] { routes.compactMap { Self.text($0["name"]) } }

    /// - Parameter action: what asks, by its place in the file.
    func base(named name: String, for action: JSONNode) throws(Fault) -> Base {
        guard let index = routes.firstIndex(where: { Self.text($0["name"]) == name }) else { throw .routeUnknown }
        guard case .object(let actions)? = routes[index]["action"]?.value else { throw .withoutTokens }
        if actions.contains(where: { $0.node.position == action.position }) { throw .itself }
        for kind in Kind.allCases {
            guard let node = routes[index]["action"]?[kind.rawValue] else { continue }
            if let other = node[Self.member] { throw .chained(Self.text(other) ?? "") }
            return Base(kind: kind, node: node, route: index)
        }
        throw .withoutTokens
    }

    /// A document in which actions have what they inherit among their own members: what it says is the same.
    static func effective(_ root: JSONNode) -> JSONNode {
        guard case .array(let routes)? = root["routes"]?.value, case .object(var members) = root.value else { return root }
        let inheritance = ActionInheritance(routes: routes)
        let effective = routes.map { route in
            inheritance.replacing("action", in: route) { actions in
                inheritance.replacing("mint_token", in: inheritance.replacing("refresh_token", in: actions) { action in
                    inheritance.effective(action, as: .login)
                }) { action in inheritance.effective(action, as: .mintToken) }
            }
        }
        for index in members.indices where members[index].name == "routes" {
            members[index].node.value = .array(effective)
        }
        return JSONNode(.object(members), at: root.position)
    }

    private func replacing(_ name: String, in node: JSONNode, by change: (JSONNode) -> JSONNode) -> JSONNode {
        guard case .object(var members) = node.value, let index = members.firstIndex(where: { $0.name == name }) else { return node }
        members[index].node = change(members[index].node)
        return JSONNode(.object(members), at: node.position)
    }

    /// - Parameter kind: the kind of the action; a refresh makes tokens as a sign-in does.
    private func effective(_ action: JSONNode, as kind: Kind) -> JSONNode {
        guard case .object(let own) = action.value, let name = Self.text(action[Self.member]),
            let base = try? base(named: name, for: action), case .object(let inherited) = base.node.value
        else { return action }
        var members = own.filter { member in
            if member.name == Self.member { return false }
            if case .null = member.node.value { return false }
            return true
        }
        for member in inherited where action[member.name] == nil && member.name != "attempts" {
            if member.name == "addresses", kind != .mintToken { continue }
            members.append(member)
        }
        // What is not written means another time here than there.
        if base.node["lifetime"] == nil, action["lifetime"] == nil, base.kind != kind {
            members.append(JSONMember(name: "lifetime", namePosition: base.node.position, node: Self.lifetime(of: base)))
        }
        return JSONNode(.object(members), at: action.position)
    }

    /// What counts where nothing is written: the default, or the longest time that may be asked for where that is shorter.
    private static func lifetime(of base: Base) -> JSONNode {
        if let maximum = base.node["max_lifetime"], let longest = text(maximum).flatMap(DurationText.parse),
            let usual = DurationText.parse(base.kind.lifetime), longest < usual
        {
            return maximum
        }
        return JSONNode(.string(base.kind.lifetime), at: base.node.position)
    }

    private static func text(_ node: JSONNode?) -> String? {
        guard case .string(let text)? = node?.value else { return nil }
        return text
    }
}
