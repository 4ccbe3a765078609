package import Core

/// An API key that the gateway has made. The key itself is not kept, only digests of its secrets.
package struct StoredKey: Sendable, Equatable {
    /// One secret that opens the key; two during a rotation with overlap.
    package struct Secret: Sendable, Equatable {
        /// As the authenticator makes it: SHA-256, or HMAC-SHA-256 with its pepper.
        package var digest: Digest256
        package var createdAt: WallTime
        package var expiresAt: WallTime?

        package init(digest: Digest256, createdAt: WallTime, expiresAt: WallTime? = nil) {
            self.digest = digest
            self.createdAt = createdAt
            self.expiresAt = expiresAt
        }
    }

    package var id: String
    /// Name of the authenticator that takes it.
    package var authenticator: String
    /// What its maker calls it.
    package var name: String
    /// Whom it stands for: a user's id where it has an owner.
    package var subject: String
    /// The user who made it, whose memberships and scopes bound what it may do; nil for a key of nobody in particular.
    package var owner: String?
    package var scopes: [String]
    /// Empty allows every address.
    package var allowedAddresses: [CIDRBlock]
    /// Limits that replace a route's.
    package var limits: [String]
    /// The realm it is locked to.
    package var realm: String?
    package var isEnabled: Bool
    package var createdAt: WallTime
    package var secrets: [Secret]

    package init(
        id: String, authenticator: String, name: String, subject: String, owner: String? = nil, scopes: [String] = [],
        allowedAddresses: [CIDRBlock] = [], limits: [String] = [], realm: String? = nil, isEnabled: Bool = true,
        createdAt: WallTime, secrets: [Secret]
    ) {
        self.id = id
        self.authenticator = authenticator
        self.name = name
        self.subject = subject
        self.owner = owner
        self.scopes = scopes
        self.allowedAddresses = allowedAddresses
        self.limits = limits
        self.realm = realm
        self.isEnabled = isEnabled
        self.createdAt = createdAt
        self.secrets = secrets
    }
}

/// How often and when a key was used.
package struct KeyUsage: Sendable, Equatable {
    /// The key's id.
    package var key: String
    /// Requests let in with it. When recorded: since the last time.
    package var count: Int64
    package var lastUsedAt: WallTime

    package init(key: String, count: Int64, lastUsedAt: WallTime) {
        self.key = key
        self.count = count
        self.lastUsedAt = lastUsedAt
    }
}
