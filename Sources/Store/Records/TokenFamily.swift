package import Core

/// The refresh tokens that follow from one sign-in, one after the other: each is used once, and one used twice ends the
/// family (RFC 9700 §4.14.2).
package struct TokenFamily: Sendable, Equatable {
    /// What a family ends with.
    package enum Parent: Sendable, Hashable {
        /// The key it was begun with, by its id.
        case key(String)
        /// The user who signed in, by the id.
        case user(String)
    }

    package var id: String
    /// Name of the action that began it, as routes name it.
    package var issuer: String
    /// Whom its tokens stand for: a user's id, or a key's subject.
    package var subject: String
    /// The key it was begun with; nil for a sign-in by password.
    package var key: String?
    /// The digest of the key's secret that was shown; its tokens end with that secret. Nil for a sign-in by password.
    package var secret: Digest256?
    /// The realm it was begun in, where alone its tokens are good; nil for none.
    package var realm: String?
    package var scopes: [String]
    /// The scopes were asked for: no token of it may come with all that the credential behind it has.
    package var isNarrowed: Bool
    /// The addresses its tokens may be used from, in network notation; nil for every address.
    package var addresses: [String]?
    /// Seconds that each token is good for at most, where fewer were asked for; nil where nothing was.
    package var lifetime: Int64?
    /// SHA-256 of the one refresh token that is good now.
    package var current: Digest256
    package var createdAt: WallTime
    /// When the current refresh token ends.
    package var expiresAt: WallTime

    package var parent: Parent { key.map { .key($0) } ?? .user(subject) }

    package init(
        id: String, issuer: String, subject: String, key: String?, secret: Digest256? = nil, realm: String? = nil,
        scopes: [String], isNarrowed: Bool = false, addresses: [String]? = nil, lifetime: Int64? = nil,
        current: Digest256, createdAt: WallTime, expiresAt: WallTime
    ) {
        self.id = id
        self.issuer = issuer
        self.subject = subject
        self.key = key
        self.secret = secret
        self.realm = realm
        self.scopes = scopes
        self.isNarrowed = isNarrowed
        self.addresses = addresses
        self.lifetime = lifetime
        self.current = current
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}
