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
    /// The configured subject claim; of a derived token the parent's subject.
    package let subject: String?
    /// The `jti` claim.
    package let id: String?
    /// Of a derived token those of its parent, or of its own as many as its parent has.
    package let scopes: [String]
    /// The addresses the token names: nil without such a claim, and then every one. An empty set allows none. Those of
    /// the parent hold besides.
    package let addresses: AddressSet?
    /// The `exp` claim, `.distantFuture` without one; the parent's end when that comes first.
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
    /// What it lives and dies with; nil for a token that stands by itself.
    package let parent: TokenParent?
    /// The realm whose key signed it: there it is good and nowhere else. Nil where keys are not kept by realms.
    package let realm: String?

    init(
        authenticator: String, claims: JSONNode, identity: TokenIdentity, lifetime: TokenLifetime, keySet: KeySetCell,
        keySetGeneration: UInt64, digest: Digest256, bytes: [UInt8],
        parent: TokenParent? = nil, realm: String? = nil
    ) {
        self.authenticator = authenticator
        self.claims = claims
        issuer = identity.issuer
        subject = parent.map(\.subject) ?? identity.subject
        id = identity.id
        if let parent {
            let granted = parent.scopes
            scopes = identity.scopes.map { $0.filter(granted.containsExactly) } ?? granted
        } else {
            scopes = identity.scopes ?? []
        }
        addresses = identity.addresses
        let end = parent?.expiresAt ?? .distantFuture
        expiresAt = min(lifetime.expiresAt, end)
        usableFrom = lifetime.usableFrom
        usableUntil = min(lifetime.usableUntil, end)
        self.keySet = keySet
        self.keySetGeneration = keySetGeneration
        self.digest = digest
        self.bytes = bytes
        self.parent = parent
        self.realm = realm
    }

    /// It may be used from this address.
    func admits(_ address: IPAddress) -> Bool {
        (addresses?.contains(address) ?? true) && (parent?.admits(address) ?? true)
    }

    /// True while the token may be used without being verified again: in its time, under the keys it was verified with.
    @inlinable
    package func isCurrent(_ now: ClockReading) -> Bool {
        now.wall >= usableFrom && now.wall < usableUntil && keySet.isCurrent(keySetGeneration, now: now.instant)
    }
}
