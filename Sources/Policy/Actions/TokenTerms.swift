package import Core

/// How an action makes tokens: what signs them, how long they last, what stands in them and in the answer.
package struct TokenTerms: Sendable {
    /// Name of the stored key set that signs.
    package var keySet: Located<String>
    /// Nil takes the algorithm of the newest key.
    package var algorithm: SignatureAlgorithm?
    /// The header names the key.
    package var namesKey = true
    package var lifetime: Nanoseconds = .seconds(3600)
    /// What callers may ask for at most; nil for no bound but that of a token they show.
    package var maximumLifetime: Nanoseconds?
    package var claims: TokenTemplate
    package var answer: TokenTemplate
    /// Nil gives none.
    package var refreshTokens: RefreshTokenTerms?

    /// Tokens or answers tell of the user behind the caller.
    package var mentionsUser: Bool {
        [TokenPlaceholder.email, .name].contains { claims.mentions($0) || answer.mentions($0) }
    }

    package init(keySet: Located<String>, claims: TokenTemplate, answer: TokenTemplate) {
        self.keySet = keySet
        self.claims = claims
        self.answer = answer
    }
}

/// Opaque refresh tokens that come with tokens: each is used once.
package struct RefreshTokenTerms: Sendable {
    /// Of each; the next one begins anew.
    package var lifetime: Nanoseconds
    /// From the sign-in to the end of the last one; nil for no end.
    package var familyLifetime: Nanoseconds?

    package init(lifetime: Nanoseconds, familyLifetime: Nanoseconds?) {
        self.lifetime = lifetime
        self.familyLifetime = familyLifetime
    }
}

/// What callers may say about the addresses that a new token may be used from.
package struct TokenAddressTerms: Sendable {
    /// Addresses and networks that a token names at most: more are not read.
    package static let claimLimit = TokenIdentity.addressLimit

    /// Tokens are bound to the address that asks, unless the caller says otherwise.
    package var isProtected = true
    /// Addresses and networks in one list.
    package var valueLimit = 10
    /// Addresses that a list covers: each of IPv4 once, each /64 of IPv6 as one.
    package var addressLimit: UInt64 = 10_000

    package init() {}
}
