import Core

/// Where a secret is sealed: the table, the row, and what else of the row must not be exchanged.
enum SealedPlace {
    static func of(_ key: StoredSigningKey) -> [String] {
        ["signing_keys", key.id, key.keySet, key.algorithm.rawValue]
    }

    static func of(_ identity: StoredUpstreamCredential.Identity) -> [String] {
        ["upstream_credentials", identity.name, identity.issuer, identity.subject]
    }
}
