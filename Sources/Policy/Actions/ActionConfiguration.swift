/// What the gateway does itself with the requests of a route, in place of forwarding them. The route's policy decides
/// first, as for every other route.
package enum ActionConfiguration: Sendable {
    /// A new token for the caller: `mint_token`.
    case mintToken(MintTokenConfiguration)
    /// A new token for a token or a refresh token: `refresh_token`.
    case refreshToken(RefreshTokenConfiguration)
    /// A token for an e-mail address and a password: `login`.
    case login(LoginConfiguration)
    /// Keys, users, organisations and memberships kept in the store: `manage`.
    case manage(ManagementConfiguration)
    /// The public keys of a key set as a JWKS document: `publish_keys`.
    case publishKeys(PublishKeysConfiguration)
    /// Nothing, as if there were no route; no request is let through: `not_found`.
    case notFound

    /// How it makes tokens; nil where it makes none.
    package var terms: TokenTerms? {
        switch self {
        case .mintToken(let mint): mint.terms
        case .refreshToken(let refresh): refresh.terms
        case .login(let login): login.terms
        case .manage, .publishKeys, .notFound: nil
        }
    }

    /// Requests are answered as if there were no route.
    package var isNotFound: Bool {
        if case .notFound = self { true } else { false }
    }

    /// Not every path and method that a route with it matches is served.
    package var isPartial: Bool {
        switch self {
        case .manage, .notFound: true
        case .mintToken, .refreshToken, .login, .publishKeys: false
        }
    }

    /// Name of the key set it signs with, publishes or manages.
    package var keySet: Located<String>? {
        switch self {
        case .mintToken(let mint): mint.terms.keySet
        case .refreshToken(let refresh): refresh.terms.keySet
        case .login(let login): login.terms.keySet
        case .publishKeys(let publication): publication.keySet
        case .manage(let management): management.keySet
        case .notFound: nil
        }
    }
}
