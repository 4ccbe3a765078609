import Core

/// The reading of one record: goes through all members and collects what is wrong with them.
struct APIKeyRecordReader {
    /// Members under which people put the key itself.
    private static let literalNames = ["key", "secret", "value", "api_key", "apikey", "token", "password"]

    let digestMember: APIKeyRecordParser.DigestMember
    let path: String
    private(set) var errors: [APIKeyRecordError] = []

    init(digestMember: APIKeyRecordParser.DigestMember, path: String) {
        self.digestMember = digestMember
        self.path = path
    }

    /// The record; worth nothing unless `errors` stays empty.
    mutating func record(_ node: JSONNode) -> APIKeyConfiguration? {
        guard case .object(let members) = node.value else {
            fail(.typeWrong, path, node, "a key record is an object, found \(node.value.kind)")
            return nil
        }
        checkNames(of: members, known: APIKeyRecordParser.memberNames, path: path)
        var id: String?
        if let node = node["id"] {
            id = name(node, "id", byteLimit: APIKeyBounds.idBytes)
        } else {
            fail(.memberMissing, path, node, "a key record needs \"id\"")
        }
        var subject = id
        if let node = node["subject"] {
            subject = name(node, "subject", byteLimit: APIKeyBounds.subjectBytes)
        }
        // A record without id is gone through all the same, so that everything wrong with it is told at once.
        var record = APIKeyConfiguration(
            id: id ?? "", subject: subject ?? "", secrets: secrets(of: node), position: node.position)
        if let node = node["scopes"] { record.scopes = scopes(node) }
        if let node = node["allow_ips"] { record.allowedAddresses = addresses(node) }
        if let node = node["limits"] { record.limits = limits(node) }
        if let node = node["realm"] { record.realm = realm(node) }
        if let node = node["enabled"] {
            if case .bool(let isEnabled) = node.value {
                record.isEnabled = isEnabled
            } else {
                failType("enabled", node, expected: "true or false")
            }
        }
        return record
    }

    // MARK: Secrets

    private mutating func secrets(of node: JSONNode) -> [APIKeyConfiguration.Secret] {
        let window = self.window(of: node, path: path)
        let single = digest(in: node, path: path)
        guard let list = node["secrets"] else {
            guard let single else {
                if node[digestMember.rawValue] == nil && node[digestMember.other.rawValue] == nil {
                    fail(
                        .memberMissing, path, node,
                        "a key record needs its digest in \"\(digestMember.rawValue)\" or \"secrets\"; \(Self.hint)")
                }
                return []
            }
            return [.init(digest: single, notBefore: window.notBefore, expiresAt: window.expiresAt)]
        }
        if single != nil {
            fail(
                .membersExclusive, joined(path, "secrets"), list,
                "give either \"\(digestMember.rawValue)\" or \"secrets\", not both")
        }
        var secrets: [APIKeyConfiguration.Secret] = []
        for (index, entry) in elements(list, "secrets", limit: APIKeyBounds.secrets).enumerated() {
            guard let secret = secret(entry, path: joined(path, "secrets[\(index)]"), within: window) else { continue }
            if secrets.contains(where: { $0.digest == secret.digest }) {
                fail(.valueDuplicate, joined(path, "secrets[\(index)]"), entry, "the same digest stands above")
            }
            secrets.append(secret)
        }
        return secrets
    }

    private mutating func secret(
        _ node: JSONNode, path: String, within window: Window
    ) -> APIKeyConfiguration.Secret? {
        guard case .object(let members) = node.value else {
            fail(.typeWrong, path, node, "expected an object with a digest, found \(node.value.kind)")
            return nil
        }
        checkNames(of: members, known: APIKeyRecordParser.secretMemberNames, path: path)
        let own = self.window(of: node, path: path)
        guard let digest = digest(in: node, path: path) else {
            if node[digestMember.rawValue] == nil && node[digestMember.other.rawValue] == nil {
                fail(.memberMissing, path, node, "a secret needs \"\(digestMember.rawValue)\"; \(Self.hint)")
            }
            return nil
        }
        let both = own.intersected(with: window)
        if own.isSound && window.isSound && !both.isSound {
            fail(.valueOutOfRange, path, node, "never valid within the record's not_before and expires_at")
        }
        return .init(digest: digest, notBefore: both.notBefore, expiresAt: both.expiresAt)
    }

    private mutating func digest(in node: JSONNode, path: String) -> Digest256? {
        if let wrong = node[digestMember.other.rawValue] {
            let reason = digestMember == .sha256 ? "has no pepper" : "has a pepper"
            fail(
                .membersExclusive, joined(path, digestMember.other.rawValue), wrong,
                "the authenticator \(reason), so the digest belongs in \"\(digestMember.rawValue)\"; \(Self.hint)")
        }
        guard let value = node[digestMember.rawValue] else { return nil }
        let path = joined(path, digestMember.rawValue)
        guard case .string(let text) = value.value else {
            fail(.typeWrong, path, value, "expected 64 hexadecimal digits, found \(value.value.kind)")
            return nil
        }
        guard let digest = Digest256(hex: text) else {
            // The text is not shown: it may be the key.
            fail(.secretLiteral, path, value, "not 64 hexadecimal digits; \(Self.hint)")
            return nil
        }
        return digest
    }

    private static let hint = "\"portcullis key hash\" makes it"

    // MARK: Times

    private struct Window {
        var notBefore: WallTime?
        var expiresAt: WallTime?

        var isSound: Bool {
            guard let notBefore, let expiresAt else { return true }
            return notBefore < expiresAt
        }

        func intersected(with other: Window) -> Window {
            Window(
                notBefore: [notBefore, other.notBefore].compactMap(\.self).max(),
                expiresAt: [expiresAt, other.expiresAt].compactMap(\.self).min())
        }
    }

    private mutating func window(of node: JSONNode, path: String) -> Window {
        var window = Window()
        if let value = node["not_before"] { window.notBefore = time(value, joined(path, "not_before")) }
        if let value = node["expires_at"] { window.expiresAt = time(value, joined(path, "expires_at")) }
        if !window.isSound { fail(.valueOutOfRange, path, node, "not_before must be earlier than expires_at") }
        return window
    }

    private mutating func time(_ node: JSONNode, _ path: String) -> WallTime? {
        guard case .string(let text) = node.value else {
            fail(.typeWrong, path, node, "expected a time, found \(node.value.kind)")
            return nil
        }
        guard let time = WallTime(rfc3339: text) else {
            fail(
                .valueUnknown, path, node,
                "\(quoted(text)) is not a time of RFC 3339, as in \"2027-01-01T00:00:00Z\"")
            return nil
        }
        return time
    }

    // MARK: Lists

    private mutating func scopes(_ node: JSONNode) -> [String] {
        var scopes: [String] = []
        var seen: Set<String> = []
        guard case .array(let nodes) = node.value else {
            failType("scopes", node, expected: "a list of strings")
            return []
        }
        if nodes.count > APIKeyBounds.scopes {
            fail(.valueOutOfRange, joined(path, "scopes"), node, "more than \(APIKeyBounds.scopes) scopes")
            return []
        }
        for (index, node) in nodes.enumerated() {
            let path = joined(path, "scopes[\(index)]")
            guard let text = string(node, path) else { continue }
            if !ScopeSet.isValidName(text.utf8.span) {
                fail(
                    .nameInvalid, path, node,
                    "\(quoted(text)) is not a scope: 1 to \(APIKeyBounds.scopeBytes) printable ASCII characters "
                        + "without space, quotation mark and backslash")
            } else if !seen.insert(text).inserted {
                fail(.valueDuplicate, path, node, "the scope \(quoted(text)) stands above")
            }
            scopes.append(text)
        }
        return scopes
    }

    private mutating func addresses(_ node: JSONNode) -> [CIDRBlock] {
        var blocks: [CIDRBlock] = []
        for (index, node) in elements(node, "allow_ips", limit: APIKeyBounds.addressBlocks).enumerated() {
            let path = joined(path, "allow_ips[\(index)]")
            guard let text = string(node, path) else { continue }
            do {
                blocks.append(try CIDRBlock.parse(text))
            } catch {
                fail(.addressInvalid, path, node, "\(quoted(text)): \(error.message)")
            }
        }
        return blocks
    }

    private mutating func limits(_ node: JSONNode) -> [Located<String>] {
        var limits: [Located<String>] = []
        for (index, node) in elements(node, "limits", limit: LimitList.capacity).enumerated() {
            let path = joined(path, "limits[\(index)]")
            guard let text = string(node, path) else { continue }
            if limits.contains(where: { $0.value == text }) {
                fail(.valueDuplicate, path, node, "the limit \(quoted(text)) stands above")
            }
            limits.append(Located(text, at: node.position, path: path))
        }
        return limits
    }

    /// The elements of a list that must not be empty.
    private mutating func elements(_ node: JSONNode, _ member: String, limit: Int) -> [JSONNode] {
        guard case .array(let nodes) = node.value else {
            failType(member, node, expected: "a list")
            return []
        }
        if nodes.isEmpty {
            fail(.valueEmpty, joined(path, member), node, "an empty list is ambiguous; leave the member out")
        }
        if nodes.count > limit {
            fail(.valueOutOfRange, joined(path, member), node, "more than \(limit) entries")
            return []
        }
        return nodes
    }

    // MARK: Strings and members

    /// An id or subject: what goes to logs and header fields.
    private mutating func name(_ node: JSONNode, _ member: String, byteLimit: Int) -> String? {
        let path = joined(path, member)
        guard let text = string(node, path) else { return nil }
        guard (1...byteLimit).contains(text.utf8.count) else {
            fail(.valueOutOfRange, path, node, "must have 1 to \(byteLimit) bytes, has \(text.utf8.count)")
            return nil
        }
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            fail(.nameInvalid, path, node, "\(quoted(text)) holds a control character")
            return nil
        }
        return text
    }

    private mutating func realm(_ node: JSONNode) -> String? {
        let path = joined(path, "realm")
        guard let text = string(node, path) else { return nil }
        guard RealmRule.isRealm(text.utf8.span) else {
            fail(.nameInvalid, path, node, "\(quoted(text)) is not a realm: 1 to 128 letters, digits, \"-\", \"_\" and \".\"")
            return nil
        }
        return text
    }

    private mutating func string(_ node: JSONNode, _ path: String) -> String? {
        if case .string(let text) = node.value { return text }
        fail(.typeWrong, path, node, "expected a string, found \(node.value.kind)")
        return nil
    }

    private mutating func checkNames(of members: [JSONMember], known: [String], path: String) {
        for member in members where !known.contains(member.name) {
            if Self.literalNames.contains(member.name.lowercased()) {
                errors.append(
                    APIKeyRecordError(
                        .secretLiteral, path: joined(path, member.name), position: member.namePosition,
                        message:
                            "a key is not kept in clear: put its digest in \"\(digestMember.rawValue)\"; \(Self.hint)"))
            } else {
                errors.append(
                    APIKeyRecordError(
                        .memberUnknown, path: path, position: member.namePosition,
                        message: "unknown member \(quoted(member.name))"
                            + Suggestion.phrase(for: member.name, among: known)))
            }
        }
    }

    private mutating func failType(_ member: String, _ node: JSONNode, expected: String) {
        fail(.typeWrong, joined(path, member), node, "expected \(expected), found \(node.value.kind)")
    }

    private mutating func fail(_ code: DiagnosticCode, _ path: String, _ node: JSONNode, _ message: String) {
        errors.append(APIKeyRecordError(code, path: path, position: node.position, message: message))
    }

    private func joined(_ path: String, _ member: String) -> String { path.isEmpty ? member : "\(path).\(member)" }
}

extension JSONValue {
    /// What a message calls a value of this type.
    fileprivate var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a truth value"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
