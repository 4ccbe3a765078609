import Core

/// Memberships, realms and media types of routes.
extension ConfigurationReader {
    mutating func membership(_ node: LocatedNode?) -> MembershipConfiguration? {
        guard let node, let members = object(node, .membership) else { return nil }
        // Users stand in the store and nowhere else.
        storedPlaces.append(node)
        let project = members["project"].flatMap { template($0) }
        var roles: [String] = []
        if members["roles"] != nil, filledList(members["roles"], of: "roles") != nil {
            roles = strings(members["roles"], of: "roles").map(\.value)
        }
        guard let place = members["organization"], let organization = template(place) else { return nil }
        return MembershipConfiguration(organization: organization, project: project, roles: roles)
    }

    mutating func realm(_ node: LocatedNode?) -> RealmConfiguration? {
        guard let members = object(node, .realm) else { return nil }
        var realm = RealmConfiguration(header: nil, parameter: nil)
        if let place = members["header"], let name = string(place, expected: "the name of a header"),
            checkHeaderName(name.value, in: .request, at: name.position, path: name.path)
        {
            realm.header = name.value
        }
        if let place = members["parameter"], let name = string(place, expected: "the name of a parameter") {
            if name.value.utf8.allSatisfy({ $0.isLetterOrDigit || [0x2D, 0x2E, 0x5F, 0x7E].contains($0) }) {
                realm.parameter = name.value
            } else {
                report(.nameInvalid, at: place, "\(quoted(name.value)) is no name of a parameter")
            }
        }
        realm.isRequired = boolean(members["required"]) ?? true
        realm.readsContent = boolean(members["content"]) ?? false
        if let place = members["content"], members["parameter"] == nil {
            report(.memberMissing, at: place, "\"content\" needs \"parameter\", the name to look for")
        }
        return realm
    }

    /// Media types without parameters (RFC 9110 §8.3.1).
    /// - Parameter allowsAny: `*/*` may stand among them.
    mutating func mediaTypes(_ node: LocatedNode?, allowsAny: Bool) -> [String] {
        guard node != nil, filledList(node, of: "media types") != nil else { return [] }
        var types: [String] = []
        for type in strings(node, of: "media types") {
            let parts = type.value.split(separator: "/", omittingEmptySubsequences: false)
            let isType = parts.count == 2 && parts.allSatisfy { String($0).isToken && !$0.contains("*") }
            if isType || allowsAny && type.value == "*/*" {
                types.append(type.value)
            } else {
                report(
                    .valueUnknown, at: type.position, path: type.path,
                    "\(quoted(type.value)) is no media type; write one such as \"application/json\"")
            }
        }
        if types == ["*/*"], let node {
            report(.valueUnknown, at: node, "\"*/*\" lets clients ask for anything; name what the route serves beside it")
        }
        return types
    }
}
