import Core

/// Finds out who is calling: steps 7 to 9 of a request's way.
extension Snapshot {
    /// Never `.missing`: nobody is the anonymous identity where that is enough.
    func recognise(
        _ head: inout RequestHead, _ connection: ConnectionFacts, _ route: Route, _ context: RequestContext,
        _ memory: DecisionMemory
    ) -> Recognition {
        if usesDirectory { memory.follow(self) }
        if Self.isAmbiguous(&head) {
            return .refused(Refusal(.credentialAmbiguous, client: context.client, route: route))
        }
        if route.credentials.groups.count > 1 { return recogniseAll(&head, connection, route, context, memory) }
        let recognition = recognise(&head, group: 0, connection, route, context, memory)
        guard case .missing = recognition else { return recognition }
        if route.credentials.isOptional { return .identity(.anonymous, fingerprint: nil) }
        return .refused(Refusal(.credentialMissing, client: context.client, route: route))
    }

    /// Whom each of the credentials stands for, in the order the route asks for them; for requests that were recognised.
    func identities(
        _ head: inout RequestHead, _ connection: ConnectionFacts, _ route: Route, _ context: RequestContext,
        _ memory: DecisionMemory
    ) -> [Identity] {
        var identities: [Identity] = []
        for index in route.credentials.groups.indices {
            switch recognise(&head, group: index, connection, route, context, memory) {
            case .identity(let identity, _): identities.append(identity)
            case .missing, .refused, .wait: continue
            }
        }
        return identities
    }

    /// Two Authorization fields: no server behind us would read the same one (RFC 9110 §5.3, §11.6.2).
    @inline(__always)
    private static func isAmbiguous(_ head: inout RequestHead) -> Bool {
        var count = 0
        let fields = head.fields.span
        for index in fields.indices where fields[index].known == .authorization { count &+= 1 }
        return count > 1
    }

    /// The first credential that the group's places show decides. `Authorization` of another scheme, or a bearer token of a
    /// prefix that is not the group's, is for another group or another server: it is absent, and only names the reason where
    /// nothing else is shown and something must be.
    func recognise(
        _ head: inout RequestHead, group: Int, _ connection: ConnectionFacts, _ route: Route, _ context: RequestContext,
        _ memory: DecisionMemory
    ) -> Recognition {
        let probes = route.credentials.groups[group]
        // `Authorization` for another server: the reason where nothing else is shown, if something must be.
        var other: (shown: CredentialPlan.ProbeIndex, finding: CredentialFinder.Finding)?
        for index in probes.indices {
            let probe = probes[index]
            memory.shown = CredentialPlan.ProbeIndex(
                group: Int32(truncatingIfNeeded: group), probe: Int32(truncatingIfNeeded: index))
            if probe.place.kind == .certificate {
                guard let certificate = connection.clientCertificate else { continue }
                return recognise(certificate, probe, route, context, memory)
            }
            switch probe.find(in: &head, scratch: &memory.scratch) {
            case .absent: continue
            case .otherScheme: other = (memory.shown, .otherScheme(0..<0))
            case .refused(let denial):
                charge(denial, for: Span(), route, context, memory)
                return refuse(denial, nil, route, context, memory)
            case .inHead(let range):
                let value = head.bytes.span.extracting(range)
                let judge = probe.judge(of: value)
                if judge == nil, route.credentials.groups.count > 1 { continue }
                if judge == nil, probe.isForeign(bearer: value) {
                    other = (memory.shown, .inHead(range))
                    continue
                }
                if let judge, judge.takesRealmSuffix, probe.place.kind == .bearer, let comma = value.firstIndex(of: 0x2C) {
                    return recognise(value.extracting(0..<comma), judge, route, context, memory)
                }
                return recognise(value, judge, route, context, memory)
            case .decoded:
                let value = memory.scratch
                return recognise(value.span, probe.judge(of: value.span), route, context, memory)
            }
        }
        memory.shown = .none
        guard let other, !route.credentials.isOptional else { return .missing }
        memory.shown = other.shown
        guard case .inHead(let range) = other.finding else { return refuse(.schemeNotSupported, nil, route, context, memory) }
        return recognise(head.bytes.span.extracting(range), nil, route, context, memory)
    }

    @inline(__always)
    private func recognise(
        _ value: Span<UInt8>, _ judge: CredentialPlan.Judge?, _ route: Route, _ context: RequestContext,
        _ memory: DecisionMemory
    ) -> Recognition {
        if let retryAfter = memory.failureBudget.retryAfter(context.client, now: context.now.instant),
            !wasAccepted(value, judge, memory)
        {
            return .refused(Refusal(.tooManyFailures, client: context.client, route: route, shown: memory.shown, retryAfter: retryAfter))
        }
        let recognition = recogniseUncounted(value, judge, route, context, memory)
        if case .refused(let refusal) = recognition { charge(refusal.denial, for: value, route, context, memory) }
        return recognition
    }

    /// The credential passes though its address has used up its budget: it was recognized before. It is judged as ever; of
    /// another one nothing is looked up, so that nothing can be learned about it.
    @inline(never)
    private func wasAccepted(_ value: Span<UInt8>, _ judge: CredentialPlan.Judge?, _ memory: DecisionMemory) -> Bool {
        guard let judge else { return false }
        if let tokens = judge.tokens, judge.keys.isEmpty || Self.looksLikeToken(value) {
            guard value.count <= tokens.tokenByteLimit else { return false }
            return memory.failureBudget.hasAccepted(cryptography.sha256(value).a)
        }
        guard value.count <= KeyAuthenticator.keyByteLimit else { return false }
        return judge.keys.contains { memory.failureBudget.hasAccepted($0.digest(value).a) }
    }

    @inline(__always)
    private func recogniseUncounted(
        _ value: Span<UInt8>, _ judge: CredentialPlan.Judge?, _ route: Route, _ context: RequestContext,
        _ memory: DecisionMemory
    ) -> Recognition {
        guard let judge else { return refuse(.credentialUnknown, nil, route, context, memory) }
        if let tokens = judge.tokens, judge.keys.isEmpty || Self.looksLikeToken(value) {
            return verify(value, by: tokens, route, context, memory)
        }
        return lookUp(value, in: judge, route, context, memory)
    }

    /// One that no authenticator knows is shown and bad. The handshake has proved that the client holds it, and so it is no
    /// guess: the failure budget has nothing to do with it.
    private func recognise(
        _ certificate: ClientCertificate, _ probe: CredentialPlan.Probe, _ route: Route, _ context: RequestContext,
        _ memory: DecisionMemory
    ) -> Recognition {
        let fingerprint = certificate.fingerprint.fingerprint
        var denial = Denial.credentialUnknown
        for authenticator in probe.judges.lazy.flatMap(\.certificates) {
            switch memory.certificates.verdict(on: certificate, by: authenticator, now: context.now.wall) {
            case .accepted(let identity): return .identity(.certificate(identity), fingerprint: fingerprint)
            case .refused(let found): denial = found
            }
        }
        return refuse(denial, fingerprint, route, context, memory)
    }

    private func lookUp(
        _ key: Span<UInt8>, in judge: CredentialPlan.Judge, _ route: Route, _ context: RequestContext,
        _ memory: DecisionMemory
    ) -> Recognition {
        guard key.count <= KeyAuthenticator.keyByteLimit else {
            return refuse(.credentialUnknown, nil, route, context, memory)
        }
        var fingerprint: UInt32?
        // The key may be one that cannot be looked up now.
        var isUnsure = false
        for authenticator in judge.keys {
            let digest = authenticator.digest(key)
            if fingerprint == nil { fingerprint = digest.fingerprint }
            switch authenticator.judge(digest, now: context.now.wall) {
            case .accepted(let record):
                memory.failureBudget.accept(digest.a)
                return .identity(.apiKey(record, authenticator), fingerprint: digest.fingerprint)
            case .refused(.credentialUnknown): break
            case .refused(let denial): return refuse(denial, digest.fingerprint, route, context, memory)
            }
            guard let stored = memory.view.stored(beside: authenticator) else { continue }
            switch stored.judge(digest, now: context.now.wall) {
            case .accepted(let record):
                memory.failureBudget.accept(digest.a)
                return .identity(.apiKey(record, stored), fingerprint: digest.fingerprint)
            case .refused(.credentialUnknown): isUnsure = isUnsure || !memory.view.directory.isAvailable
            case .refused(let denial): return refuse(denial, digest.fingerprint, route, context, memory)
            }
        }
        if isUnsure { return refuse(.storeUnavailable, fingerprint, route, context, memory) }
        return refuse(.credentialUnknown, fingerprint, route, context, memory)
    }

    private func verify(
        _ token: Span<UInt8>, by table: IssuerTable, _ route: Route, _ context: RequestContext, _ memory: DecisionMemory
    ) -> Recognition {
        switch table.verify(token, now: context.now, view: memory.view, cache: memory.tokens) {
        case .verified(let token):
            memory.failureBudget.accept(token.digest.a)
            return .identity(.token(token), fingerprint: token.digest.fingerprint)
        case .refused(let fault):
            let denial = Self.denial(fault, memory.view)
            return refuse(denial, fingerprint(of: token), route, context, memory)
        case .notMine: return refuse(.token(.issuerUnknown), fingerprint(of: token), route, context, memory)
        case .unknownKey(let cell, let kid, let fault):
            let mark = fingerprint(of: token)
            if !context.hasWaited, cell.mayRefetch(forUnknownKid: kid, now: context.now.instant) {
                return .wait(
                    cell,
                    Refusal(.token(fault), client: context.client, route: route, fingerprint: mark, shown: memory.shown))
            }
            return refuse(.token(fault), mark, route, context, memory)
        }
    }

    /// Nobody can say of what a store holds that it is gone while the store cannot be read.
    static func denial(_ fault: TokenFault, _ view: DirectoryView) -> Denial {
        fault == .revoked && !view.directory.isAvailable ? .storeUnavailable : .token(fault)
    }

    /// Charges the address of a request whose credential could be a guess.
    private func charge(
        _ denial: Denial, for value: Span<UInt8>, _ route: Route, _ context: RequestContext, _ memory: DecisionMemory
    ) {
        // A route that refuses nobody must not have others refuse somebody.
        guard denial.couldBeGuess, !route.isShadow else { return }
        let budget = memory.failureBudget
        budget.recordFailure(context.client, mark: budget.mark(of: value), now: context.now.instant)
    }

    private func refuse(
        _ denial: Denial, _ fingerprint: UInt32?, _ route: Route, _ context: RequestContext, _ memory: DecisionMemory
    ) -> Recognition {
        .refused(
            Refusal(denial, client: context.client, route: route, fingerprint: fingerprint, shown: memory.shown))
    }

    private func fingerprint(of token: Span<UInt8>) -> UInt32 { cryptography.sha256(token).fingerprint }

    /// The compact form of a token has exactly two dots (RFC 7515 §3.1).
    static func looksLikeToken(_ value: Span<UInt8>) -> Bool {
        var dots = 0
        for index in value.indices where value[index] == 0x2E { dots &+= 1 }
        return dots == 2
    }
}

extension Digest256 {
    /// What logs show of a credential: eight hexadecimal digits' worth.
    var fingerprint: UInt32 { UInt32(truncatingIfNeeded: a >> 32) }
}
