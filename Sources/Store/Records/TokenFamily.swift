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
    package var scopes: [String]
    /// SHA-256 of the one refresh token that is good now.
    package var current: Digest256
    package var createdAt: WallTime
    /// When the current refresh token ends.
    package var expiresAt: WallTime

    package var parent: Parent { key.map { .key($0) } ?? .user(subject) }

    package init(
        id: String, issuer: String, subject: String, key: String?, scopes: [String], current: Digest256,
        createdAt: WallTime, expiresAt: WallTime
    ) {
        self.id = id
        self.issuer = issuer
        self.subject = subject
        self.key = key
        self.scopes = scopes
        self.current = current
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}
