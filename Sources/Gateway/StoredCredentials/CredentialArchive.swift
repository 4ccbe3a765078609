import Core
import Policy
import Store
import TokenService

/// Where credentials for upstreams survive the process. Calls return at once.
protocol CredentialArchive: Sendable {
    /// What is kept of a user's credential; nil when nothing is.
    func find(
        _ identity: StoredUpstreamCredential.Identity,
        completion: @escaping @Sendable (Result<StoredUpstreamCredential?, ActionRefusal>) -> Void)

    /// Keeps a credential unless one of a newer sign-in is kept; durable when `completion` hears of it.
    func keep(
        _ credential: StoredUpstreamCredential, completion: @escaping @Sendable (Result<Void, ActionRefusal>) -> Void)
}

extension Registry: CredentialArchive {
    func find(
        _ identity: StoredUpstreamCredential.Identity,
        completion: @escaping @Sendable (Result<StoredUpstreamCredential?, ActionRefusal>) -> Void
    ) {
        read(for: identity.requester, { index throws(ActionRefusal) in index.upstreamCredentials[identity] }, completion: completion)
    }

    func keep(
        _ credential: StoredUpstreamCredential, completion: @escaping @Sendable (Result<Void, ActionRefusal>) -> Void
    ) {
        change(
            for: credential.identity.requester,
            { index throws(ActionRefusal) in
                let before = index.upstreamCredentials[credential.identity]
                let isOlder = before.map { $0.signIn.isLater(than: credential.signIn) } ?? false
                if isOlder { return ([], ()) }
                let removals = before == nil ? Self.superfluous(index.upstreamCredentials.values) : []
                return (removals.map(StoreChange.removeUpstreamCredential) + [.putUpstreamCredential(credential)], ())
            }, completion: completion)
    }

    /// Whose are to go so that one more can be kept: where there are too many, a part of them whose keys ended first, since
    /// users who come are refreshed.
    static func superfluous(
        _ kept: some Collection<StoredUpstreamCredential>, limit: Int = FixedBounds.keptCredentials
    ) -> [StoredUpstreamCredential.Identity] {
        guard kept.count >= limit else { return [] }
        let ends = kept.map { one in
            (one.expiresAt ?? WallTime(seconds: max(one.signIn.issuedAt, one.signIn.endsAt)), one.identity)
        }
        // A part, so that not every new user has all of them sorted.
        return ends.sorted { $0.0 < $1.0 }.prefix(kept.count - limit + 1 + limit / 64).map(\.1)
    }
}

extension StoredUpstreamCredential.Identity {
    /// The user whose credential it is.
    fileprivate var requester: Requester { .caller("subject \(subject)") }
}
