package import Core

/// The JSON object that holds a user's credential for an upstream, checked by its rule.
package struct CredentialDocument: Sendable {
    package let node: JSONNode
    /// How long the key is good from its making; nil when nothing is said.
    package let lifetime: Nanoseconds?
    /// There is a refresh token in it.
    package let isRefreshable: Bool

    init(node: JSONNode, lifetime: Nanoseconds?, isRefreshable: Bool) {
        self.node = node
        self.lifetime = lifetime
        self.isRefreshable = isRefreshable
    }

    /// Bytes of memory it takes, roughly. Linear in its parts.
    package var weight: Int { Self.weight(node) }

    private static func weight(_ node: JSONNode) -> Int {
        let own = MemoryLayout<JSONNode>.stride
        switch node.value {
        case .null, .bool: return own
        case .number(let number): return own + storage + number.text.utf8.count
        case .string(let text): return own + storage + text.utf8.count
        case .array(let elements): return own + storage + elements.reduce(0) { $0 + weight($1) }
        case .object(let members):
            let names = members.reduce(0) { $0 + MemoryLayout<JSONMember>.stride - own + storage + $1.name.utf8.count }
            return own + storage + names + members.reduce(0) { $0 + weight($1.node) }
        }
    }

    /// What storage of its own costs a text or a list.
    private static let storage = 32

    /// Compact JSON, as it is kept.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(json: node)
        return bytes
    }
}

/// What is wrong with a credential's document.
package enum CredentialDocumentFault: Error, Equatable, Sendable {
    case notJSON
    case notAnObject
    /// No key, or one that cannot stand in a field.
    case keyInvalid
    case refreshTokenInvalid
    case lifetimeInvalid
    case tooLarge

    /// One line for an operator, without anything of the document.
    package var message: String {
        switch self {
        case .notJSON: "not JSON"
        case .notAnObject: "not a JSON object"
        case .keyInvalid: "its key is missing, or not a text of visible ASCII characters"
        case .refreshTokenInvalid: "its refresh token is not a text of visible ASCII characters"
        case .lifetimeInvalid: "its lifetime is missing, or not a number of seconds above 0"
        case .tooLarge: "too large"
        }
    }
}
