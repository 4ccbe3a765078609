package import Core

/// A token whose signature and claims were found good: what the gateway knows of its bearer. Immutable, shared by the
/// requests that show the same token.
///
/// `issuer`, `subject`, `id` and `scopes` hold no control characters.
package final class VerifiedToken: Sendable {
    /// Name of the authenticator that verified it.
    package let authenticator: String
    /// The payload, a JSON object.
    package let claims: JSONNode
    package let issuer: String?
    /// The configured subject claim.
    package let subject: String?
    /// The `jti` claim.
    package let id: String?
    package let scopes: [String]
    /// The addresses the token may be used from: nil without such a claim, and then from everywhere. An empty set
    /// allows none.
    package let addresses: AddressSet?
    /// The `exp` claim, `.distantFuture` without one.
    package let expiresAt: WallTime
    /// The token is good from here, leeway included, …
    package let usableFrom: WallTime
    /// … and until just before here.
    package let usableUntil: WallTime
    package let keySet: KeySetCell
    /// The cell's generation whose key verified the token. Another generation now means: verify again.
    package let keySetGeneration: UInt64
    /// SHA-256 of the token, for logs (the first bytes of it) and revocation.
    package let digest: Digest256
    /// The compact form as received.
    package let bytes: [UInt8]

    init(
        authenticator: String, claims: JSONNode, identity: TokenIdentity, lifetime: TokenLifetime, keySet: KeySetCell,
        keySetGeneration: UInt64, digest: Digest256, bytes: [UInt8]
    ) {
        self.authenticator = authenticator
        self.claims = claims
        issuer = identity.issuer
        subject = identity.subject
        id = identity.id
        scopes = identity.scopes
        addresses = identity.addresses
        expiresAt = lifetime.expiresAt
        usableFrom = lifetime.usableFrom
        usableUntil = lifetime.usableUntil
        self.keySet = keySet
        self.keySetGeneration = keySetGeneration
        self.digest = digest
        self.bytes = bytes
    }

    /// True while the token may be used without being verified again: in its time, under the keys it was verified with.
    @inlinable
    package func isCurrent(_ now: ClockReading) -> Bool {
        now.wall >= usableFrom && now.wall < usableUntil && keySet.isCurrent(keySetGeneration, now: now.instant)
    }
}
