package import Core

/// What is shown to an upstream for one user. Immutable: a refresh makes another one.
package final class UpstreamCredential: Sendable {
    package let document: CredentialDocument
    /// When the sign-in was that brought it, or the pair it was refreshed from.
    package let signIn: SignInTime
    /// When the key ends; nil when nobody says.
    package let expiresAt: WallTime?
    /// When the gateway got it.
    package let obtainedAt: Instant

    package init(document: CredentialDocument, signIn: SignInTime, expiresAt: WallTime?, obtainedAt: Instant) {
        self.document = document
        self.signIn = signIn
        self.expiresAt = expiresAt
        self.obtainedAt = obtainedAt
    }

    /// The same, in the place of what was kept before.
    package func following(_ kept: UpstreamCredential) -> UpstreamCredential {
        UpstreamCredential(
            document: document, signIn: signIn.following(kept.signIn), expiresAt: expiresAt, obtainedAt: obtainedAt)
    }

    /// The key is good at a time, as far as is known.
    package func isGood(at time: WallTime) -> Bool { expiresAt.map { time < $0 } ?? true }
}
