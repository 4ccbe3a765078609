import Core

/// What a derived token lives and dies with. The token has nothing that its parent has not.
package enum TokenParent: Sendable {
    /// The secret of an API key that it was made with.
    case key(APIKeyTable.Record, KeyAuthenticator)
    /// The user who signed in.
    case user(DirectoryUser)

    /// Whom the parent stands for; nil for a subject with control characters, which no token speaks of.
    var subject: String? {
        let text: String
        switch self {
        case .key(let record, let authenticator):
            var bytes: [UInt8] = []
            authenticator.table.appendSubject(of: record, to: &bytes)
            text = String(decoding: bytes, as: UTF8.self)
        case .user(let user): text = user.id
        }
        return text.hasControls ? nil : text
    }

    var scopes: [String] {
        switch self {
        case .key(let record, let authenticator): authenticator.table.scopes(of: record).strings
        case .user(let user): user.scopes
        }
    }

    /// When it ends, as far as is known; nil when it does not.
    var expiresAt: WallTime? {
        switch self {
        case .key(let record, let authenticator): authenticator.table.expiry(of: record)
        case .user: nil
        }
    }

    /// It may be used from this address.
    func admits(_ address: IPAddress) -> Bool {
        switch self {
        case .key(let record, let authenticator): authenticator.table.addresses(of: record)?.contains(address) ?? true
        case .user: true
        }
    }

    /// The realm it is locked to.
    var realm: String? {
        switch self {
        case .key(let record, let authenticator): authenticator.table.realm(of: record)
        case .user: nil
        }
    }
}
