import Core
import Policy
import Store

/// The actions that make tokens for those who have a credential already.
struct TokenActions: Sendable {
    let registry: Registry
    let issuer: TokenIssuer

    // MARK: mint_token

    func mint(
        _ request: ActionRequest, _ mint: MintTokenConfiguration, completion: @escaping @Sendable (ActionOutcome) -> Void
    ) {
        do throws(ActionRefusal) {
            guard let party = TokenParty(request.identity, beside: request.others) else { throw ActionRefusal(.credentialMissing) }
            var parameters = try ParameterReader(request, isOptional: true)
            let options = try TokenOptions(&parameters, of: mint)
            let grant = try TokenGrant(
                options, party: party, terms: mint.terms, addresses: mint.addresses, client: request.client,
                now: request.now.wall)
            try issue(request, mint.terms, party, grant, completion: completion)
        } catch {
            completion(error.outcome)
        }
    }

    /// Makes the token, and begins a family of refresh tokens where the action gives them and there is somebody in the
    /// store whom they could end with.
    private func issue(
        _ request: ActionRequest, _ terms: TokenTerms, _ party: TokenParty, _ grant: TokenGrant,
        completion: @escaping @Sendable (ActionOutcome) -> Void
    ) throws(ActionRefusal) {
        let now = request.now.wall
        let realm = try request.realmInForce()
        let order = TokenIssuer.Order(
            terms: terms, party: party, grant: grant, client: request.client, realm: realm,
            isRealmLocked: try request.lockedRealm() != nil, now: now, requester: request.requester)
        // A token begins none: its families would outlive it. Nor does a key with other credentials beside it, of which a
        // family remembers nothing.
        let refresh = party.token == nil && party.key != nil && request.others.isEmpty ? terms.refreshTokens : nil
        guard refresh != nil || terms.mentionsUser else {
            issuer.issue(order, completion: completion)
            return
        }
        let fresh = RefreshTokenText()
        registry.change(for: request.requester) { index throws(ActionRefusal) in
            var order = order
            order.describe(party.owner(in: index))
            guard let refresh, let id = party.key, let key = index.keys[id], key.authenticator == party.authenticator,
                let secret = party.secret, key.secrets.contains(where: { $0.digest == secret })
            else { return ([], order) }
            let end = refresh.end(from: now, begun: now, of: party)
            order.refreshToken = fresh.text
            order.refreshEndsAt = end
            let family = TokenFamily(
                id: fresh.family, issuer: terms.keySet.value, subject: party.subject ?? key.subject, key: id,
                secret: secret, realm: realm, scopes: grant.scopes, isNarrowed: grant.isNarrowed, addresses: grant.addresses,
                lifetime: grant.askedLifetime, current: fresh.digest, createdAt: now, expiresAt: end)
            return (index.changes(beginning: family, at: now), order)
        } completion: { [issuer] outcome in
            switch outcome {
            case .success(let order): issuer.issue(order, completion: completion)
            case .failure(let refusal): completion(refusal.outcome)
            }
        }
    }

    // MARK: refresh_token

    func refresh(
        _ request: ActionRequest, _ refresh: RefreshTokenConfiguration, completion: @escaping @Sendable (ActionOutcome) -> Void
    ) {
        do throws(ActionRefusal) {
            // A refresh token in a query would stand in the logs of others on the way.
            guard request.query.isEmpty else {
                throw ActionRefusal(.parametersInvalid, messages: ["Query has no place here"])
            }
            var parameters = try ParameterReader(request)
            // A key or a certificate says who may call, and is no token to be exchanged: that one stands in the content.
            let showsRefreshToken = parameters.has("refreshToken") || parameters.has("refresh_token")
            if let party = TokenParty(request.identity, beside: request.others), party.token != nil, !showsRefreshToken {
                parameters.complainOfUnknown()
                try parameters.finish()
                let grant = try TokenGrant(
                    TokenOptions(), party: party, terms: refresh.terms, addresses: nil, client: request.client,
                    now: request.now.wall)
                try issue(request, refresh.terms, party, grant, completion: completion)
            } else {
                try redeem(&parameters, request, refresh.terms, completion: completion)
            }
        } catch {
            completion(error.outcome)
        }
    }

    /// Takes a refresh token and answers with the next one beside a new token.
    private func redeem(
        _ parameters: inout ParameterReader, _ request: ActionRequest, _ terms: TokenTerms,
        completion: @escaping @Sendable (ActionOutcome) -> Void
    ) throws(ActionRefusal) {
        // Both spellings are about: RFC 6749 §6, and camel case in JSON.
        let name = parameters.has("refreshToken") ? "refreshToken" : "refresh_token"
        if name == "refreshToken", parameters.has("refresh_token") { parameters.complain("Refresh token is given twice") }
        let text = parameters.requiredText(name)
        let type = parameters.text("grant_type")
        if let type, type != "refresh_token" { parameters.complain("Grant type is not refresh_token") }
        // Whatever else a client sends is its own affair (RFC 6749 §3.2), but for what asks for less than it would get.
        for option in TokenOptions.names where parameters.has(option) {
            parameters.complain("\(ParameterReader.label(option)) has no place here")
        }
        try parameters.finish()
        guard let text, let shown = RefreshTokenText(text), let refreshTerms = terms.refreshTokens else {
            throw ActionRefusal(.refreshTokenInvalid)
        }
        let realm = try request.realmInForce()
        let next = RefreshTokenText(after: shown)
        let decision = RefreshDecision(
            shown: shown, next: next, terms: terms, refreshTerms: refreshTerms, client: request.client,
            realm: realm, now: request.now.wall)
        registry.change(for: request.requester) { index throws(ActionRefusal) in
            decision.decide(index)
        } completion: { [issuer] outcome in
            switch outcome {
            case .failure(let refusal): completion(refusal.outcome)
            case .success(.refused(let denial)): completion(.refuse(denial))
            case .success(.reused(let family)):
                issuer.audit.record([.refreshTokenReused(family, request)])
                completion(.refuse(.refreshTokenInvalid))
            case .success(.renewed(let party, let grant, let end, let realm, let isLocked, let user)):
                var order = TokenIssuer.Order(
                    terms: terms, party: party, grant: grant, client: request.client, realm: realm,
                    isRealmLocked: isLocked, now: request.now.wall, requester: request.requester,
                    refreshToken: next.text, refreshEndsAt: end)
                order.describe(user)
                issuer.issue(order, completion: completion)
            }
        }
    }

    // MARK: publish_keys

    /// The public keys of a set as a JWKS document (RFC 7517 §5). Shared secrets are in none.
    func publish(_ publication: PublishKeysConfiguration) -> ActionOutcome {
        guard registry.status.isLoaded else { return .refuse(.storeUnavailable) }
        return .answer(
            ActionAnswer(
                status: 200, contentType: "application/jwk-set+json", headers: [("Cache-Control", "public, max-age=60")],
                body: JWKSText.document(
                    of: issuer.keyring.entries(of: publication.keySet.value), withX5C: publication.hasPublicKeyInX5C)))
    }
}

extension TokenIssuer.Order {
    mutating func describe(_ user: StoredUser?) {
        email = user?.email
        name = user?.name
    }
}

extension TokenParty {
    /// The user behind the key or the token.
    func owner(in index: StoreIndex) -> StoredUser? {
        if let key, let owner = index.keys[key]?.owner { return index.users[owner] }
        return subject.flatMap { index.users[$0] }
    }
}

extension AuditEvent {
    /// A refresh token was used twice, and its family has ended.
    fileprivate static func refreshTokenReused(_ family: TokenFamily, _ request: ActionRequest) -> AuditEvent {
        let caller = ManagementCaller(
            method: "refresh_token", credential: family.key, subject: family.subject, address: request.client,
            requestID: request.requestID, grantsAnything: false)
        return AuditEvent(
            name: "token_family.revoked", objectType: "token_family", objectID: family.id, cause: "refresh_token.reused",
            caller: caller, at: request.now.wall)
    }
}
