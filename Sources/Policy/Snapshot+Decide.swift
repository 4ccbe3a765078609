package import Core

extension Snapshot {
    /// Decides what is to be done with a request. Pure: the same values give the same decision, apart from the buckets
    /// and the failure budget, which `memory` refers to and which count. Changes nothing in the head.
    package func decide(
        _ head: inout RequestHead, connection: ConnectionFacts, now: ClockReading, memory: DecisionMemory
    ) -> Decision {
        if isServerOptions(head) { return .answer(.serverOptions) }
        var context = RequestContext(
            now: now, client: connection.peer, isPeerTrusted: false, hasWaited: connection.waited)
        if clientAddress.trusts(connection.peer) {
            context.isPeerTrusted = true
            guard let client = clientAddress.client(head, behind: connection.peer) else {
                return .refuse(Refusal(.forwardingAmbiguous, client: connection.peer))
            }
            context.client = client
        }
        let shape = PathShape(head.bytes.span.extracting(head.path.range))
        var uses = PathUses()
        let outcome =
            shape == .odd
            ? normaliser.rewrite(head.bytes.span.extracting(head.path.range), into: &memory.path, uses: &uses)
            : PathNormaliser.Outcome.unchanged
        let found: Int?
        switch outcome {
        case .unchanged:
            found = table.leaf(head, path: head.bytes.span.extracting(head.path.range), scratch: &memory.host)
        case .rewritten:
            // A span of the memory's own array could not be lent out beside its scratch space.
            let normal = memory.path
            found = table.leaf(head, path: normal.span, scratch: &memory.host)
        case .refused(let fault): return .refuse(Refusal(.path(fault), client: context.client))
        }
        if !uses.isEmpty, let refusal = pathRefusal(uses, leaf: found, context) { return .refuse(refusal) }
        guard let leaf = found else {
            return preflight(&head, connection, nil, shape, outcome, context, memory)
                ?? .refuse(Refusal(.routeNotFound, client: context.client))
        }
        if head.method == .options || head.method == .trace,
            let decision = lastHop(head, leaf, context) ?? preflight(&head, connection, leaf, shape, outcome, context, memory)
        {
            return decision
        }
        switch table.choose(at: leaf, head) {
        case .found(let index):
            let route = routes[index]
            if !uses.isEmpty, let refusal = pathRefusal(uses, route, normalPath(head, outcome, memory).span, context) {
                return .refuse(refusal)
            }
            if route.isPartial, let refusal = targetRefusal(head, outcome, leaf, route, context, memory) { return .refuse(refusal) }
            if shape != .plain || readings.looksAtPlainPaths,
                let ambiguity = ambiguity(of: head, shape, outcome, route, memory)
            {
                return .refuse(Refusal(.path(.ambiguous), client: context.client, route: route, ambiguity: ambiguity))
            }
            if route.isHTTPSOnly, !isSecure(head, connection: connection) {
                // Nothing of the request is in it but the route: its credentials were not looked at.
                return .refuse(Refusal(.httpsRequired, client: context.client, route: route))
            }
            let form = pathForm(head, outcome, leaf, memory)
            let decision = decide(&head, connection, route, form, context, memory)
            return route.isShadow ? shadowed(decision, &head, connection, route, form, context, memory) : decision
        case .methodNotAllowed: return .refuse(methodRefusal(head, outcome, leaf, context, memory))
        case .notFound: return .refuse(Refusal(.routeNotFound, client: context.client))
        }
    }

    /// Steps 7 to 9: who.
    @inline(__always)
    private func decide(
        _ head: inout RequestHead, _ connection: ConnectionFacts, _ route: Route, _ form: Grant.PathForm,
        _ context: RequestContext, _ memory: DecisionMemory
    ) -> Decision {
        memory.shown = .none
        if route.credentials.isOpen { return decide(&head, connection, route, form, context, memory, route.stranger, nil) }
        switch recognise(&head, connection, route, context, memory) {
        case .identity(let identity, let fingerprint):
            let caller =
                route.credentials.groups.count == 1
                ? memory.callers.caller(identity, route, buckets: memory.buckets, directory: memory.view.directory)
                : memory.callers.caller(
                    identity, beside: memory.others, route, buckets: memory.buckets, directory: memory.view.directory)
            return decide(&head, connection, route, form, context, memory, caller, fingerprint)
        case .missing: return .refuse(Refusal(.credentialMissing, client: context.client, route: route))
        case .refused(let refusal): return .refuse(refusal)
        case .wait(let cell, let refusal): return .wait(cell, refusal)
        }
    }

    /// Steps 10 and 11: whether, how often.
    private func decide(
        _ head: inout RequestHead, _ connection: ConnectionFacts, _ route: Route, _ form: Grant.PathForm,
        _ context: RequestContext, _ memory: DecisionMemory, _ caller: Caller, _ fingerprint: UInt32?
    ) -> Decision {
        func refuse(_ denial: Denial, _ rate: RateStatus?) -> Decision {
            .refuse(
                Refusal(
                    denial, client: context.client, route: route, identity: caller.identity,
                    others: caller.others.map(\.identity), fingerprint: fingerprint,
                    shown: memory.shown, rate: rate))
        }
        if let denial = authorise(caller, route, &head, connection, form, context, memory) {
            return refuse(denial, caller.identity.isAnonymous ? nil : memory.standing(caller, route, context))
        }
        var realms: GrantedRealm?
        if let rule = route.realm {
            do throws(Denial) {
                let named = try realm(by: rule, &head, route, lock: caller.lockedRealm, memory)
                realms = GrantedRealm(named, realm: try settled(named, head, route))
            } catch {
                return refuse(error, caller.identity.isAnonymous ? nil : memory.standing(caller, route, context))
            }
        }
        var rate: RateStatus?
        if !caller.limits.isEmpty {
            switch memory.take(caller, route, context) {
            case .taken(let status): rate = route.isShadow ? nil : status
            case .refused(let status): return refuse(.rateLimited, status)
            case .tableFull: return refuse(.limitsUnavailable, nil)
            }
        }
        var refusals: [ShadowRefusal] = []
        if !route.shadowRules.isEmpty || !caller.triedLimits.isEmpty {
            refusals = shadowRefusals(caller, route, head, connection, form, context, memory)
        }
        return .forward(
            Grant(
                route: route, context: context, caller: caller, fingerprint: fingerprint, shown: memory.shown, rate: rate,
                pathForm: form,
                certificate: connection.clientCertificate,
                admission: route.upgrade == nil ? nil : admission(of: head, connection, route, context, caller.identities),
                realms: realms, shadowRefusals: refusals))
    }

    /// What a request that may change the protocol of its connection was let in with.
    func admission(
        of head: RequestHead, _ connection: ConnectionFacts, _ route: Route, _ context: RequestContext,
        _ identities: [Identity]
    ) -> Admission? {
        guard route.upgrade?.requested(by: head) != nil else { return nil }
        return Admission(head, connection, identities: identities, endsWithCredential: !route.isShadow, now: context.now.wall)
    }

    /// Step 10: nil when the caller may do this, from this address; the route's addresses, then those of each credential.
    @inline(__always)
    private func authorise(
        _ caller: Caller, _ route: Route, _ head: inout RequestHead, _ connection: ConnectionFacts, _ form: Grant.PathForm,
        _ context: RequestContext, _ memory: DecisionMemory
    ) -> Denial? {
        guard route.authorization.admits(context.client) else { return .addressNotAllowed }
        if let denial = caller.addressDenial(context.client) { return denial }
        if let denial = caller.denial { return denial }
        if let rule = route.accept, !rule.isAccepted(by: head) { return .notAcceptable }
        if let rule = route.contentTypes, !rule.takesContent(of: head) { return .contentTypeNotSupported }
        if route.readsContent, let denial = unreadableContent(of: head, route) { return denial }
        guard route.authorization.usesTemplates else { return nil }
        return templateDenial(by: route.authorization, caller, route, head, connection, form, context, memory)
    }

    /// What a rule has against the caller's claims and memberships.
    func templateDenial(
        by rule: Authorization, _ caller: Caller, _ route: Route, _ head: RequestHead, _ connection: ConnectionFacts,
        _ form: Grant.PathForm, _ context: RequestContext, _ memory: DecisionMemory
    ) -> Denial? {
        let source = TemplateSource(
            identity: caller.identity, client: context.client, route: route.name,
            certificate: connection.clientCertificate, user: caller.user)
        if form == .unchanged {
            return rule.templateDenial(
                for: source, caller.others, path: head.bytes.span.extracting(head.path.range), scratch: &memory.scratch)
        }
        let path = memory.path
        return rule.templateDenial(for: source, caller.others, path: path.span, scratch: &memory.scratch)
    }

    /// The reading of a request's path that leads elsewhere than to the route it was matched to.
    @inline(never)
    func ambiguity(
        of head: RequestHead, _ shape: PathShape, _ outcome: PathNormaliser.Outcome, _ route: Route, _ memory: DecisionMemory
    ) -> PathAmbiguity? {
        if case .rewritten = outcome {
            let normal = memory.path
            return ambiguity(of: head, shape, normal: normal.span, route, &memory.readings)
        }
        let received = head.bytes.span.extracting(head.path.range)
        return ambiguity(of: head, shape, normal: received, route, &memory.readings)
    }

    /// The same, for a path whose normal form is at hand.
    func ambiguity(
        of head: RequestHead, _ shape: PathShape, normal: Span<UInt8>, _ route: Route, _ scratch: inout PathReadings.Scratch
    ) -> PathAmbiguity? {
        let received = head.bytes.span.extracting(head.path.range)
        guard shape == .odd, normaliser.unmerge(received, into: &scratch.unmerged) else {
            return readings.ambiguity(of: head, shape, normal: normal, unmerged: nil, route: route, scratch: &scratch)
        }
        let unmerged = scratch.unmerged
        return readings.ambiguity(
            of: head, shape, normal: normal, unmerged: unmerged.span, route: route, scratch: &scratch)
    }

    /// Which spelling of a path goes on. One that came in normal form goes on as it is. Another one goes on byte for
    /// byte as received (RFC 9110 §7.7) only when, matched literally, it leads to the same pattern with captures that
    /// decode to the same values; otherwise the normal form, which was matched, is what the upstream sees.
    func pathForm(
        _ head: RequestHead, _ outcome: PathNormaliser.Outcome, _ leaf: Int, _ memory: DecisionMemory
    ) -> Grant.PathForm {
        guard case .rewritten(let hasMoved) = outcome else { return .unchanged }
        let received = head.bytes.span.extracting(head.path.range)
        let normal = memory.path
        guard !hasMoved, received.count > 0,
            table.leaf(head, path: received, scratch: &memory.host) == leaf,
            table.capturesAgree(at: leaf, received, normal.span)
        else { return .normalised }
        return .asReceived
    }

    /// `OPTIONS *`, also as an absolute target without path and query (RFC 9112 §3.2.4).
    private func isServerOptions(_ head: RequestHead) -> Bool {
        switch head.targetForm {
        case .origin: false
        case .asterisk: true
        case .absolute: head.method == .options && head.path.isEmpty && !head.hasQuery
        }
    }

    /// Max-Forwards of TRACE and OPTIONS (RFC 9110 §7.6.2): at 0 the request ends here. Nobody is traced to: a
    /// reflected request would show what other servers added to it.
    private func lastHop(_ head: RequestHead, _ leaf: Int, _ context: RequestContext) -> Decision? {
        switch MaxForwards(head) {
        case .absent, .hops: nil
        case .invalid: .refuse(Refusal(.maxForwardsInvalid, client: context.client))
        case .exhausted:
            head.method == .options
                ? .answer(.resourceOptions(leaf: leaf))
                : .refuse(Refusal(.methodNotAllowed, client: context.client, allow: table.allow(leaf)))
        }
    }
}
