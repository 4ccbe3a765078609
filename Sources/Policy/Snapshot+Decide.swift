package import Core

extension Snapshot {
    /// Decides what is to be done with a request. Pure: the same values give the same decision, apart from the buckets
    /// and the failure budget, which `memory` refers to and which count. Changes nothing in the head.
    package func decide(
        _ head: inout RequestHead, connection: ConnectionFacts, now: ClockReading, memory: DecisionMemory
    ) -> Decision {
        if isServerOptions(head) { return .answer(.serverOptions) }
        var context = RequestContext(connection: connection, now: now, client: connection.peer, isPeerTrusted: false)
        if clientAddress.trusts(connection.peer) {
            context.isPeerTrusted = true
            guard let client = clientAddress.client(head, behind: connection.peer) else {
                return .refuse(Refusal(denial: .forwardingAmbiguous, client: connection.peer))
            }
            context.client = client
        }
        let path = head.bytes.span.extracting(head.path.range)
        let outcome = normaliser.normalise(path, into: &memory.path)
        switch outcome {
        case .unchanged:
            memory.path.removeAll(keepingCapacity: true)
            memory.path.append(contentsOf: path)
        case .rewritten: break
        case .refused(let fault): return .refuse(Refusal(denial: .path(fault), client: context.client))
        }
        // A span of the memory's own array could not be lent out beside its scratch space.
        let normal = memory.path
        guard let leaf = table.leaf(head, path: normal.span, scratch: &memory.host) else {
            return .refuse(Refusal(denial: .routeNotFound, client: context.client))
        }
        if head.method == .options || head.method == .trace, let decision = lastHop(head, leaf, context) {
            return decision
        }
        switch table.choose(at: leaf, head) {
        case .found(let index):
            return decide(head, routes[index], pathForm(head, outcome, leaf, memory), context, memory)
        case .methodNotAllowed: return .refuse(methodRefusal(leaf, context))
        case .notFound: return .refuse(Refusal(denial: .routeNotFound, client: context.client))
        }
    }

    /// Steps 7 to 11: who, whether, how often.
    private func decide(
        _ head: RequestHead, _ route: Route, _ form: Grant.PathForm, _ context: RequestContext, _ memory: DecisionMemory
    ) -> Decision {
        var refusal = Refusal(denial: .addressNotAllowed, client: context.client)
        refusal.route = route
        if !route.credentials.isOpen {
            let authenticator = RequestAuthenticator(context: context, memory: memory, cryptography: cryptography)
            switch authenticator.authenticate(head, by: route.credentials) {
            case .recognised(let identity, let fingerprint):
                refusal.identity = identity
                refusal.fingerprint = fingerprint
            case .refused(let denial, let fingerprint, let retryAfter):
                refusal.denial = denial
                refusal.fingerprint = fingerprint
                refusal.retryAfter = retryAfter
                return .refuse(refusal)
            case .wait(let cell, let fault, let fingerprint):
                refusal.denial = .token(fault)
                refusal.fingerprint = fingerprint
                return .wait(cell, refusal)
            }
        }
        let limiter = RateLimiter(context: context, memory: memory)
        let limits = limits(of: refusal.identity, route)
        if let denial = authorise(refusal.identity, route, context, memory) {
            refusal.denial = denial
            if !refusal.identity.isAnonymous {
                refusal.rate = limiter.standing(limits, route: route, identity: refusal.identity)
            }
            return .refuse(refusal)
        }
        var rate: RateStatus?
        if !limits.isEmpty {
            switch limiter.take(limits, route: route, identity: refusal.identity) {
            case .taken(let status): rate = status
            case .refused(let status):
                refusal.denial = .rateLimited
                refusal.rate = status
                return .refuse(refusal)
            case .tableFull:
                refusal.denial = .limitsUnavailable
                return .refuse(refusal)
            }
        }
        return .forward(
            Grant(
                route: route, context: context, identity: refusal.identity, fingerprint: refusal.fingerprint,
                rate: rate,
                pathForm: form))
    }

    /// Step 10: nil when the identity may do this, from this address; the route's addresses, then the credential's own.
    private func authorise(
        _ identity: Identity, _ route: Route, _ context: RequestContext, _ memory: DecisionMemory
    ) -> Denial? {
        guard route.authorization.admits(context.client) else { return .addressNotAllowed }
        let path = memory.path
        guard identity.admits(context.client) else {
            return identity.token == nil ? .addressNotAllowed : .tokenAddressNotAllowed
        }
        return route.authorization.denial(
            for: TemplateSource(identity: identity, client: context.client, route: route.name),
            path: path.span, scratch: &memory.scratch)
    }

    /// A key's own limits stand in place of the route's.
    private func limits(of identity: Identity, _ route: Route) -> LimitList {
        switch identity {
        case .anonymous, .token: route.limits
        case .apiKey(let record, let authenticator): authenticator.limits(of: record) ?? route.limits
        }
    }

    /// Which spelling of a path goes on. One that came in normal form goes on as it is. Another one goes on byte for
    /// byte as received (RFC 9110 §7.7) only when, matched literally, it leads to the same pattern with captures that
    /// decode to the same values; otherwise the normal form, which was matched, is what the upstream sees.
    private func pathForm(
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
        case .invalid: .refuse(Refusal(denial: .maxForwardsInvalid, client: context.client))
        case .exhausted:
            head.method == .options ? .answer(.resourceOptions(leaf: leaf)) : .refuse(methodRefusal(leaf, context))
        }
    }

    private func methodRefusal(_ leaf: Int, _ context: RequestContext) -> Refusal {
        var refusal = Refusal(denial: .methodNotAllowed, client: context.client)
        refusal.leaf = leaf
        return refusal
    }
}
