package import Core

extension Snapshot {
    /// Asks this policy, which may be a newer one, whether a connection that changed its protocol may go on: nil when it
    /// may, or why not. Pure; takes nothing from limits.
    ///
    /// The request is routed again, and must come to a route that lets its protocol through to the same upstream. Each
    /// credential the route asks for must be among those that were shown, and must be good: the key known, enabled,
    /// in its time and of the same record; the token's signature by a key its issuer still has, issuer, audience and
    /// claims as the authenticator wants them; the certificate in its time and listed. Addresses, realm locks, scopes and
    /// claims rules must let each of them in. `key_set_unavailable` and `store_unavailable` say that it is not known now: ask again.
    ///
    /// Grants of requests that asked for no change of protocol have nothing to be asked for, and are always admitted.
    package func stillAdmits(_ grant: Grant, now: ClockReading, memory: DecisionMemory) -> Denial? {
        if usesDirectory { memory.follow(self) }
        guard let admission = grant.admission else { return nil }
        if let end = admission.validUntil, now.wall >= end { return admission.ending }
        let head = admission.head
        let connection = admission.connection
        var client = connection.peer
        if clientAddress.trusts(connection.peer) {
            guard let found = clientAddress.client(head, behind: connection.peer) else { return .forwardingAmbiguous }
            client = found
        }
        var path: [UInt8] = []
        var host: [UInt8] = []
        let received = head.bytes.span.extracting(head.path.range)
        var uses = PathUses()
        switch normaliser.normalise(received, into: &path, uses: &uses) {
        case .unchanged:
            path.removeAll()
            path.append(contentsOf: received)
        case .rewritten: break
        case .refused(let fault): return .path(fault)
        }
        guard case .found(let index) = table.route(head, path: path.span, scratch: &host) else { return .routeNotFound }
        let route = routes[index]
        if let fault = pathFault(uses, route, path.span) { return .path(fault) }
        guard route.upstreamName == grant.route.upstreamName, let upgrade = route.upgrade,
            upgrade.requested(by: head) != nil
        else { return .routeNotFound }
        var scratch = PathReadings.Scratch()
        if ambiguity(of: head, PathShape(received), normal: path.span, route, &scratch) != nil { return .path(.ambiguous) }
        if route.isHTTPSOnly, !isSecure(head, connection: connection) { return .httpsRequired }
        if route.isShadow { return nil }
        return denial(of: admission, in: grant.realm, on: route, client, path: path.span, now: now, memory.view)
    }

    private func denial(
        of admission: Admission, in realm: String?, on route: Route, _ client: IPAddress, path: Span<UInt8>, now: ClockReading,
        _ view: DirectoryView
    ) -> Denial? {
        var identities: [Identity] = []
        // What cannot be known now does not hide what is known of another credential.
        var doubt: Denial?
        for group in route.credentials.groups {
            if route.credentials.isOptional, admission.identities.isEmpty { break }
            switch group.renewed(among: admission.identities, now: now, view) {
            case .success(let identity): identities.append(identity)
            case .failure(let denial):
                if denial.status < 500 { return denial }
                doubt = doubt ?? denial
            }
        }
        if let doubt { return doubt }
        guard route.authorization.admits(client) else { return .addressNotAllowed }
        for identity in identities { if let denial = identity.addressDenial(client) { return denial } }
        let first = identities.first ?? .anonymous
        let others = Array(identities.dropFirst())
        if let denial = route.authorization.scopeDenial(for: first, others) { return denial }
        do throws(Denial) {
            let lock = try Identity.lockedRealm(of: first, others)
            if let realm, let lock, lock != realm { return .realmNotAllowed }
        } catch { return error }
        var scratch: [UInt8] = []
        return route.authorization.templateDenial(
            for: TemplateSource(
                identity: first, client: client, route: route.name, certificate: admission.connection.clientCertificate,
                user: view.directory.user(behind: first)),
            others.map { OtherCredential(identity: $0, user: view.directory.user(behind: $0)) }, path: path, scratch: &scratch)
    }
}

extension [CredentialPlan.Probe] {
    /// The first of some identities that one of these places still vouches for; why the one that is theirs is not vouched
    /// for; `credential_missing` when none is theirs.
    fileprivate func renewed(
        among identities: [Identity], now: ClockReading, _ view: DirectoryView
    ) -> Result<Identity, Denial> {
        var denial: Denial?
        for identity in identities {
            for judge in lazy.flatMap(\.judges) {
                switch judge.renew(identity, now: now, view) {
                case .notTheirs: continue
                case .renewed(let identity): return .success(identity)
                case .refused(let found): denial = denial ?? found
                }
            }
        }
        return .failure(denial ?? .credentialMissing)
    }
}

/// What a judge says of an identity that was recognised before.
private enum Renewal {
    case renewed(Identity)
    case refused(Denial)
    /// Another authenticator recognised it.
    case notTheirs
}

extension CredentialPlan.Judge {
    fileprivate func renew(_ identity: Identity, now: ClockReading, _ view: DirectoryView) -> Renewal {
        switch identity {
        case .anonymous: return .notTheirs
        case .apiKey(let record, let authenticator):
            guard let mine = keys.first(where: { $0.name == authenticator.name }) else { return .notTheirs }
            let renewal = mine.renew(record, of: authenticator, now: now.wall)
            guard case .refused(.credentialUnknown) = renewal, let stored = view.stored(beside: mine) else { return renewal }
            let storedRenewal = stored.renew(record, of: authenticator, now: now.wall)
            guard case .refused(.credentialUnknown) = storedRenewal, !view.directory.isAvailable else { return storedRenewal }
            return .refused(.storeUnavailable)
        case .token(let token):
            guard let verifier = tokens?.verifiers.first(where: { $0.name == token.authenticator }) else {
                return .notTheirs
            }
            return verifier.renew(token, now: now, view)
        case .certificate(let identity):
            guard let mine = certificates.first(where: { $0.name == identity.authenticator }) else { return .notTheirs }
            switch mine.judge(identity.certificate, now: now.wall) {
            case .accepted(let identity): return .renewed(.certificate(identity))
            case .refused(let denial): return .refused(denial)
            }
        }
    }
}

extension KeyAuthenticator {
    /// A digest that another record has now, or a digest made with another pepper, opens nothing any more.
    fileprivate func renew(_ record: APIKeyTable.Record, of old: KeyAuthenticator, now: WallTime) -> Renewal {
        switch judge(old.table.digest(of: record), now: now) {
        case .accepted(let found):
            var (mine, theirs): ([UInt8], [UInt8]) = ([], [])
            table.appendID(of: found, to: &mine)
            old.table.appendID(of: record, to: &theirs)
            return mine == theirs ? .renewed(.apiKey(found, self)) : .refused(.credentialUnknown)
        case .refused(let denial): return .refused(denial)
        }
    }
}

extension JWTVerifier {
    fileprivate func renew(_ token: VerifiedToken, now: ClockReading, _ view: DirectoryView) -> Renewal {
        let bytes = token.bytes
        switch verify(bytes.span, now: now, view: view) {
        case .verified(let token): return .renewed(.token(token))
        case .refused(let fault), .unknownKey(_, _, let fault): return .refused(Snapshot.denial(fault, view))
        case .notMine: return .refused(.token(.issuerUnknown))
        }
    }
}
