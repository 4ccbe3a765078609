/// A value that the claims of a new token, or the answer that brings it, are made from.
package enum TokenPlaceholder: String, Sendable, CaseIterable {
    /// The token in compact form, and its payload as an object: of answers only.
    case token
    case claims
    /// The refresh token that came with it, and the seconds it is good for: of answers only.
    case refreshToken = "refresh_token"
    case refreshExpiresIn = "refresh_expires_in"
    /// Seconds from now to the token's end; both names mean the same.
    case lifetime
    case expiresIn = "expires_in"
    /// Unix seconds.
    case expiresAt = "expires_at"
    case issuedAt = "issued_at"
    /// A random UUID.
    case tokenID = "token_id"
    /// What the secret of the API key behind the token is named by.
    case family
    /// The id of that key.
    case key
    case subject
    /// The scopes, separated by spaces.
    case scopes
    /// The addresses the token may be used from, a list of strings.
    case addresses
    /// Whether the token may be used to get another one.
    case renewable
    /// Of the user behind the token.
    case email
    case name
    case realm
    case clientIP = "client_ip"

    /// It exists only once the token is made.
    package var belongsToAnswer: Bool {
        switch self {
        case .token, .claims, .refreshToken, .refreshExpiresIn: true
        case .lifetime, .expiresIn, .expiresAt, .issuedAt, .tokenID, .family, .key, .subject, .scopes, .addresses,
            .renewable, .email, .name, .realm, .clientIP:
            false
        }
    }
}
