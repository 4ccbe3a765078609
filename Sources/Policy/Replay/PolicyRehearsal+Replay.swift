import Core

/// Logged requests, put to a policy once more.
extension PolicyRehearsal {
    /// What a policy makes of a request before anything is counted, and what would be counted.
    struct Verdict {
        var reply: Reply
        /// The step that refused; nil where none did.
        var step: ExplanationStep?
        var outcome: TrialOutcome
        var client: IPAddress

        /// A credential was looked at, so that an address that failed too often would have been refused.
        var sawCredential: Bool {
            fingerprint != nil || (outcome.refusal?.denial.isBadCredential ?? false)
        }

        /// The first 32 bits of the credential's digest; nil when none was looked at.
        var fingerprint: UInt32? { outcome.grant?.fingerprint ?? outcome.refusal?.fingerprint }

        /// The credential was good, whatever became of the request.
        var isRecognized: Bool { fingerprint != nil && (step ?? .upstream) > .identity }

        var couldBeGuess: Bool { outcome.refusal?.denial.couldBeGuess ?? false }
    }

    /// The verdict on a record's request under a supposition; nil where the credential cannot be made.
    func verdict(
        on facts: LoggedFacts, _ credential: ReplayedCredential, supposing supposition: Supposition, at time: WallTime
    ) -> Verdict {
        let clock = Self.reading(at: time)
        let (head, denial, connection) = head(of: facts, credential, supposition, clock)
        trial.forget()
        let outcome =
            denial.map { trial.refuse(malformed: $0, client: connection.peer, now: clock) }
            ?? trial.make(head, connection: connection, now: clock)
        let grant = outcome.grant
        let route = outcome.route
        return Verdict(
            reply: Reply(
                isAllowed: grant != nil, status: grant == nil ? trial.answer.status : nil,
                reason: outcome.refusal?.denial.reason, route: route?.name,
                otherRoute: outcome.refusal?.ambiguity?.otherRoute(in: snapshot),
                upstream: grant.flatMap { $0.route.action == nil ? $0.route.upstreamName : nil }),
            step: outcome.refusal?.denial.step, outcome: outcome, client: connection.peer)
    }

    /// The same, step by step.
    func explanation(
        of facts: LoggedFacts, _ credential: ReplayedCredential, supposing supposition: Supposition, at time: WallTime,
        document: PolicyDocument
    ) -> Explanation {
        let clock = Self.reading(at: time)
        let (head, denial, connection) = head(of: facts, credential, supposition, clock)
        return Explainer(snapshot, document: document, directory: directory).explain(
            denial.map(Explainer.Request.malformed) ?? .read(head), connection: connection, now: clock)
    }

    /// The routes that a record's request may reach, whatever fields it has: those of the best pattern that take its method.
    func routes(for facts: LoggedFacts) -> [Route] {
        let (head, denial, _) = head(of: facts, .none, Supposition(), Self.reading(at: WallTime(seconds: 0)))
        guard denial == nil else { return [] }
        var path: [UInt8] = []
        let bytes = head.bytes
        let received = bytes.span.extracting(head.path.range)
        switch snapshot.normaliser.normalise(received, into: &path) {
        case .unchanged: path = received.copied()
        case .rewritten: break
        case .refused: return []
        }
        var scratch: [UInt8] = []
        guard let leaf = snapshot.table.leaf(head, path: path.span, scratch: &scratch) else { return [] }
        return snapshot.table.leaves[leaf].routes.map(Int.init)
            .filter { snapshot.table.conditions[$0].methodFits(head) }.map { snapshot.routes[$0] }
    }

    private func head(
        of facts: LoggedFacts, _ credential: ReplayedCredential, _ supposition: Supposition, _ clock: ClockReading
    ) -> (RequestHead, Denial?, ConnectionFacts) {
        let nowhere = SourcePosition(line: 1, column: 1)
        let url = "\(facts.isSecure ? "https" : "http")://\(facts.host)\(facts.path)"
        var test = PolicyTestConfiguration(
            name: "", file: "", position: nowhere, path: "", request: Located("\(facts.method) \(url)", at: nowhere, path: ""))
        test.headers = supposition.fields.map { ($0.name, $0.value) }
        if let type = supposition.accept { test.headers.append(("Accept", type)) }
        if let type = supposition.contentType { test.headers.append(("Content-Type", type)) }
        test.contentBytes = supposition.contentBytes
        var request = RehearsalRequest()
        let source = facts.source ?? ""
        switch credential {
        case .none: break
        case .secret(let digest, let prefix):
            if let place = CredentialSource(recorded: source, prefix: prefix) {
                let isBearer = source == "bearer"
                request.show(RehearsalCryptography.value(for: digest, prefix: isBearer ? prefix : ""), in: place)
            }
        case .token(let authenticator, let token):
            var token = token
            if !supposition.scopes.isEmpty {
                let text = supposition.scopes.joined(separator: " ")
                token.claims += [PolicyTestConfiguration.Token.claim(authenticator.scopesClaim ?? "/scope", text)].compactMap(\.self)
            }
            if let place = CredentialSource(recorded: source, prefix: "") {
                request.show(tokens.compact(token, for: authenticator, now: clock.wall), in: place)
            }
        }
        if let place = supposition.unseen {
            let value = RehearsalCryptography.value(for: ReplayedCredential.unknown(nil), prefix: supposition.unseenPrefix)
            request.show(value, in: place)
        }
        if let realm = supposition.realm { request.show(realm.name, in: realm.source) }
        request.write(test)
        var head = RequestHead()
        let denial = readHead(request.bytes.span, snapshot.configuration.bounds, &head)
        let connection = ConnectionFacts(
            peer: facts.client, peerPort: 50_000, localPort: request.port, isSecure: facts.isSecure, waited: true)
        return (head, denial, connection)
    }

    // MARK: Credentials

    /// The key with this fingerprint, where the policy's files have one.
    /// - Parameter id: the key's id, where it was recognised.
    func key(_ fingerprint: UInt32, id: String?) -> (digest: Digest256, prefix: String)? {
        for name in keyAuthenticators.keys.sorted() {
            if let digest = fingerprints[name]?.digest(fingerprint, id: id) { return (digest, bearerPrefix(of: name)) }
        }
        return nil
    }

    private func bearerPrefix(of name: String) -> String {
        guard case .apiKey(let keys)? = snapshot.configuration.authenticators[name]?.kind else { return "" }
        for case .bearer(let prefix) in keys.sources { return prefix }
        return ""
    }

    /// Whether each authenticator that knows a key would take it now: the same as long as no bound of its time is crossed.
    func phase(of digest: Digest256, at time: WallTime) -> [APIKeyFault?] {
        keyAuthenticators.values.compactMap { authenticator in
            authenticator.table.lookup(digest).map { authenticator.table.fault(of: $0, now: time) }
        }
    }

    /// The authenticators of tokens that a route has.
    func tokenAuthenticators(of route: Route?) -> [JWTAuthenticatorConfiguration] {
        tokenAuthenticatorNames(of: route).compactMap { name in
            guard case .jwt(let authenticator)? = snapshot.configuration.authenticators[name]?.kind else { return nil }
            return authenticator
        }
    }

    func tokenAuthenticatorNames(of route: Route?) -> [String] {
        let judges = route?.credentials.groups.joined().flatMap(\.judges) ?? []
        return Set(judges.compactMap(\.tokens).flatMap { $0.verifiers.map(\.name) }).sorted()
    }

    func route(named name: String?) -> Route? { snapshot.routes.first { $0.name == name } }
}
