package import Core

/// Somebody who signs in.
package struct StoredUser: Sendable, Equatable {
    package var id: String
    /// Lower case; no two users share one.
    package var email: String
    package var name: String
    /// The encoded password hash, cost and salt in it (`$scrypt$…`); nil for a user who cannot sign in by password.
    package var passwordHash: String?
    package var scopes: [String]
    package var isEnabled: Bool
    package var createdAt: WallTime
    /// Tokens issued before are refused: the password was changed, or the user was signed out everywhere.
    package var tokensValidFrom: WallTime

    package init(
        id: String, email: String, name: String, passwordHash: String?, scopes: [String] = [], isEnabled: Bool = true,
        createdAt: WallTime, tokensValidFrom: WallTime
    ) {
        self.id = id
        self.email = email
        self.name = name
        self.passwordHash = passwordHash
        self.scopes = scopes
        self.isEnabled = isEnabled
        self.createdAt = createdAt
        self.tokensValidFrom = tokensValidFrom
    }
}
