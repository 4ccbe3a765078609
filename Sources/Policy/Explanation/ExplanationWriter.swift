import Core

/// Writes the explanation of one request that was tried.
struct ExplanationWriter {
    typealias Check = Explanation.Check

    let snapshot: Snapshot
    let document: PolicyDocument
    let trial: Trial
    let outcome: TrialOutcome
    /// The request as it came; nil when it could not be read.
    let original: RequestHead?
    let connection: ConnectionFacts
    /// Nil where no listener is known.
    let entrance: Entrance?
    let now: ClockReading
    /// Counted so far: nil when buckets began full.
    let standing: Explainer.Standing?
    /// The step that refused; nil when none did.
    let failing: ExplanationStep?
    let route: Route?
    /// What holds credentials under this policy.
    let mask: Masking
    let context: RequestContext

    init(
        _ explainer: Explainer, _ trial: Trial, _ outcome: TrialOutcome, _ original: RequestHead?,
        _ connection: ConnectionFacts, _ now: ClockReading
    ) {
        snapshot = explainer.snapshot
        mask = Masking(explainer.snapshot)
        document = explainer.document
        standing = explainer.standing
        entrance = explainer.entrance
        self.trial = trial
        self.outcome = outcome
        self.original = original
        self.connection = connection
        self.now = now
        if case .noConnection = outcome { failing = .listener } else { failing = outcome.refusal?.denial.step }
        route = outcome.grant?.route ?? outcome.refusal?.route
        context = RequestContext(
            now: now, client: outcome.grant?.client ?? outcome.refusal?.client ?? connection.peer,
            isPeerTrusted: explainer.snapshot.clientAddress.trusts(connection.peer), hasWaited: true)
    }

    func explanation() -> Explanation {
        var explanation = Explanation(
            file: document.file, request: original.map(mask.requestLine) ?? "no request", client: connection.peer, time: now.wall,
            steps: steps(), outcome: .answered, status: nil, answer: answer())
        explanation.route = (route ?? preflight?.route)?.name
        switch outcome {
        case .forwarded(let grant):
            explanation.outcome = .forwarded
            explanation.upstream = grant.route.upstreamName
            explanation.forwarded = forwarded(by: grant)
            note(grant.identity, grant.fingerprint, in: &explanation)
        case .performed(let grant):
            explanation.outcome = .performed
            note(grant.identity, grant.fingerprint, in: &explanation)
        case .refused(let refusal):
            explanation.outcome = .refused
            explanation.status = trial.answer.status
            explanation.reason = refusal.denial.reason
            explanation.profile = profile(of: refusal)
            note(refusal.identity, refusal.fingerprint, in: &explanation)
            explanation.ambiguity = refusal.ambiguity.map { ambiguity in
                Explanation.Ambiguity(
                    otherRoute: ambiguity.otherRoute(in: snapshot), readings: ambiguity.readings.map(\.rawValue), path: ambiguity.path)
            }
        case .answered, .redirected: explanation.status = trial.answer.status
        case .noConnection: explanation.outcome = .noConnection
        }
        explanation.wouldHave = shadowRefusals()
        let failed = explanation.steps.first { $0.verdict == .failed }
        explanation.rule =
            failed?.checks.first { $0.verdict == .failed && $0.rule != nil }?.rule ?? route.map { rule(of: $0) }
        if let preflight { explanation.rule = document.corsRule(of: preflight.route?.index) }
        if case .redirected = outcome { explanation.rule = explanation.steps.first?.checks.last?.rule }
        if let original { explanation.mask(ShownCredentials(original, mask)) }
        return explanation
    }

    private func note(_ identity: Identity, _ fingerprint: UInt32?, in explanation: inout Explanation) {
        var credential: [UInt8] = []
        if identity.appendCredential(to: &credential) {
            explanation.credential = String(decoding: credential, as: UTF8.self)
        }
        explanation.fingerprint = fingerprint
    }

    // MARK: Steps

    private func steps() -> [Explanation.Step] {
        ExplanationStep.allCases.filter { $0 != .cors || snapshot.usesCORS }.map { kind in
            var verdict = Explanation.Verdict.passed
            if let failing, kind >= failing { verdict = kind == failing ? .failed : .notReached }
            if case .answered = outcome, kind > (preflight == nil ? .route : .cors) { verdict = .notReached }
            if case .redirected = outcome, kind > .request { verdict = .notReached }
            if case .performed = outcome, kind == .upstream { verdict = .notReached }
            if verdict == .notReached { return Explanation.Step(kind: kind, verdict: verdict, checks: []) }
            var checks = checks(of: kind)
            // What is not written is a default, and has no place.
            for index in checks.indices where checks[index].rule?.path.isEmpty ?? false { checks[index].rule = nil }
            if verdict == .failed, !checks.contains(where: { $0.verdict == .failed }) {
                checks.append(Check(verdict: .failed, text: denialText, rule: route.map { rule(of: $0) }))
            }
            if verdict == .passed {
                // What a later check would have said after another one let the request in is no verdict.
                for index in checks.indices where checks[index].verdict == .failed { checks[index].verdict = .noted }
            }
            return Explanation.Step(kind: kind, verdict: verdict, checks: checks + shadowChecks(of: kind))
        }
    }

    private func checks(of kind: ExplanationStep) -> [Check] {
        switch kind {
        case .listener: listenerChecks()
        case .request: requestChecks()
        case .client: clientChecks()
        case .path: pathChecks()
        case .route: routeChecks()
        case .transport: transportChecks()
        case .cors: corsChecks()
        case .failureBudget: failureChecks()
        case .credential: credentialChecks()
        case .identity: identityChecks()
        case .authorization: authorizationChecks()
        case .limits: limitChecks()
        case .forwarding: forwardingChecks()
        case .upstream: upstreamChecks()
        }
    }

    /// The sentence of the denial; empty when there is none.
    var denialText: String {
        guard let denial = outcome.refusal?.denial else { return "" }
        return "\(denial.reason): \(denial.detail)" + (denial.tokenMember.map { " Invalid: \($0)." } ?? "")
    }

    func rule(of route: Route) -> RuleReference {
        document.rule("routes", .element(route.index))
    }

    func note(_ text: String, _ rule: RuleReference? = nil) -> Check { Check(verdict: .noted, text: text, rule: rule) }

    func pass(_ text: String, _ rule: RuleReference? = nil) -> Check { Check(verdict: .passed, text: text, rule: rule) }

    func fail(_ text: String, _ rule: RuleReference? = nil) -> Check { Check(verdict: .failed, text: text, rule: rule) }

    func verdict(_ isMet: Bool, _ text: String, _ rule: RuleReference? = nil) -> Check {
        isMet ? pass(text, rule) : fail(text, rule)
    }

    // MARK: The first steps

    private func requestChecks() -> [Check] {
        guard let original else { return [fail(denialText)] }
        let method = String(decoding: original.bytes[original.methodRange.range], as: UTF8.self)
        return [note("\(method) over \(connection.isSecure ? "https" : "http")")]
    }

    private func clientChecks() -> [Check] {
        guard context.isPeerTrusted else {
            return [note("\(context.client) is the other end of the connection, and no trusted proxy: it is the client")]
        }
        let rule = document.rule("trusted_proxies")
        if failing == .client { return [fail(denialText, rule)] }
        return [
            note(
                context.client == connection.peer
                    ? "\(connection.peer) is a trusted proxy and names no client: it is the client itself"
                    : "\(connection.peer) is a trusted proxy; behind it \(context.client)", rule)
        ]
    }

    private func pathChecks() -> [Check] {
        guard let original else { return [] }
        if original.targetForm == .asterisk { return [note("the target is the gateway itself")] }
        let received = String(decoding: original.bytes[original.path.range], as: UTF8.self)
        var path: [UInt8] = []
        let bytes = original.bytes
        if let refusal = outcome.refusal, let ambiguity = refusal.ambiguity, let route = refusal.route {
            let member = ambiguity.otherRoute(in: snapshot).map { name in
                snapshot.routes.firstIndex { $0.name == name } ?? route.index
            }
            let rule = pathRule(route) ?? document.rule("routes", .element(member ?? route.index), "match", "path")
            return [fail("\(received): \(denialText) \(ambiguity.sentence(for: route.name, in: snapshot))", rule)]
        }
        if failing == .path { return [fail("\(received): \(denialText)", pathRule(outcome.refusal?.route) ?? document.rule("paths"))] }
        switch snapshot.normaliser.normalise(bytes.span.extracting(original.path.range), into: &path) {
        case .unchanged: return [note("\(received) is in normal form")]
        case .rewritten:
            let form =
                switch outcome.grant?.pathForm {
                case .asReceived, .unchanged: "; the upstream gets it as it came"
                case .normalised: "; the upstream gets the normal form"
                case nil: ""
                }
            return [note("\(received) is matched as \(String(decoding: path, as: UTF8.self))\(form)")]
        case .refused: return [fail("\(received): \(denialText)", document.rule("paths"))]
        }
    }

    /// The rules for paths that count for a route; nil where the file has none.
    private func pathRule(_ route: Route?) -> RuleReference? {
        if let route, route.hasOwnPathRules { return document.rule("routes", .element(route.index), "paths") }
        return document.has("paths") ? document.rule("paths") : nil
    }

    private func transportChecks() -> [Check] {
        guard let route = route ?? preflight?.route, let original else { return [] }
        let rule =
            document.has("routes", .element(route.index), "https_only")
            ? document.rule("routes", .element(route.index), "https_only") : document.rule("https_only")
        if !route.isHTTPSOnly { return [note("served over http and https")] }
        return [verdict(snapshot.isSecure(original, connection: connection), "https only", rule)]
    }

    private func failureChecks() -> [Check] {
        let rule = document.rule("failure_budget")
        if failing == .failureBudget { return [fail("\(context.client): \(denialText)", rule)] }
        if snapshot.configuration.failureBudget == nil { return [note("no failure is counted", rule)] }
        let isExhausted = trial.memory.failureBudget.retryAfter(context.client, now: now.instant) != nil
        if isExhausted, outcome.grant?.fingerprint != nil || outcome.refusal?.fingerprint != nil {
            return [note("\(context.client.accountable) has no failures left; the credential was accepted before, or needs none", rule)]
        }
        return [note("\(context.client.accountable) has failures left", document.has("failure_budget") ? rule : nil)]
    }
}
