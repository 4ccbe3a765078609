import Core

/// What tests say of keys, tokens and users.
extension ConfigurationReader {
    /// The id of a key, or a key as the store would hold it.
    mutating func testKey(_ node: LocatedNode?) -> PolicyTestConfiguration.Key? {
        guard let node else { return nil }
        guard case .object = node.value else { return string(node, expected: "the id of a key, or a key").map { .named($0) } }
        guard let members = object(node, .testKey) else { return nil }
        var key = PolicyTestConfiguration.StoredKey(position: node.position, path: node.path)
        key.authenticator = reference(members["authenticator"], to: .authenticator)
        key.id = string(members["id"])?.value ?? key.id
        key.subject = string(members["subject"])?.value
        key.scopes = scopeNames(members["scopes"])
        key.allowedAddresses = filledBlocks(members["allow_ips"])
        for element in filledList(members["limits"], of: "limits") ?? [] {
            if let name = reference(element, to: .limit) { key.limits.append(name) }
        }
        key.realm = string(members["realm"])?.value
        key.expiresAt = testTime(members["expires_at"])
        key.isEnabled = boolean(members["enabled"]) ?? true
        return .stored(key)
    }

    mutating func testToken(_ node: LocatedNode?) -> PolicyTestConfiguration.Token? {
        guard let node, let members = object(node, .testToken) else { return nil }
        var token = PolicyTestConfiguration.Token()
        token.authenticator = reference(members["authenticator"], to: .authenticator)
        token.key = testKey(members["key"])
        for entry in map(members["claims"], of: "claims by name") {
            token.claims.append(
                JSONMember(name: entry.name, namePosition: entry.namePosition, node: entry.node.node))
        }
        token.algorithm = signatureAlgorithm(members["algorithm"])
        token.type = string(members["type"])?.value
        token.signature = choice(members["signature"], of: PolicyTestConfiguration.Token.Signature.self) ?? .good
        let span: ClosedRange<Nanoseconds> = 0...(.seconds(31_536_000))
        token.age = duration(members["age"], in: span) ?? token.age
        token.lifetime = duration(members["lifetime"], in: span) ?? token.lifetime
        return token
    }

    mutating func testUser(_ node: LocatedNode?) -> DirectoryUser? {
        guard let node, let members = object(node, .testUser) else { return nil }
        var user = DirectoryUser(
            id: string(members["id"])?.value ?? "test-user", email: string(members["email"])?.value ?? "test@example.com",
            name: string(members["name"])?.value ?? "", scopes: scopeNames(members["scopes"]),
            isEnabled: boolean(members["enabled"]) ?? true,
            tokensValidFrom: testTime(members["tokens_valid_from"]) ?? WallTime(seconds: 0), memberships: [])
        for element in list(members["memberships"], of: "memberships") ?? [] {
            guard let parts = object(element, .testMembership) else { continue }
            let project = string(parts["project"])?.value
            guard let organization = string(parts["organization"]), let role = string(parts["role"]) else { continue }
            user.memberships.append(
                DirectoryUser.Membership(organization: organization.value, project: project, role: role.value))
        }
        return user
    }

    private mutating func scopeNames(_ node: LocatedNode?) -> [String] {
        strings(node, of: "scopes").map { text in
            if !ScopeSet.isValidName(text.value.utf8.span) {
                report(.nameInvalid, at: text.position, path: text.path, "\(quoted(text.value)) is no scope")
            }
            return text.value
        }
    }
}
