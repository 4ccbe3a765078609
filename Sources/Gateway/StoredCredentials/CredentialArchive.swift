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
        read({ index throws(ActionRefusal) in index.upstreamCredentials[identity] }, completion: completion)
    }

    func keep(
        _ credential: StoredUpstreamCredential, completion: @escaping @Sendable (Result<Void, ActionRefusal>) -> Void
    ) {
        change(
            { index throws(ActionRefusal) in
                let before = index.upstreamCredentials[credential.identity]
                let isOlder = before.map { $0.issuedAt > credential.issuedAt } ?? false
                return (isOlder ? [] : [.putUpstreamCredential(credential)], ())
            }, completion: completion)
    }
}
