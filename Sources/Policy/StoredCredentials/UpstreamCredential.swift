package import Core

/// What is shown to an upstream for one user. Immutable: a refresh makes another one.
package final class UpstreamCredential: Sendable {
    package let document: CredentialDocument
    /// `iat` of the token that brought it, or the pair it was refreshed from; Unix seconds, 0 without one.
    package let issuedAt: Int64
    /// When the key ends; nil when nobody says.
    package let expiresAt: WallTime?
    /// When the gateway got it.
    package let obtainedAt: Instant

    package init(document: CredentialDocument, issuedAt: Int64, expiresAt: WallTime?, obtainedAt: Instant) {
        self.document = document
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.obtainedAt = obtainedAt
    }

    /// The key is good at a time, as far as is known.
    package func isGood(at time: WallTime) -> Bool { expiresAt.map { time < $0 } ?? true }
}
