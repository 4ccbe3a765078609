import Core

/// Reads a whole store. Used inside of one transaction, so that all of it is of one revision.
struct ContentsReader {
    let connection: Connection
    let encryptionKey: EncryptionKey?

    func contents() throws(StoreFault) -> StoreContents {
        var contents = StoreContents()
        contents.revision = try connection.integer("SELECT number FROM revision")
        contents.keys = try keys()
        contents.users = try users()
        contents.organizations = try all("SELECT id, slug, name FROM organizations ORDER BY id") { row in
            StoredOrganization(id: row.text(), slug: row.text(), name: row.text())
        }
        contents.projects = try all("SELECT id, organization, slug, name FROM projects ORDER BY id") { row in
            StoredProject(id: row.text(), organization: row.text(), slug: row.text(), name: row.text())
        }
        contents.memberships = try memberships()
        contents.signingKeys = try signingKeys()
        contents.tokenFamilies = try tokenFamilies()
        contents.upstreamCredentials = try upstreamCredentials()
        return contents
    }

    /// What `read` makes of each row.
    private func all<Record>(
        _ text: StaticString, _ read: (inout Row) throws(StoreFault) -> Record
    ) throws(StoreFault) -> [Record] {
        var records: [Record] = []
        try connection.statement(text).rows([]) { (row: inout Row) throws(StoreFault) in records.append(try read(&row)) }
        return records
    }

    private func keys() throws(StoreFault) -> [StoredKey] {
        var keys = try all(
            """
            SELECT id, authenticator, name, subject, owner, scopes, allowed_addresses, limits, realm, is_enabled, created_at
            FROM keys ORDER BY id
            """
        ) { (row: inout Row) throws(StoreFault) in
            StoredKey(
                id: row.text(), authenticator: row.text(), name: row.text(), subject: row.text(),
                owner: row.optionalText(), scopes: try TextList.decode(row.text()),
                allowedAddresses: try Self.blocks(row.text()), limits: try TextList.decode(row.text()),
                realm: row.optionalText(), isEnabled: row.bool(), createdAt: row.time(), secrets: [])
        }
        // Both lists are in the order of ids, so each secret belongs to the current key or to one that follows.
        var current = keys.startIndex
        let text: StaticString = "SELECT key, digest, created_at, expires_at FROM key_secrets ORDER BY key, place"
        try connection.statement(text).rows([]) { (row: inout Row) throws(StoreFault) in
            let key = row.text()
            let secret = StoredKey.Secret(
                digest: try row.digest(), createdAt: row.time(), expiresAt: row.optionalTime())
            while current < keys.endIndex, keys[current].id != key { current &+= 1 }
            guard current < keys.endIndex else { throw .unavailable("it is damaged: a secret without its key") }
            keys[current].secrets.append(secret)
        }
        return keys
    }

    private static func blocks(_ text: String) throws(StoreFault) -> [CIDRBlock] {
        var blocks: [CIDRBlock] = []
        for spelled in try TextList.decode(text) {
            // A block that cannot be read must not vanish: without blocks a key is good from everywhere.
            guard let block = CIDRBlock(spelled) else { throw .unavailable("it is damaged: \(spelled) is no address block") }
            blocks.append(block)
        }
        return blocks
    }

    private func users() throws(StoreFault) -> [StoredUser] {
        try all(
            """
            SELECT id, email, name, password_hash, scopes, is_enabled, created_at, tokens_valid_from
            FROM users ORDER BY id
            """
        ) { (row: inout Row) throws(StoreFault) in
            StoredUser(
                id: row.text(), email: row.text(), name: row.text(), passwordHash: row.optionalText(),
                scopes: try TextList.decode(row.text()), isEnabled: row.bool(), createdAt: row.time(),
                tokensValidFrom: row.time())
        }
    }

    private func memberships() throws(StoreFault) -> [StoredMembership] {
        try all(
            """
            SELECT user, organization, project, role FROM memberships
            ORDER BY user, organization, ifnull(project, '')
            """
        ) { row in
            let identity = StoredMembership.Identity(
                user: row.text(), organization: row.text(), project: row.optionalText())
            return StoredMembership(identity: identity, role: row.text())
        }
    }

    private func signingKeys() throws(StoreFault) -> [StoredSigningKey] {
        try all(
            """
            SELECT id, key_set, realm, algorithm, created_at, removed_at, sealed_material FROM signing_keys ORDER BY id
            """
        ) { (row: inout Row) throws(StoreFault) in
            let (id, keySet, realm) = (row.text(), row.text(), row.optionalText())
            guard let algorithm = SignatureAlgorithm(rawValue: row.text()) else {
                throw .unavailable("it is damaged: the algorithm of signing key \(id)")
            }
            var key = StoredSigningKey(
                id: id, keySet: keySet, realm: realm, algorithm: algorithm, material: [], createdAt: row.time(),
                removedAt: row.optionalTime())
            key.material = try open(row.blob(), for: SealedPlace.of(key), name: "signing key \(id)")
            return key
        }
    }

    private func tokenFamilies() throws(StoreFault) -> [TokenFamily] {
        try all(
            """
            SELECT id, issuer, subject, key, secret, realm, scopes, is_narrowed, addresses, lifetime, current, created_at,
                expires_at
            FROM token_families ORDER BY id
            """
        ) { (row: inout Row) throws(StoreFault) in
            TokenFamily(
                id: row.text(), issuer: row.text(), subject: row.text(), key: row.optionalText(),
                secret: try row.optionalDigest(), realm: row.optionalText(), scopes: try TextList.decode(row.text()),
                isNarrowed: row.bool(), addresses: try row.optionalTexts(), lifetime: row.optionalInteger(),
                current: try row.digest(), createdAt: row.time(), expiresAt: row.time())
        }
    }

    private func upstreamCredentials() throws(StoreFault) -> [StoredUpstreamCredential] {
        try all(
            """
            SELECT name, issuer, subject, issued_at, ends_at, expires_at, sealed_document FROM upstream_credentials
            ORDER BY name, issuer, subject
            """
        ) { (row: inout Row) throws(StoreFault) in
            let identity = StoredUpstreamCredential.Identity(
                name: row.text(), issuer: row.text(), subject: row.text())
            let signIn = SignInTime(issuedAt: row.integer(), endsAt: row.integer())
            let expiresAt = row.optionalTime()
            let document = try open(
                row.blob(), for: SealedPlace.of(identity), name: "stored credential \(identity.name) of \(identity.subject)")
            return StoredUpstreamCredential(
                identity: identity, signIn: signIn, document: document, expiresAt: expiresAt)
        }
    }

    private func open(_ sealed: [UInt8], for place: [String], name: String) throws(StoreFault) -> [UInt8] {
        guard let encryptionKey else { throw .missingKey }
        guard let bytes = encryptionKey.open(sealed, for: place) else {
            // The key may have been another process's first one since this one opened the store.
            try KeyCheck.verify(encryptionKey, connection)
            throw .unavailable("it is damaged: \(name) cannot be decrypted")
        }
        return bytes
    }
}

extension Row {
    fileprivate mutating func time() -> WallTime { WallTime(nanoseconds: integer()) }

    fileprivate mutating func optionalTime() -> WallTime? { optionalInteger().map(WallTime.init(nanoseconds:)) }

    fileprivate mutating func digest() throws(StoreFault) -> Digest256 {
        guard let digest = try optionalDigest() else { throw .unavailable("it is damaged: a digest") }
        return digest
    }

    fileprivate mutating func optionalTexts() throws(StoreFault) -> [String]? {
        guard let text = optionalText() else { return nil }
        return try TextList.decode(text)
    }

    fileprivate mutating func optionalDigest() throws(StoreFault) -> Digest256? {
        let bytes = blob()
        if bytes.isEmpty { return nil }
        guard let digest = Digest256(bytes: bytes.span) else { throw .unavailable("it is damaged: a digest") }
        return digest
    }
}
