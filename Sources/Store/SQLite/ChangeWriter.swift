import Core

/// Writes changes into a store. Used inside of one transaction.
struct ChangeWriter {
    let connection: Connection
    let encryptionKey: EncryptionKey?

    func write(_ change: StoreChange) throws(StoreFault) {
        switch change {
        case .putKey(let key): try put(key)
        case .removeKey(let id):
            // Its secrets go by the foreign key.
            try connection.run("DELETE FROM keys WHERE id = ?", .text(id))
            try connection.run("DELETE FROM key_usage WHERE key = ?", .text(id))
            try connection.run("DELETE FROM token_families WHERE key = ?", .text(id))
        case .putUser(let user): try put(user)
        case .removeUser(let id): try removeUser(id)
        case .putOrganization(let organization):
            try connection.run(
                """
                INSERT INTO organizations (id, slug, name) VALUES (?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, name = excluded.name
                """, .text(organization.id), .text(organization.slug), .text(organization.name))
        case .removeOrganization(let id): try connection.run("DELETE FROM organizations WHERE id = ?", .text(id))
        case .putProject(let project): try put(project)
        case .removeProject(let id): try connection.run("DELETE FROM projects WHERE id = ?", .text(id))
        case .putMembership(let membership):
            try remove(membership.identity)
            try connection.run(
                "INSERT INTO memberships (user, organization, project, role) VALUES (?, ?, ?, ?)",
                .text(membership.identity.user), .text(membership.identity.organization),
                .optional(membership.identity.project), .text(membership.role))
        case .removeMembership(let identity): try remove(identity)
        case .putSigningKey(let key): try put(key)
        case .removeSigningKey(let id): try connection.run("DELETE FROM signing_keys WHERE id = ?", .text(id))
        case .putTokenFamily(let family): try put(family)
        case .removeTokenFamily(let id): try connection.run("DELETE FROM token_families WHERE id = ?", .text(id))
        case .putUpstreamCredential(let credential): try put(credential)
        case .removeUpstreamCredential(let identity):
            try connection.run(
                "DELETE FROM upstream_credentials WHERE name = ? AND issuer = ? AND subject = ?",
                .text(identity.name), .text(identity.issuer), .text(identity.subject))
        }
    }

    private func put(_ key: StoredKey) throws(StoreFault) {
        try connection.run(
            """
            INSERT INTO keys (id, authenticator, name, subject, owner, scopes, allowed_addresses, limits, realm, is_enabled,
                created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET authenticator = excluded.authenticator, name = excluded.name,
                subject = excluded.subject, owner = excluded.owner, scopes = excluded.scopes,
                allowed_addresses = excluded.allowed_addresses, limits = excluded.limits, realm = excluded.realm,
                is_enabled = excluded.is_enabled, created_at = excluded.created_at
            """, .text(key.id), .text(key.authenticator), .text(key.name), .text(key.subject), .optional(key.owner),
            TextList.encode(key.scopes), TextList.encode(key.allowedAddresses.map(\.description)),
            TextList.encode(key.limits), .optional(key.realm), .bool(key.isEnabled), key.createdAt.column)
        try connection.run("DELETE FROM key_secrets WHERE key = ?", .text(key.id))
        for (place, secret) in key.secrets.enumerated() {
            try connection.run(
                "INSERT INTO key_secrets (key, place, digest, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
                .text(key.id), .integer(Int64(place)), .blob(secret.digest.bytes), secret.createdAt.column,
                .optional(secret.expiresAt?.nanoseconds))
        }
    }

    private func put(_ user: StoredUser) throws(StoreFault) {
        try connection.run(
            """
            INSERT INTO users (id, email, name, password_hash, scopes, is_enabled, created_at, tokens_valid_from)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name,
                password_hash = excluded.password_hash, scopes = excluded.scopes, is_enabled = excluded.is_enabled,
                created_at = excluded.created_at, tokens_valid_from = excluded.tokens_valid_from
            """, .text(user.id), .text(user.email), .text(user.name), .optional(user.passwordHash),
            TextList.encode(user.scopes), .bool(user.isEnabled), user.createdAt.column, user.tokensValidFrom.column)
    }

    /// Families name keys and subjects of the policy file too, so no foreign key takes them away.
    private func removeUser(_ id: String) throws(StoreFault) {
        try connection.run(
            "DELETE FROM token_families WHERE subject = ?1 OR key IN (SELECT id FROM keys WHERE owner = ?1)", .text(id))
        try connection.run("DELETE FROM key_usage WHERE key IN (SELECT id FROM keys WHERE owner = ?)", .text(id))
        try connection.run("DELETE FROM users WHERE id = ?", .text(id))
    }

    private func put(_ project: StoredProject) throws(StoreFault) {
        try connection.run(
            """
            INSERT INTO projects (id, organization, slug, name) VALUES (?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET organization = excluded.organization, slug = excluded.slug, name = excluded.name
            """, .text(project.id), .text(project.organization), .text(project.slug), .text(project.name))
    }

    private func remove(_ identity: StoredMembership.Identity) throws(StoreFault) {
        try connection.run(
            "DELETE FROM memberships WHERE user = ? AND organization = ? AND project IS ?", .text(identity.user),
            .text(identity.organization), .optional(identity.project))
    }

    private func put(_ key: StoredSigningKey) throws(StoreFault) {
        try connection.run(
            """
            INSERT INTO signing_keys (id, key_set, realm, algorithm, sealed_material, created_at, removed_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET key_set = excluded.key_set, realm = excluded.realm,
                algorithm = excluded.algorithm, sealed_material = excluded.sealed_material,
                created_at = excluded.created_at, removed_at = excluded.removed_at
            """, .text(key.id), .text(key.keySet), .optional(key.realm), .text(key.algorithm.rawValue),
            .blob(try seal(key.material, for: SealedPlace.of(key))), key.createdAt.column,
            .optional(key.removedAt?.nanoseconds))
    }

    private func put(_ family: TokenFamily) throws(StoreFault) {
        try connection.run(
            """
            INSERT INTO token_families (id, issuer, subject, key, secret, realm, scopes, is_narrowed, addresses, lifetime,
                current, created_at, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET issuer = excluded.issuer, subject = excluded.subject, key = excluded.key,
                secret = excluded.secret, realm = excluded.realm, scopes = excluded.scopes,
                is_narrowed = excluded.is_narrowed, addresses = excluded.addresses, lifetime = excluded.lifetime,
                current = excluded.current, created_at = excluded.created_at, expires_at = excluded.expires_at
            """, .text(family.id), .text(family.issuer), .text(family.subject), .optional(family.key),
            family.secret.map { .blob($0.bytes) } ?? .null, .optional(family.realm), TextList.encode(family.scopes),
            .bool(family.isNarrowed), family.addresses.map(TextList.encode) ?? .null, .optional(family.lifetime),
            .blob(family.current.bytes), family.createdAt.column, family.expiresAt.column)
    }

    private func put(_ credential: StoredUpstreamCredential) throws(StoreFault) {
        let identity = credential.identity
        try connection.run(
            """
            INSERT INTO upstream_credentials (name, issuer, subject, issued_at, ends_at, sealed_document, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (name, issuer, subject) DO UPDATE SET issued_at = excluded.issued_at,
                ends_at = excluded.ends_at, sealed_document = excluded.sealed_document, expires_at = excluded.expires_at
            """, .text(identity.name), .text(identity.issuer), .text(identity.subject),
            .integer(credential.signIn.issuedAt), .integer(credential.signIn.endsAt),
            .blob(try seal(credential.document, for: SealedPlace.of(identity))),
            .optional(credential.expiresAt?.nanoseconds))
    }

    private func seal(_ bytes: [UInt8], for place: [String]) throws(StoreFault) -> [UInt8] {
        guard let encryptionKey else { throw .missingKey }
        try KeyCheck.establish(encryptionKey, connection)
        return try encryptionKey.seal(bytes, for: place)
    }
}

extension WallTime {
    fileprivate var column: SQLValue { .integer(nanoseconds) }
}
