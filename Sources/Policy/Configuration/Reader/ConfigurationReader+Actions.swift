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
        // Reported as unknown.
        default: return nil
        }
    }
}
