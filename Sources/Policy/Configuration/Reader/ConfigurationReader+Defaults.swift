import Core

/// What routes have in common, written once.
extension ConfigurationReader {
    /// Each default by itself, so that a mistake in it is found once and also where no route inherits it. What it means for a
    /// route is checked with the route.
    mutating func readDefaults(_ node: LocatedNode?) {
        guard let members = object(node, .defaults) else { return }
        if let place = members["authenticate"], let requirement = requirement(place) { checkCloses(requirement, at: place) }
        _ = reference(members["upstream"], to: .upstream)
        _ = realm(members["realm"])
        _ = mediaTypes(members["accept"], allowsAny: true)
        _ = mediaTypes(members["content_types"], allowsAny: false)
        _ = limitReferences(members["limits"])
        _ = headerChanges(members["response_headers"], in: .response)
        _ = duration(members["timeout"], in: Self.timeouts)
        _ = idleTimeout(members["idle_timeout"])
        _ = members["cors"].flatMap { cors($0) }
    }

    /// A route that lets strangers in says so itself: nothing opens by being forgotten.
    private mutating func checkCloses(_ requirement: RouteConfiguration.Requirement, at node: LocatedNode) {
        switch requirement {
        case .anyOf, .allOf: return
        case .none, .optional:
            report(
                .authenticationMissing, at: node,
                "a default asks for a credential: each route that requests without one may use says so itself")
        }
    }

    /// Adds what a route inherits to its members. Every route has to say who may use it, or inherit it.
    mutating func inherit(_ members: inout ObjectMembers, of route: LocatedNode) {
        for member in members.members {
            guard case .null = member.node.value, ObjectShape.defaults.members.contains(where: { $0.name == member.name }),
                RouteDefaults.isDroppable(member.name), !defaults.has(member.name), let place = members[member.name]
            else { continue }
            report(
                .referenceUnknown, at: place,
                "null drops what \"defaults\" gives to routes, which has no \(quoted(member.name)): leave it out")
            members.members.removeAll { $0.name == member.name }
        }
        let effective = defaults.effective(JSONNode(.object(members.members), at: members.position))
        guard case .object(let all) = effective.node.value else { return }
        members.members = all
        members.inherited = effective.inherited
        inheritedDefaults.formUnion(effective.inherited)
        if members["authenticate"] != nil { return }
        report(
            .authenticationMissing, at: route,
            "a route says who may use it: \"authenticate\" is a list of authenticators, or \"none\"")
    }

    /// Notes the defaults that no route inherits.
    mutating func noteUnusedDefaults() {
        configuration.unusedDefaults = defaults.members.filter { !inheritedDefaults.contains($0.name) }.map { member in
            Located(member.name, at: member.node.position, path: LocatedNode.path(RouteDefaults.member, member: member.name))
        }
    }
}
