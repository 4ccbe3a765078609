package import Core

extension Snapshot {
    /// What is kept of a new key of an authenticator that takes stored keys; of another one the plain SHA-256, which opens nothing.
    package func storedKeyDigest(_ key: Span<UInt8>, of authenticator: String) -> Digest256 {
        guard let rules = storedKeys.first(where: { $0.name == authenticator }) else { return cryptography.sha256(key) }
        return rules.digest(key)
    }
}
