import Core
import Crypto

@testable import Policy

/// Stored keys and users for tests.
enum DirectorySamples {
    static func key(
        _ id: String, secret: String, owner: String? = nil, _ change: (inout DirectoryKey) -> Void = { _ in }
    ) -> DirectoryKey {
        let digest = Sample.cryptography.sha256(secret.utf8.span)
        var key = DirectoryKey(
            id: id, subject: owner ?? "\(id)@store", owner: owner,
            secrets: [.init(digest: digest, notBefore: nil, expiresAt: nil)])
        change(&key)
        return key
    }

    static func user(_ id: String, _ change: (inout DirectoryUser) -> Void = { _ in }) -> DirectoryUser {
        var user = DirectoryUser(
            id: id, email: "\(id)@example.com", name: "User \(id)", scopes: [], isEnabled: true,
            tokensValidFrom: WallTime(seconds: 0), memberships: [])
        change(&user)
        return user
    }

    static func directory(
        _ keys: [DirectoryKey], users: [DirectoryUser] = [], of authenticator: String = "keys", isAvailable: Bool = true
    ) throws -> Directory {
        let users = Dictionary(uniqueKeysWithValues: users.map { ($0.id, $0) })
        return Directory(
            tables: [authenticator: try APIKeyTable.stored(keys, users: users)], users: users, isAvailable: isAvailable)
    }
}
