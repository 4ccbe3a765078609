import Core

/// How contents and answers of a `manage` action look.
extension ConfigurationReader {
    /// Names of members are no longer, in bytes.
    private static let nameLimit = 64

    mutating func managementShape(
        _ members: ObjectMembers, _ resource: ManagementConfiguration.Resource
    ) -> ManagementShape {
        var shape = ManagementShape()
        if let place = members["members"] { shape.members = memberNames(place, of: resource) }
        shape.isWrapped = boolean(members["wrapped"]) ?? shape.isWrapped
        shape.list = listForm(members["list"]) ?? shape.list
        guard let statuses = object(members["statuses"], .managementStatuses) else { return shape }
        shape.createdStatus = status(statuses["create"], among: [200, 201]) ?? shape.createdStatus
        shape.updatedStatus = status(statuses["update"], among: [200, 204]) ?? shape.updatedStatus
        shape.deletedStatus = status(statuses["delete"], among: [200, 202, 204]) ?? shape.deletedStatus
        return shape
    }

    private mutating func memberNames(
        _ node: LocatedNode, of resource: ManagementConfiguration.Resource
    ) -> [String: String]? {
        let entries = map(node, of: "names")
        var names: [String: String] = [:]
        for entry in entries {
            guard resource.members.contains(entry.name) else {
                let hint = Suggestion.phrase(for: entry.name, among: resource.members)
                report(
                    .memberUnknown, at: entry.namePosition, path: entry.node.path,
                    "\(quoted(resource.rawValue)) have no member of this name\(hint)")
                continue
            }
            guard let name = memberName(entry.node) else { continue }
            if names.values.contains(name) {
                report(.valueDuplicate, at: entry.node, "another member is called \(quoted(name)) already")
            }
            names[entry.name] = name
        }
        guard case .object = node.value else { return nil }
        for name in resource.indispensableMembers where !entries.contains(where: { $0.name == name }) {
            report(.memberMissing, at: node, "the member \(quoted(name)) is missing: no record could be made or used without it")
        }
        return names
    }

    private mutating func memberName(_ node: LocatedNode?) -> String? {
        guard let node, let name = string(node, expected: "the name of a member")?.value else { return nil }
        // Forms nest names in brackets.
        let isValid = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x5B && $0 != 0x5D }
        if isValid, 1...Self.nameLimit ~= name.utf8.count { return name }
        report(
            .nameInvalid, at: node,
            "\(quoted(name)) is an invalid name of a member: up to \(Self.nameLimit) visible ASCII characters but brackets are expected")
        return nil
    }

    private mutating func listForm(_ node: LocatedNode?) -> ManagementShape.List? {
        guard let node else { return nil }
        if case .string(let text) = node.value {
            if text == "array" { return .array }
            report(
                .valueUnknown, at: node,
                "\(quoted(text)) is an unknown form of a list: write \"array\", or an object of \"items\" and \"more\"")
            return nil
        }
        guard let members = object(node, .managementList), let items = memberName(members["items"]),
            let more = memberName(members["more"])
        else { return nil }
        if items == more, let place = members["more"] {
            report(.valueDuplicate, at: place, "another member is called \(quoted(more)) already")
        }
        return .object(items: items, more: more)
    }

    private mutating func status(_ node: LocatedNode?, among statuses: [Int]) -> Int? {
        guard let node, let status = integer(node, in: 200...204) else { return nil }
        if statuses.contains(status) { return status }
        report(.valueOutOfRange, at: node, "expected one of \(statuses.map(String.init).joined(separator: ", "))")
        return nil
    }

    /// The last segment of a path that names the record of the caller.
    mutating func currentSegment(_ node: LocatedNode?) -> String? {
        guard let node, let name = string(node, expected: "a segment of a path")?.value else { return nil }
        // The ids of records have an underscore.
        if name.utf8.count <= Self.nameLimit, name.utf8.allSatisfy({ $0.isDigit || $0.lowercasedASCII &- 0x61 < 26 || $0 == 0x2D }) {
            return name
        }
        report(
            .nameInvalid, at: node,
            "\(quoted(name)) cannot name the caller's record: 1 to \(Self.nameLimit) letters, digits and \"-\" are expected")
        return nil
    }
}
