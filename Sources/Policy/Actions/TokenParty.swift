package import Core

/// Whom a new token will stand for, taken from the credential that was shown for it.
package struct TokenParty: Sendable {
    /// A user's id, or what an API key stands for.
    package var subject: String?
    /// All that the new token may have.
    package var scopes: [String]
    /// The family of the API key behind it; nil where there is none.
    package var family: String?
    /// The digest of the key's secret that was shown; nil for other credentials than keys.
    package var secret: Digest256?
    /// That key's id, and the authenticator it belongs to.
    package var key: String?
    package var authenticator: String?
    /// The token that was shown; nil for other credentials.
    package var token: VerifiedToken?
    /// The token has not all the scopes of the credential behind it.
    package var isNarrowed = false
    /// When the key's secret or the certificate behind it ends; nil where neither is behind it, and where it does not end.
    package var endsAt: WallTime?
    /// Where that key or certificate may be used; nil for everywhere.
    package var addresses: AddressSet?
    /// `addresses` are not those of `key` alone: naming the key in a token does not bind the token to them.
    package var isConfinedByOthers = false
    /// Several credentials were shown; `endsAt` is the earliest end.
    package var isJoint = false

    package init(subject: String?, scopes: [String], family: String? = nil, key: String? = nil, authenticator: String? = nil) {
        self.subject = subject
        self.scopes = scopes
        self.family = family
        self.key = key
        self.authenticator = authenticator
    }

    /// Nil for nobody.
    package init?(_ identity: Identity) {
        var subject: [UInt8] = []
        _ = identity.appendSubject(to: &subject)
        let name = subject.isEmpty ? nil : String(decoding: subject, as: UTF8.self)
        switch identity {
        case .anonymous: return nil
        case .apiKey(let record, let authenticator):
            var id: [UInt8] = []
            _ = identity.appendCredential(to: &id)
            self.init(
                subject: name, scopes: authenticator.table.scopes(of: record).strings,
                family: KeyFamily(authenticator.table.digest(of: record)).text,
                key: String(decoding: id, as: UTF8.self), authenticator: authenticator.name)
            secret = authenticator.table.digest(of: record)
            confine(to: record, authenticator.table)
        case .token(let token):
            self.init(subject: name, scopes: token.scopes)
            self.token = token
            switch token.parent {
            case nil: break
            case .user(let user): isNarrowed = token.scopes.count < user.scopes.count
            case .key(let record, let authenticator):
                let table = authenticator.table
                var id: [UInt8] = []
                table.appendID(of: record, to: &id)
                key = String(decoding: id, as: UTF8.self)
                self.authenticator = authenticator.name
                family = KeyFamily(table.digest(of: record)).text
                isNarrowed = token.scopes.count < table.scopes(of: record).count
                confine(to: record, table)
            }
        case .certificate(let certificate):
            self.init(subject: name, scopes: certificate.scopes.strings)
            endsAt = certificate.certificate.notAfter
            addresses = certificate.addresses
        }
    }

    /// The party of a caller who has shown all of several credentials: the first one's, confined by every other. Nil when anonymous.
    package init?(_ identity: Identity, beside others: [Identity]) {
        self.init(identity)
        if others.isEmpty { return }
        isJoint = true
        let granted = Identity.scopes(of: identity, others)
        if granted.count < scopes.count {
            scopes = granted
            isNarrowed = true
        }
        for other in others {
            let bounds = other.bounds
            if let more = bounds.addresses {
                addresses = addresses?.intersection(more) ?? more
                isConfinedByOthers = true
            }
            guard let end = other.endsAt else { continue }
            endsAt = min(end, endsAt ?? end)
        }
    }

    private mutating func confine(to record: APIKeyTable.Record, _ table: APIKeyTable) {
        endsAt = table.expiry(of: record)
        addresses = table.addresses(of: record)
    }
}

extension Identity {
    /// When the credential ends; nil where it does not.
    fileprivate var endsAt: WallTime? {
        switch self {
        case .anonymous: nil
        case .apiKey(let record, let authenticator): authenticator.table.expiry(of: record)
        case .token(let token): token.expiresAt == .distantFuture ? nil : token.expiresAt
        case .certificate(let identity): identity.certificate.notAfter
        }
    }
}
