package import Core

extension PolicyRehearsal {
    /// The decision on a record's request, step by step, made again with what stands for its credential. Nil where it would
    /// not end as it did.
    /// - Parameter denial: what it was refused for; nil when it was let through.
    package func retraced(
        _ facts: LoggedFacts, _ denial: Denial?, at time: WallTime, document: PolicyDocument
    ) -> Explanation? {
        var credential = ReplayedCredential.none
        if facts.authentication == "certificate" { return nil }
        if facts.isToken {
            let authenticators = tokenAuthenticators(of: route(named: facts.route))
            guard authenticators.count == 1, let token = PolicyTestConfiguration.Token(facts, for: authenticators[0]) else { return nil }
            credential = .token(authenticators[0], token)
        } else if let fingerprint = facts.fingerprint {
            let known = key(fingerprint, id: facts.credential)
            credential = .secret(known?.digest ?? ReplayedCredential.unknown(fingerprint), prefix: known?.prefix ?? "")
        }
        let routes = routes(for: facts).map { ($0, snapshot.configuration.routes[$0.index]) }
        let variations = Variations(of: facts, routes, ownFields: facts.ownFields).all
        guard let (supposition, verdict) = supposition(for: facts, credential, variations, at: time) else { return nil }
        var explanation = explanation(of: facts, credential, supposing: supposition, at: time, document: document)
        explanation.fingerprint = facts.fingerprint ?? explanation.fingerprint
        explanation.remarks.append("decided again from the access record, with what stands for its credential")
        if let denial, verdict.reply.isAllowed {
            // It was refused by what nobody counts here, or by an upstream.
            explanation.end(with: denial, status: nil, rule: nil)
        }
        return explanation
    }
}

extension Explanation {
    /// What is known of a request that was refused, and nothing else: the steps before the one that refused it have passed.
    package init(
        endingWith denial: Denial, status: Int, request: String, client: IPAddress, time: WallTime, route: String?,
        credential: String?, fingerprint: UInt32?, rule: RuleReference?, file: String
    ) {
        self.init(
            file: file, request: request, client: client, time: time,
            steps: ExplanationStep.allCases.map { Step(kind: $0, verdict: .passed, checks: []) }, outcome: .refused,
            status: status, answer: Message(start: "", fields: [], body: ""))
        self.route = route
        self.credential = credential
        self.fingerprint = fingerprint
        end(with: denial, status: status, rule: rule)
        remarks.append("from the access record alone, which does not have what the other steps looked at")
    }

    /// Makes of a request that was let through one that was refused by one of the steps.
    fileprivate mutating func end(with denial: Denial, status: Int?, rule: RuleReference?) {
        outcome = .refused
        reason = denial.reason
        self.status = status ?? denial.status
        self.rule = rule ?? self.rule
        let last = denial.step
        for index in steps.indices where steps[index].kind >= last {
            let isLast = steps[index].kind == last
            steps[index].verdict = isLast ? .failed : .notReached
            if !isLast { steps[index].checks = [] }
            if isLast {
                for check in steps[index].checks.indices { steps[index].checks[check].verdict = .noted }
                steps[index].checks.append(Check(verdict: .failed, text: "\(denial.reason): \(denial.detail)", rule: rule))
            }
        }
        if last < .upstream {
            forwarded = nil
            upstream = nil
        }
        answer = Message(start: "\(self.status ?? 0) \(ReasonPhrase.standard(for: self.status ?? 0))", fields: [], body: "")
    }
}
