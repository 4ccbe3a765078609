import Core
import Policy

extension ManagementCall {
    /// The call that a request to a route with a `manage` action makes. The captures `id`, `operation` and `organization` of
    /// its path have a meaning.
    init(_ request: ActionRequest, _ configuration: ManagementConfiguration) throws(ActionRefusal) {
        let identity = request.identity
        self.init(
            configuration: configuration,
            caller: ManagementCaller(
                method: identity.method, credential: identity.credentialID, subject: identity.subject, address: request.client,
                requestID: request.requestID, scopes: Set(Identity.scopes(of: identity, request.others)),
                realmLock: try request.lockedRealm(),
                bounds: CredentialBounds(of: identity, request.others), grantsAnything: configuration.grantsAnything),
            method: request.method, item: request.captures["id"], operation: request.captures["operation"],
            organization: request.captures["organization"], realm: configuration.realm, query: request.query,
            contentType: request.contentType, content: request.content, now: request.now.wall)
        caller.key = ([identity] + request.others).lazy.compactMap(ManagementCaller.Key.init).first {
            $0.authenticator == configuration.authenticator?.value
        }
        if let current = configuration.current, item == current { item = currentItem }
        requestRealm = request.realm
        requester = request.requester
        interest = request.interest
    }

    /// The id of the caller's own record; of no record where there is none.
    private var currentItem: String {
        switch configuration.resource {
        case .apiKeys: caller.key?.id ?? ""
        case .users: caller.subject ?? ""
        case .jwtKeys, .organizations, .projects, .memberships: ""
        }
    }
}

extension ManagementCaller.Key {
    fileprivate init?(_ identity: Identity) {
        guard let party = TokenParty(identity), let id = party.key, let authenticator = party.authenticator else { return nil }
        self.init(id: id, authenticator: authenticator)
    }
}
