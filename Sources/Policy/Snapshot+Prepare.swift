package import Core

extension Grant {
    /// Marks dropped what no client may send here in the trailer section either: a server that merges trailers into the
    /// head (RFC 9110 §6.5.1) would take them for the gateway's.
    package func dropTrailers(_ fields: inout [FieldLine], in bytes: Span<UInt8>) {
        for index in fields.indices
        where route.request.dropsTrailer(named: bytes.extracting(fields[index].name.range)) {
            fields[index].isDropped = true
        }
    }
}

extension Snapshot {
    /// Makes of a granted request what the upstream gets: marks fields of the head dropped, and fills `plan` with the
    /// lines to add, the target and the Host. `again`: the same was done with this head before, and `plan` has been used
    /// for another since. `stored`: what the upstream is shown for the caller where the route has a stored credential.
    ///
    /// Returns a denial when a value to be sent is too long; then nothing may be forwarded.
    package func prepare(
        _ grant: Grant, head: inout RequestHead, connection: ConnectionFacts, requestID: Span<UInt8>, again: Bool = false,
        showing stored: UpstreamCredential? = nil, into plan: inout UpstreamPlan
    ) -> Denial? {
        let route = grant.route
        plan.lines.removeAll()
        let mayBeTraced = dropFields(of: &head, route.request, isPeerTrusted: grant.isPeerTrusted)
        if let denial = writeTarget(grant, head, requestID, showing: stored, to: &plan) { return denial }
        writeHost(route, head, to: &plan)
        forwarding.append(to: &plan, head: &head, connection: connection, grant: grant)
        plan.lines.append(name: "X-Request-ID", value: requestID)
        if mayBeTraced { continueTrace(&head, requestID: requestID, &plan.lines) }
        if head.method == .options || head.method == .trace { countHop(&head, &plan.lines) }
        if !route.request.strippedCookies.isEmpty {
            stripCookies(&head, route.request.strippedCookies, again: again, &plan.lines)
        }
        if grant.caller.isTooLong { return .identityTooLarge }
        grant.caller.lines.append(to: &plan.lines)
        if route.request.varying.isEmpty, route.request.query.isEmpty { return nil }
        var source = grant.templateSource
        source.stored = stored
        let path = plan.path
        if !route.request.query.isEmpty, !plan.addParameters(route.request.query, source, requestID: requestID) {
            return .identityTooLarge
        }
        let isWritten = FieldTemplate.append(
            route.request.varying, to: &plan.lines, scratch: &plan.scratch, source, path: path.span, requestID: requestID)
        return isWritten ? nil : .identityTooLarge
    }

    /// The identifier to use for a request: the client's own X-Request-ID where its peer is a trusted proxy and it is
    /// one of 1 to 128 of `[A-Za-z0-9._-]`. Nil asks for a new one.
    package func requestID(in head: inout RequestHead, connection: ConnectionFacts) -> Range<Int>? {
        guard clientAddress.trusts(connection.peer) else { return nil }
        var found: Range<Int>?
        for field in head.fields where field.known == .xRequestID {
            if found != nil { return nil }
            found = field.value.range
        }
        guard let found, RequestID.isAcceptable(head.bytes.span.extracting(found)) else { return nil }
        return found
    }

    /// Marks dropped what may not go on. False when there is no field of a trace.
    @inline(__always)
    private func dropFields(of head: inout RequestHead, _ rules: RequestRules, isPeerTrusted: Bool) -> Bool {
        var mayBeTraced = false
        for index in head.fields.indices {
            let field = head.fields[index]
            let isDropped: Bool
            switch field.known {
            case .other:
                // As long as "tracestate".
                if field.name.count == 10 { mayBeTraced = true }
                isDropped = rules.drops(
                    named: head.bytes.span.extracting(field.name.range), isPeerTrusted: isPeerTrusted)
            case .xForwardedFor, .xForwardedHost, .xForwardedProto, .xForwardedPort, .xRealIP, .forwarded, .xRequestID:
                isDropped = true
            case .authorization: isDropped = rules.dropsAuthorization(field.value.range, of: head)
            case .connection, .contentLength, .contentType, .cookie, .date, .expect, .host, .keepAlive,
                .maxForwards, .proxyConnection, .proxyAuthorization, .proxyAuthenticate, .retryAfter, .server, .te,
                .trailer, .transferEncoding, .upgrade, .via, .wwwAuthenticate:
                isDropped = rules.drops(field.known)
            case .traceparent:
                mayBeTraced = true
                isDropped = rules.drops(field.known)
            }
            if isDropped { head.fields[index].isDropped = true }
        }
        return mayBeTraced
    }

    private func writeTarget(
        _ grant: Grant, _ head: RequestHead, _ requestID: Span<UInt8>, showing stored: UpstreamCredential?, to plan: inout UpstreamPlan
    ) -> Denial? {
        let received = head.bytes.span.extracting(head.path.range)
        if grant.pathForm != .unchanged {
            _ = normaliser.normalise(received, into: &plan.path)
        } else if grant.route.request.usesPath {
            plan.path.removeAll(keepingCapacity: true)
            plan.path.append(contentsOf: received)
        }
        plan.target.removeAll(keepingCapacity: true)
        if let pattern = grant.route.request.upstreamPath {
            let denial = write(pattern, grant, received, requestID, showing: stored, to: &plan)
            if let denial { return denial }
        } else {
            switch grant.pathForm {
            case .unchanged, .asReceived: plan.target.append(contentsOf: received)
            case .normalised: plan.target += plan.path
            }
        }
        guard head.hasQuery else { return nil }
        let query = head.bytes.span.extracting(head.query.range)
        let parameters = grant.route.request.strippedParameters
        plan.target.append(0x3F)
        if parameters.isEmpty {
            plan.target.append(contentsOf: query)
        } else if !QueryParameters.append(query, without: parameters, to: &plan.target), !query.isEmpty {
            plan.target.removeLast()
        }
        return nil
    }

    /// Writes the path of a route that has one of its own. It is held to the rules for paths of clients, since values are from
    /// elsewhere.
    @inline(never)
    private func write(
        _ pattern: UpstreamPath, _ grant: Grant, _ received: Span<UInt8>, _ requestID: Span<UInt8>,
        showing stored: UpstreamCredential?, to plan: inout UpstreamPlan
    ) -> Denial? {
        var source = grant.templateSource
        source.stored = stored
        let path = plan.path
        let denial = pattern.append(
            to: &plan.target, source, path: path.span, forwarded: grant.pathForm == .normalised ? path.span : received,
            requestID: requestID, readings: readings.of(grant.route.index))
        if let denial { return denial }
        let target = plan.target
        var uses = PathUses()
        switch normaliser.normalise(target.span, into: &plan.scratch, uses: &uses) {
        case .unchanged, .rewritten(hasMoved: false):
            return uses.intersection(grant.route.refusedPathUses).fault.map { .path($0) }
        case .rewritten(hasMoved: true): return .path(.dotSegment)
        case .refused(let fault): return .path(fault)
        }
    }

    private func writeHost(_ route: Route, _ head: RequestHead, to plan: inout UpstreamPlan) {
        switch route.hostPolicy {
        case .keep: plan.setHost(head.bytes.span.extracting(head.authority.range))
        case .server: plan.setHost(Span())
        case .literal(let host): plan.setHost(host.utf8.span)
        }
    }

    /// Continues the client's trace with a span of ours (W3C Trace Context §3.2); one that cannot be read is followed
    /// by a new one, and `tracestate` goes on only with the trace it belongs to. Nothing is traced that the client did
    /// not trace.
    private func continueTrace(_ head: inout RequestHead, requestID: Span<UInt8>, _ lines: inout HeaderLines) {
        var count = 0
        var context: TraceContext?
        for index in head.fields.indices where head.fields[index].known == .traceparent {
            count &+= 1
            context = TraceContext(traceparent: head.bytes.span.extracting(head.fields[index].value.range))
            head.fields[index].isDropped = true
        }
        if count != 1 { context = nil }
        if context == nil {
            for index in head.fields.indices where head.fields[index].name.count == 10 {
                if head.bytes.span.extracting(head.fields[index].name.range).equalsIgnoringCase("tracestate") {
                    head.fields[index].isDropped = true
                }
            }
        }
        guard count > 0 else { return }
        // The request's identifier is unique, so a keyed hash of it is a span of its own and, twice, a trace.
        let (first, second) = FastHash.hash128(requestID, seed: traceSeed)
        let next =
            context?.continued(by: first)
            ?? TraceContext(traceHigh: first, traceLow: second, span: first ^ second, flags: 0)
        lines.append(name: "traceparent") { next.append(to: &$0) }
    }

    /// One hop less for TRACE and OPTIONS.
    private func countHop(_ head: inout RequestHead, _ lines: inout HeaderLines) {
        guard case .hops(let hops) = MaxForwards(head) else { return }
        for index in head.fields.indices where head.fields[index].known == .maxForwards {
            head.fields[index].isDropped = true
        }
        lines.append(name: "Max-Forwards") { $0.append(decimal: hops &- 1) }
    }

    /// Takes the cookies that are credentials out of the Cookie lines that hold them; the other cookies go on.
    private func stripCookies(
        _ head: inout RequestHead, _ names: [ParameterName], again: Bool, _ lines: inout HeaderLines
    ) {
        for index in head.fields.indices where head.fields[index].known == .cookie {
            guard
                let rest = CookiePairs.rest(
                    of: head.bytes.span.extracting(head.fields[index].value.range), without: names)
            else { continue }
            if head.fields[index].isDropped, !again {
                // Removed for another reason: nor is it a cookie when the same is done again.
                head.fields[index].known = .other
                continue
            }
            head.fields[index].isDropped = true
            if !rest.isEmpty { lines.append(name: "Cookie", value: rest.span) }
        }
    }
}
