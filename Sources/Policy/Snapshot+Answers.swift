package import Core

extension Snapshot {
    /// Fills in the answer to a refused request, by its route's profile; to a gRPC request, a gRPC status with the headers of
    /// the profile and no content.
    /// - Parameters:
    ///   - head: the request's head, as far as there is one.
    ///   - isForPages: pages of other origins may read it by `cors`; what the admin listener says is for none of them.
    package func answer(
        _ refusal: Refusal, requestID: Span<UInt8>, now: ClockReading, head: RequestHead?,
        isForPages: Bool = true, into answer: inout LocalAnswer
    ) {
        answer.removeAll()
        let profile = refusal.route?.profile ?? profile
        let template = profile.answer(for: refusal.denial)
        let wait = Self.wait(of: refusal)
        let status = template.status ?? refusal.denial.status
        let values = AnswerValues(
            reason: refusal.denial.reason, status: status, title: ReasonPhrase.standard(for: status),
            detail: refusal.denial.detail, messages: refusal.messages,
            retryAfter: wait.map { RateHeaders.retryAfterSeconds($0) },
            reset: wait.map { RateHeaders.resetSecond($0, now: now.wall) })
        answer.status = status
        var isGRPC = false
        if let head, let type = GRPCAnswer.mediaType(of: head) {
            isGRPC = true
            answer.status = 200
            GRPCAnswer.append(refusal.denial, type: head.bytes.span.extracting(type), to: &answer.lines)
        } else if let body = template.body {
            body.append(values, requestID: requestID, to: &answer.body)
            answer.lines.append(name: "Content-Type", value: template.contentType.span)
            if template.forbidsSniffing { answer.lines.append(name: "X-Content-Type-Options", value: "nosniff") }
        } else {
            Self.appendProblem(values, requestID: requestID, to: &answer.body)
            answer.lines.append(name: "Content-Type", value: "application/problem+json")
        }
        answer.lines.append(name: "Cache-Control", value: "no-store")
        answer.lines.append(name: "X-Request-ID", value: requestID)
        if let allow = refusal.allow { answer.lines.append(name: "Allow", value: allow.span) }
        if !template.replacesChallenge, let challenges = refusal.route?.challenges ?? (status == 401 ? Challenges.none : nil),
            let extent = Challenges.Extent(of: refusal.denial, status: status, wanted: template.challenge)
        {
            challenges.append(for: refusal.denial, extent, isGranted: refusal.isGranted, realm: profile.challengeRealm ?? challengeRealm,
                to: &answer.lines)
        }
        if let rate = refusal.rate, let route = refusal.route {
            route.rateHeaders.append(rate, now: now, to: &answer.lines)
        }
        // On a refusal by a limit the rate headers have said it.
        if let seconds = values.retryAfter, !(refusal.rate?.isRefused ?? false) {
            answer.lines.append(name: "Retry-After") { $0.append(decimal: seconds) }
        }
        let cors = isForPages ? corsRule(for: refusal) : nil
        for header in template.headers where cors == nil || !CORSRule.isCORSField(header.name.span) {
            answer.lines.append(name: header.name.span) { header.value.append(values, requestID: requestID, to: &$0) }
        }
        // What was read of a head with a fault may lack an origin, or the second one.
        let isWhole = refusal.route != nil || refusal.denial.step > .request
        cors?.append(to: &answer.lines, for: isWhole ? head : nil, isGRPC: isGRPC)
    }

    /// Fills in an answer that is no refusal.
    package func answer(
        _ kind: LocalAnswerKind, head: RequestHead, requestID: Span<UInt8>, now: ClockReading,
        into answer: inout LocalAnswer
    ) {
        answer.removeAll()
        answer.status = 200
        answer.lines.append(name: "X-Request-ID", value: requestID)
        switch kind {
        case .serverOptions: break
        case .resourceOptions(let leaf):
            let allow = table.allow(leaf)
            if !allow.isEmpty { answer.lines.append(name: "Allow", value: allow.span) }
            cors?.append(to: &answer.lines, for: head)
        case .preflight(let preflight):
            answer.status = 204
            preflight.rule.append(preflightTo: &answer.lines, for: head, methods: allowedMethods(by: preflight, head))
        }
    }

    /// Fills in the answer of an action that was carried out, with the fields the route adds to responses.
    package func answer(
        _ answer: ActionAnswer, grant: Grant, head: RequestHead, requestID: Span<UInt8>, now: ClockReading,
        into local: inout LocalAnswer
    ) {
        local.removeAll()
        local.status = answer.status
        local.body = answer.body
        if !answer.body.isEmpty { local.lines.append(name: Array("Content-Type".utf8), value: Array(answer.contentType.utf8)) }
        local.lines.append(name: "X-Request-ID", value: requestID)
        if !answer.headers.contains(where: { $0.name == "Cache-Control" }) {
            local.lines.append(name: "Cache-Control", value: "no-store")
        }
        for header in answer.headers { local.lines.append(name: Array(header.name.utf8), value: Array(header.value.utf8)) }
        if let rate = grant.rate { grant.route.rateHeaders.append(rate, now: now, to: &local.lines) }
        if !grant.route.response.added.isEmpty { appendSetFields(grant.route.response.added, grant, requestID, &local.lines) }
        grant.route.cors?.append(to: &local.lines, for: head)
    }

    /// Makes an upstream's response the client's: marks fields dropped, and fills `lines` with those to add. Dropped
    /// are the upstream's X-Request-ID and Server, what it says of rate limits unless the policy keeps that, and what
    /// the route sets or removes.
    package func completeResponse(
        _ head: inout ResponseHead, grant: Grant?, requestID: Span<UInt8>, now: ClockReading,
        into lines: inout HeaderLines
    ) {
        lines.removeAll()
        lines.append(name: "X-Request-ID", value: requestID)
        guard let grant else { return }
        grant.route.response.drop(from: &head)
        if let rate = grant.rate { grant.route.rateHeaders.append(rate, now: now, to: &lines) }
        if !grant.route.response.added.isEmpty {
            appendSetFields(grant.route.response.added, grant, requestID, &lines)
        }
    }

    private func appendSetFields(
        _ fields: [FieldTemplate], _ grant: Grant, _ requestID: Span<UInt8>, _ lines: inout HeaderLines
    ) {
        let source = grant.templateSource
        var scratch: [UInt8] = []
        // The request's path is gone by now, so the reader of the configuration admits no captures here.
        let path: [UInt8] = []
        for field in fields {
            _ = field.append(to: &lines, scratch: &scratch, source, path: path.span, requestID: requestID)
        }
    }

    /// How long a client should wait before it tries again; nil where waiting does not help.
    private static func wait(of refusal: Refusal) -> Nanoseconds? {
        if let retryAfter = refusal.retryAfter { return retryAfter }
        switch refusal.denial {
        case .rateLimited: return refusal.rate?.retryAfter
        case .token(.keySetUnavailable): return .seconds(5)
        case .tooManyFailures, .tooManyAttempts, .limitsUnavailable, .noServerAvailable, .upstreamUnresolved, .overloaded,
            .storeUnavailable:
            return .seconds(1)
        case .malformedRequest, .path, .forwardingAmbiguous, .maxForwardsInvalid, .headTimeout, .bodyTimeout,
            .bodyTooLarge, .routeNotFound, .methodNotAllowed, .httpsRequired, .schemeNotSupported,
            .credentialMissing, .credentialMalformed, .credentialAmbiguous, .credentialUnknown, .keyDisabled,
            .keyNotYetValid, .keyExpired, .certificateExpired, .token, .addressNotAllowed, .tokenAddressNotAllowed,
            .scopeMissing, .claimMismatch, .identityTooLarge, .upstreamUnreachable, .upstreamConnectTimeout,
            .upstreamClosed, .upstreamTimeout, .routeTimeout, .upstreamInvalidResponse, .upstreamTLSFailed,
            .membershipMissing, .realmMissing, .realmConflict, .realmAmbiguous, .realmNotAllowed, .notAcceptable,
            .contentTypeNotSupported, .contentMalformed, .parametersInvalid, .resourceNotFound, .resourceConflict,
            .loginFailed, .currentPasswordWrong, .tokenNotRenewable, .lifetimeAboveCeiling, .tokenOptionNotAllowed, .refreshTokenInvalid,
            .upstreamCredentialMissing, .upstreamCredentialRefreshFailed, .originNotAllowed:
            return nil
        }
    }

    /// The body of RFC 9457, with `reason`, `request_id` and, where waiting helps, `retry_after`.
    private static func appendProblem(_ values: AnswerValues, requestID: Span<UInt8>, to body: inout [UInt8]) {
        body.append("{\"type\":\"about:blank\",\"title\":\"")
        body.append(values.title)
        body.append("\",\"status\":")
        body.append(decimal: values.status)
        body.append(",\"detail\":")
        body.append(jsonString: values.detail.description)
        body.append(",\"reason\":")
        body.append(jsonString: values.reason)
        body.append(",\"request_id\":")
        body.append(jsonString: requestID)
        if let retryAfter = values.retryAfter {
            body.append(",\"retry_after\":")
            body.append(decimal: retryAfter)
        }
        for (index, message) in values.messages.enumerated() {
            body.append(index == 0 ? ",\"errors\":[" : ",")
            body.append(jsonString: message)
        }
        body.append(values.messages.isEmpty ? "}\n" : "]}\n")
    }
}
