import Core

/// A value of the file together with its path, as in `routes[3].limits`.
struct LocatedNode {
    var node: JSONNode
    var path: String

    var value: JSONValue { node.value }
    var position: SourcePosition { node.position }
    var isNull: Bool { if case .null = node.value { true } else { false } }

    /// True for a string of exactly this text.
    func isText(_ text: String) -> Bool {
        if case .string(let value) = node.value { value.utf8.span.equals(text.utf8.span) } else { false }
    }

    /// The path of a member: `.name`, or `["name"]` where the name has other characters than letters, digits, "_", "-".
    static func path(_ parent: String, member name: String) -> String {
        let isPlain =
            !name.isEmpty
            && name.utf8.allSatisfy {
                $0.isDigit || $0.lowercasedASCII &- 0x61 < 26 || $0 == 0x5F || $0 == 0x2D || $0 == 0x24
            }
        if !isPlain { return "\(parent)[\(quoted(name))]" }
        return parent.isEmpty ? name : "\(parent).\(name)"
    }
}

/// A name and value of one of the file's maps (`upstreams`, `limits`, `set`, …).
struct MapEntry {
    var name: String
    var namePosition: SourcePosition
    var node: LocatedNode
}

/// The members of an object whose shape has been checked.
struct ObjectMembers {
    var position: SourcePosition
    var path: String
    var members: [JSONMember]
    /// Names of members that a route has from `defaults`.
    var inherited: Set<String> = []

    subscript(name: String) -> LocatedNode? {
        for member in members where member.name == name {
            let owner = inherited.contains(name) ? RouteDefaults.member : path
            return LocatedNode(node: member.node, path: LocatedNode.path(owner, member: name))
        }
        return nil
    }
}

extension JSONValue {
    /// What kind of value this is, for messages: "a string".
    var phrase: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
