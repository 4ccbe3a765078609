import Core

extension ConfigurationReader {
    /// The one action of a route.
    mutating func action(_ node: LocatedNode?) -> ActionConfiguration? {
        guard let node, let members = object(node, .action) else { return nil }
        guard let first = members.members.first, members.members.count == 1, let place = members[first.name] else {
            report(
                members.members.isEmpty ? .memberMissing : .membersExclusive, at: node, "an action is an object of one member")
            return nil
        }
        switch first.name {
        case "mint_token": return mintToken(place).map { .mintToken($0) }
        case "refresh_token": return refreshToken(place).map { .refreshToken($0) }
        case "login": return login(place).map { .login($0) }
        case "manage": return manage(place).map { .manage($0) }
        case "publish_keys": return publishKeys(place)
        case "not_found": return notFound(place)
        // Reported as unknown.
        default: return nil
        }
    }

    private mutating func notFound(_ node: LocatedNode) -> ActionConfiguration? {
        guard let isMeant = boolean(node) else { return nil }
        if isMeant { return .notFound }
        report(.valueUnknown, at: node, "\"not_found\" is true, or left out")
        return nil
    }

    /// What a route that answers nothing has beside its name and its requests would mean nothing.
    mutating func checkNotFound(_ route: RouteConfiguration, _ members: ObjectMembers) {
        guard route.action?.isNotFound == true else { return }
        if route.requirement != .none, let place = members["authenticate"] {
            report(.membersExclusive, at: place, "\"not_found\" asks nobody who he is: \"authenticate\" is \"none\"")
        }
        let counting: Set = ["name", "match", "authenticate", "action", "responses", "cors"]
        for member in members.members where !counting.contains(member.name) {
            guard let place = members[member.name] else { continue }
            report(.membersExclusive, at: place, "\"not_found\" looks at nothing of a request: \(quoted(member.name)) means nothing here")
        }
    }
}
