package import Core

/// What actions know of whoever asks for them.
extension Identity {
    /// Whom the credential stands for; nil for nobody. Of stored keys with an owner, and of tokens derived from users,
    /// the user's id.
    package var subject: String? { text { appendSubject(.exact, to: &$0) } }

    /// The key's id, or the token's `jti`.
    package var credentialID: String? { text { appendCredential(.exact, to: &$0) } }

    /// The id of the API key: the one that was shown, or the one that the shown token was made with.
    package var keyID: String? {
        guard let (record, authenticator) = key else { return nil }
        return text {
            authenticator.table.appendID(of: record, to: &$0)
            return true
        }
    }

    /// What tokens made with the key name it by: of the secret that was shown, or that the shown token descends from.
    package var family: KeyFamily? { key.map { KeyFamily($0.authenticator.table.digest(of: $0.record)) } }

    /// The name of the authenticator of `keyID`.
    package var keyAuthenticator: String? { key?.authenticator.name }

    /// `keyID` is a key of the store.
    package var isStoredKey: Bool { key?.authenticator.isStored ?? false }

    /// When the key's secret ends; nil when it does not.
    package var keyExpiresAt: WallTime? { key.flatMap { $0.authenticator.table.expiry(of: $0.record) } }

    /// The realm whose key signed the token, or that the API key is locked to, also that behind the token; the two never
    /// differ (see `JWTVerifier`).
    package var lockedRealm: String? {
        token?.realm ?? key.flatMap { $0.authenticator.table.realm(of: $0.record) }
    }

    /// What the caller may do.
    package var scopes: [String] {
        switch self {
        case .anonymous: []
        case .apiKey(let record, let authenticator): authenticator.table.scopes(of: record).strings
        case .token(let token): token.scopes
        case .certificate(let identity): identity.scopes.strings
        }
    }

    private var key: (record: APIKeyTable.Record, authenticator: KeyAuthenticator)? {
        switch self {
        case .anonymous, .certificate: return nil
        case .apiKey(let record, let authenticator): return (record, authenticator)
        case .token(let token):
            switch token.parent {
            case .key(let record, let authenticator): return (record, authenticator)
            case .user, nil: return nil
            }
        }
    }

    private func text(_ append: (inout [UInt8]) -> Bool) -> String? {
        var bytes: [UInt8] = []
        return append(&bytes) ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
