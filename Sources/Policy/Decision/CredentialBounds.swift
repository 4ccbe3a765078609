package import Core

/// What a credential is confined to besides its scopes. What is made with it is confined no less.
package struct CredentialBounds: Sendable {
    /// Where it may be used; nil for everywhere.
    package var addresses: AddressSet?
    /// When the API key ends that was shown, or the token that was made with one. Nil for those that do not end, and for other
    /// credentials: sessions and certificates are renewed by whom they stand for.
    package var expiresAt: WallTime?
    /// The names of the limits that replace a route's; empty where the route's apply.
    package var limits: [String]

    package init(addresses: AddressSet? = nil, expiresAt: WallTime? = nil, limits: [String] = []) {
        self.addresses = addresses
        self.expiresAt = expiresAt
        self.limits = limits
    }
}

extension Identity {
    /// What the credential is confined to.
    package var bounds: CredentialBounds {
        switch self {
        case .anonymous: return CredentialBounds()
        case .apiKey(let record, let authenticator): return CredentialBounds(of: record, authenticator.table)
        case .certificate(let certificate):
            let limits = certificate.limits
            let names = limits.map { limits in limits.indices.map { limits[$0].name } }
            return CredentialBounds(addresses: certificate.addresses, limits: names ?? [])
        case .token(let token):
            var bounds = CredentialBounds()
            switch token.parent {
            case nil, .user: break
            case .key(let record, let authenticator):
                bounds = CredentialBounds(of: record, authenticator.table)
                bounds.expiresAt = token.expiresAt
            }
            guard let addresses = token.addresses else { return bounds }
            bounds.addresses = bounds.addresses?.intersection(addresses) ?? addresses
            return bounds
        }
    }
}

extension CredentialBounds {
    /// What several credentials together are confined to: by every one of them.
    package init(of first: Identity, _ others: [Identity]) {
        self = first.bounds
        for bounds in others.map(\.bounds) {
            if let more = bounds.addresses { addresses = addresses?.intersection(more) ?? more }
            if let end = bounds.expiresAt { expiresAt = min(end, expiresAt ?? end) }
            limits += bounds.limits.filter { !limits.contains($0) }
        }
    }

    fileprivate init(of record: APIKeyTable.Record, _ table: APIKeyTable) {
        self.init(
            addresses: table.addresses(of: record), expiresAt: table.expiry(of: record),
            limits: table.limitsIndex(of: record).map { table.limitLists[$0].names } ?? [])
    }
}
