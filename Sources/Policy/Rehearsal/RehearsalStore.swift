import Core

/// What a test supposes the store to hold: keys that it describes, and the user they belong to.
struct RehearsalStore {
    private let user: DirectoryUser?
    private var keys: [String: [DirectoryKey]] = [:]
    private var count: UInt64 = 0

    init(user: DirectoryUser?) { self.user = user }

    var isEmpty: Bool { user == nil && keys.isEmpty }

    /// Adds a key; the digest of its secret.
    mutating func add(_ key: PolicyTestConfiguration.StoredKey, of authenticator: String) -> Digest256 {
        count += 1
        // Nobody knows a secret that has it. Its first half names the key's family.
        let digest = Digest256(count &* 0x9E37_79B9_7F4A_7C15, 0x6973_2074_6573_7400, 0x706F_7274_6375_6C6C, count)
        let secret = APIKeyConfiguration.Secret(digest: digest, notBefore: nil, expiresAt: key.expiresAt)
        let owner = key.subject == nil ? user?.id : nil
        keys[authenticator, default: []].append(
            DirectoryKey(
                id: count == 1 ? key.id : "\(key.id)-\(count)", subject: key.subject ?? user?.id ?? key.id, owner: owner,
                secrets: [secret], scopes: key.scopes, allowedAddresses: key.allowedAddresses,
                limits: key.limits.map(\.value), realm: key.realm, isEnabled: key.isEnabled))
        return digest
    }

    func directory(for test: PolicyTestConfiguration) throws(RehearsalFault) -> Directory {
        var users: [String: DirectoryUser] = [:]
        if var user {
            if user.scopes.isEmpty { user.scopes = Array(Set(keys.values.joined().flatMap(\.scopes))) }
            users[user.id] = user
        }
        var tables: [String: APIKeyTable] = [:]
        for (name, keys) in keys {
            do throws(APIKeyTableError) { tables[name] = try APIKeyTable.stored(keys, users: users) } catch {
                throw RehearsalFault("key", "a key that can be stored", error.message, at: test.position)
            }
        }
        return Directory(tables: tables, users: users)
    }
}
