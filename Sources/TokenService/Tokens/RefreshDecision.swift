import Core
import Policy
import Store

/// What comes of a refresh token: pure, decided from what the store holds.
struct RefreshDecision: Sendable {
    enum Verdict: Sendable {
        /// The next one is in force until then. With whom the token stands for, what it is good for, the realm whose key signs
        /// it and whether that is the lock of the key behind it, and the user behind it.
        case renewed(TokenParty, TokenGrant, until: WallTime, realm: String?, isRealmLocked: Bool, StoredUser?)
        case refused(Denial)
        /// One that was used before: the family has ended.
        case reused(TokenFamily)
    }

    var shown: RefreshTokenText
    var next: RefreshTokenText
    var terms: TokenTerms
    var refreshTerms: RefreshTokenTerms
    var client: IPAddress
    /// The one in force for the request; nil where there is none.
    var realm: String?
    var now: WallTime

    func decide(_ index: StoreIndex) -> (changes: [StoreChange], answer: Verdict) {
        guard let family = index.tokenFamilies[shown.family], family.issuer == terms.keySet.value else {
            return ([], .refused(.refreshTokenInvalid))
        }
        // One that was used before: somebody has a copy, and nobody can tell who is the thief (RFC 9700 §4.14.2).
        guard family.current == shown.digest else {
            return ([.removeTokenFamily(id: family.id)], .reused(family))
        }
        guard now < family.expiresAt else {
            return ([.removeTokenFamily(id: family.id)], .refused(.refreshTokenInvalid))
        }
        var party: TokenParty
        var user: StoredUser?
        let realm: String?
        let isLocked: Bool
        do throws(Fault) {
            (party, user) = try self.party(of: family, index)
            realm = try self.realm(of: family, index)
            isLocked = family.key.flatMap { index.keys[$0]?.realm } != nil
        } catch {
            switch error {
            case .ended: return ([.removeTokenFamily(id: family.id)], .refused(.refreshTokenInvalid))
            case .address: return ([], .refused(.addressNotAllowed))
            case .realm: return ([], .refused(.realmNotAllowed))
            }
        }
        party.scopes = family.scopes.filter(party.scopes.contains)
        let grant: TokenGrant
        do throws(ActionRefusal) { grant = try TokenGrant(family, party: party, terms: terms, now: now) } catch {
            return ([], .refused(error.denial))
        }
        var renewed = family
        renewed.current = next.digest
        renewed.expiresAt = refreshTerms.end(from: now, begun: family.createdAt, of: party)
        let verdict = Verdict.renewed(
            party, grant, until: renewed.expiresAt, realm: realm, isRealmLocked: isLocked, user)
        return ([.putTokenFamily(renewed)], verdict)
    }

    private enum Fault: Error {
        /// Whom it stands for may not sign in any more.
        case ended
        /// Not from here, but elsewhere.
        case address
        /// Not in this realm, but in its own.
        case realm
    }

    /// The realm of the next token: the one the family was begun in and the one its key is locked to both hold, and the
    /// request may name no other.
    private func realm(of family: TokenFamily, _ index: StoreIndex) throws(Fault) -> String? {
        let lock = family.key.flatMap { index.keys[$0]?.realm }
        if let begun = family.realm, let lock, begun != lock { throw .ended }
        guard let bound = family.realm ?? lock else { return realm }
        if let realm, realm != bound { throw .realm }
        return bound
    }

    private func party(of family: TokenFamily, _ index: StoreIndex) throws(Fault) -> (TokenParty, StoredUser?) {
        guard let id = family.key else {
            guard let user = index.users[family.subject], user.isEnabled, family.createdAt >= user.tokensValidFrom else {
                throw .ended
            }
            return (TokenParty(subject: user.id, scopes: user.scopes), user)
        }
        guard let key = index.keys[id], key.isEnabled else { throw .ended }
        // It was begun with one of these, and lives no longer; the others have families of their own.
        let secret = key.secrets.first { $0.digest == family.secret }
        // The secret itself is refused from the second on in which it ends.
        guard let secret, secret.expiresAt.map({ now.seconds < $0.seconds }) ?? true else { throw .ended }
        var scopes = key.scopes
        var owner: StoredUser?
        if let id = key.owner {
            guard let user = index.users[id], user.isEnabled else { throw .ended }
            scopes = scopes.filter(user.scopes.contains)
            owner = user
        }
        let addresses = key.allowedAddresses.isEmpty ? nil : AddressSet(key.allowedAddresses)
        guard addresses?.contains(client) ?? true else { throw .address }
        var party = TokenParty(
            subject: key.subject, scopes: scopes, family: KeyFamily(secret.digest).text, key: key.id,
            authenticator: key.authenticator)
        party.endsAt = secret.expiresAt
        party.addresses = addresses
        return (party, owner)
    }
}

extension RefreshTokenTerms {
    /// When a refresh token that is made now ends: in its time, with its family, or with the key behind it.
    func end(from now: WallTime, begun: WallTime, of party: TokenParty) -> WallTime {
        let last = familyLifetime.map(begun.advanced(by:)) ?? .distantFuture
        return min(now.advanced(by: lifetime), last, party.endsAt ?? .distantFuture)
    }
}
