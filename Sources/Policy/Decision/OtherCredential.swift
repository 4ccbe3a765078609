import Core

/// A credential that was shown beside the first one, on a route that asks for all of several. It confines the request as the
/// first one does, and says nothing about who is calling.
struct OtherCredential: Sendable {
    let identity: Identity
    /// The store's user whose id is the subject; nil where the route does not ask for one.
    let user: DirectoryUser?
}

extension Identity {
    /// Nil when the credential may be used from this address, or why not.
    func addressDenial(_ address: IPAddress) -> Denial? {
        if admits(address) { return nil }
        return token == nil ? .addressNotAllowed : .tokenAddressNotAllowed
    }

    /// The same credential under the same rules: objects are compared, not their contents.
    func isSame(as other: Identity) -> Bool {
        switch (self, other) {
        case (.anonymous, .anonymous): true
        case (.apiKey(let mine, let authenticator), .apiKey(let theirs, let another)):
            authenticator === another && mine.key == theirs.key && mine.secret == theirs.secret
        case (.token(let mine), .token(let theirs)): mine === theirs
        case (.certificate(let mine), .certificate(let theirs)): mine === theirs
        case (.anonymous, _), (.apiKey, _), (.token, _), (.certificate, _): false
        }
    }

    /// Scopes are asked of this credential where several are shown: not of a certificate whose authenticator grants none at
    /// all, which would never have any.
    var isAskedForScopes: Bool {
        switch self {
        case .anonymous, .apiKey, .token: true
        case .certificate(let identity): identity.mayHaveScopes
        }
    }

    /// A membership is asked of this credential where several are shown: of every token, and of keys and certificates with a
    /// user of the store behind them.
    func isAskedForMembership(_ user: DirectoryUser?) -> Bool {
        switch self {
        case .anonymous, .token: true
        case .apiKey, .certificate: user != nil
        }
    }

    /// The realm that one or more of these credentials are locked to; nil without a lock. Two locks that differ refuse: the
    /// request would have to be in two realms at once.
    package static func lockedRealm(of first: Identity, _ others: [Identity]) throws(Denial) -> String? {
        var lock = first.lockedRealm
        for other in others {
            guard let another = other.lockedRealm else { continue }
            if let lock, lock != another { throw .realmNotAllowed }
            lock = another
        }
        return lock
    }

    /// What callers may do who have shown all of these: what each of the credentials that are asked for scopes may do.
    package static func scopes(of first: Identity, _ others: [Identity]) -> [String] {
        if others.isEmpty { return first.scopes }
        let asked = ([first] + others).filter(\.isAskedForScopes)
        return (asked.first?.scopes ?? []).filter { scope in asked.allSatisfy { $0.hasScope(scope) } }
    }
}

/// What a route asks of several credentials at once, each of them alike, whatever their order.
extension Authorization {
    /// Nil when each of the credentials has the scopes that the route asks for, or why not.
    func scopeDenial(for first: Identity, _ others: [Identity]) -> Denial? {
        if let denial = scopeDenial(for: first), others.isEmpty || denial != .scopeMissing { return denial }
        if others.isEmpty || scopes.isEmpty { return nil }
        let asked = ([first] + others).filter(\.isAskedForScopes)
        for scope in scopes where asked.isEmpty || !asked.allSatisfy({ $0.hasScope(scope) }) { return .scopeMissing }
        return nil
    }

    /// Nil when the claims of each token, and the memberships of each user, are what the route asks for, or why not.
    /// Templates are filled from the first credential, in `source`.
    func templateDenial(
        for source: TemplateSource, _ others: [OtherCredential], path: Span<UInt8>, scratch: inout [UInt8]
    ) -> Denial? {
        if others.isEmpty { return templateDenial(for: source, path: path, scratch: &scratch) }
        let all = [OtherCredential(identity: source.identity, user: source.user)] + others
        let tokens = all.filter { $0.identity.token != nil }
        if !claims.isEmpty, tokens.isEmpty { return .claimMismatch }
        for token in tokens {
            if let denial = claimDenial(for: source, claimedBy: token.identity, path: path, scratch: &scratch) { return denial }
        }
        guard membership != nil else { return nil }
        let asked = all.filter { $0.identity.isAskedForMembership($0.user) }
        if asked.isEmpty { return .membershipMissing }
        for one in asked {
            if let denial = membershipDenial(of: one.user, for: source, path: path, scratch: &scratch) { return denial }
        }
        return nil
    }
}
