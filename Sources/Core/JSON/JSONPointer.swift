/// An RFC 6901 pointer, taken apart once: `/realm_access/roles/0`. The empty pointer leads to the whole document.
package struct JSONPointer: Hashable, Sendable {
    private struct Token: Hashable, Sendable {
        var name: String
        /// The token as an array index: decimal digits without leading zeros (RFC 6901 §4).
        var index: Int?
    }

    /// The pointer as it was written.
    package let text: String
    private let tokens: [Token]

    /// Nil when the pointer neither is empty nor begins with "/", or when a "~" is not followed by 0 or 1.
    package init?(_ text: String) {
        self.text = text
        var tokens: [Token] = []
        if !text.isEmpty {
            var parts = text.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)[...]
            guard let beforeFirst = parts.popFirst(), beforeFirst.isEmpty else { return nil }
            for part in parts {
                guard let name = Self.unescaped(part) else { return nil }
                tokens.append(Token(name: name, index: Self.arrayIndex(part)))
            }
        }
        self.tokens = tokens
    }

    /// The names of the members on the way, from the top.
    package var names: [String] { tokens.map(\.name) }

    /// The node the pointer leads to from `node`; nil when there is none.
    package func resolve(in node: JSONNode) -> JSONNode? {
        var current = node
        for token in tokens {
            switch current.value {
            case .object:
                guard let member = current[token.name] else { return nil }
                current = member
            case .array(let elements):
                guard let index = token.index, index < elements.count else { return nil }
                current = elements[index]
            case .null, .bool, .number, .string: return nil
            }
        }
        return current
    }

    /// The document with a value where the pointer leads; objects that are missing on the way, or null, are made. Nil where the way
    /// leads through any other value, or beyond the end of an array.
    package func setting(_ value: JSONNode, in node: JSONNode) -> JSONNode? { Self.setting(value, at: tokens[...], in: node) }

    private static func setting(_ value: JSONNode, at tokens: ArraySlice<Token>, in node: JSONNode) -> JSONNode? {
        guard let token = tokens.first else { return value }
        let rest = tokens.dropFirst()
        let missing = JSONNode(.null, at: node.position)
        var changed = node
        switch node.value {
        case .object(var members):
            let place = members.firstIndex { $0.isNamed(token.name) }
            // Another name that reads the same would make a document that no parser takes.
            if place == nil, members.contains(where: { $0.name == token.name }) { return nil }
            guard let inner = setting(value, at: rest, in: place.map { members[$0].node } ?? missing) else { return nil }
            if let place {
                members[place].node = inner
            } else {
                members.append(JSONMember(name: token.name, namePosition: node.position, node: inner))
            }
            changed.value = .object(members)
        case .null:
            guard let inner = setting(value, at: rest, in: missing) else { return nil }
            changed.value = .object([JSONMember(name: token.name, namePosition: node.position, node: inner)])
        case .array(var elements):
            guard let index = token.index, index < elements.count, let inner = setting(value, at: rest, in: elements[index]) else {
                return nil
            }
            elements[index] = inner
            changed.value = .array(elements)
        case .bool, .number, .string: return nil
        }
        return changed
    }

    private static func unescaped(_ part: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var rest = part[...]
        while let byte = rest.popFirst() {
            if byte != 0x7E {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case 0x30: bytes.append(0x7E)
            case 0x31: bytes.append(0x2F)
            default: return nil
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func arrayIndex(_ part: Substring.UTF8View) -> Int? {
        guard let first = part.first, part.count == 1 || first != 0x30, part.allSatisfy(\.isDigit) else { return nil }
        return Int(Substring(part))
    }
}
