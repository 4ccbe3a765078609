import Core
import Policy
import Store

/// What comes of a refresh token: pure, decided from what the store holds.
struct RefreshDecision: Sendable {
    enum Verdict: Sendable {
        /// The next one is in force. With whom the token stands for.
        case renewed(TokenParty, email: String?, name: String?)
        case refused(Denial)
    }

    var shown: RefreshTokenText
    var next: RefreshTokenText
    var terms: TokenTerms
    var refreshTerms: RefreshTokenTerms
    var client: IPAddress
    var now: WallTime

    func decide(_ index: StoreIndex) -> (changes: [StoreChange], answer: Verdict) {
        guard let family = index.tokenFamilies[shown.family], family.issuer == terms.keySet.value else {
            return ([], .refused(.refreshTokenInvalid))
        }
        // One that was used before: somebody has a copy, and nobody can tell who is the thief (RFC 9700 §4.14.2).
        guard family.current == shown.digest, now < family.expiresAt else {
            return ([.removeTokenFamily(id: family.id)], .refused(.refreshTokenInvalid))
        }
        var party: TokenParty
        var user: StoredUser?
        do throws(Fault) {
            (party, user) = try self.party(of: family, index)
        } catch {
            switch error {
            case .ended: return ([.removeTokenFamily(id: family.id)], .refused(.refreshTokenInvalid))
            case .address: return ([], .refused(.addressNotAllowed))
            }
        }
        party.scopes = family.scopes.filter(party.scopes.contains)
        var renewed = family
        renewed.current = next.digest
        renewed.expiresAt = refreshTerms.end(from: now, begun: family.createdAt)
        return ([.putTokenFamily(renewed)], .renewed(party, email: user?.email, name: user?.name))
    }

    private enum Fault: Error {
        /// Whom it stands for may not sign in any more.
        case ended
        /// Not from here, but elsewhere.
        case address
    }

    private func party(of family: TokenFamily, _ index: StoreIndex) throws(Fault) -> (TokenParty, StoredUser?) {
        guard let id = family.key else {
            guard let user = index.users[family.subject], user.isEnabled, family.createdAt >= user.tokensValidFrom else {
                throw .ended
            }
            return (TokenParty(subject: user.id, scopes: user.scopes), user)
        }
        guard let key = index.keys[id], key.isEnabled else { throw .ended }
        // It was begun with one of these; secrets that came later have families of their own.
        let secret = key.secrets.first { secret in
            secret.createdAt <= family.createdAt && now < secret.expiresAt ?? .distantFuture
        }
        guard let secret else { throw .ended }
        var scopes = key.scopes
        var owner: StoredUser?
        if let id = key.owner {
            guard let user = index.users[id], user.isEnabled else { throw .ended }
            scopes = scopes.filter(user.scopes.contains)
            owner = user
        }
        guard key.allowedAddresses.isEmpty || AddressSet(key.allowedAddresses).contains(client) else { throw .address }
        let party = TokenParty(
            subject: key.subject, scopes: scopes, family: KeyFamily(secret.digest).text, key: key.id,
            authenticator: key.authenticator)
        return (party, owner)
    }
}

extension RefreshTokenTerms {
    /// When a refresh token that is made now ends.
    func end(from now: WallTime, begun: WallTime) -> WallTime {
        min(now.advanced(by: lifetime), familyLifetime.map(begun.advanced(by:)) ?? .distantFuture)
    }
}
