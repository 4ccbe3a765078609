import Core

/// Holds what became of a request against what a test expects.
struct ExpectationCheck {
    typealias Mismatch = PolicyTestResult.Mismatch

    let trial: Trial
    let outcome: TrialOutcome
    let now: ClockReading
    let masking: Masking

    /// Everything that is not as it was to be, in the order of the expectation's members.
    func mismatches(_ expectation: PolicyTestConfiguration.Expectation) -> [Mismatch] {
        var found: [Mismatch] = []
        func compare(_ member: String, _ expected: Located<String>?, _ actual: String?) {
            guard let expected, expected.value != actual else { return }
            found.append(
                Mismatch(
                    member: "expect.\(member)", expected: quoted(expected.value),
                    found: actual.map(quoted) ?? "none (\(outcomeText))", position: expected.position))
        }
        if let isAllowed = expectation.isAllowed, isAllowed.value != (outcome.grant != nil) {
            found.append(
                Mismatch(
                    member: "expect.allowed", expected: String(isAllowed.value), found: "\(!isAllowed.value) (\(outcomeText))",
                    position: isAllowed.position))
        }
        if let status = expectation.status, status.value != self.status {
            found.append(
                Mismatch(
                    member: "expect.status", expected: String(status.value),
                    found: self.status.map { "\($0) (\(outcomeText))" } ?? "the upstream's (\(outcomeText))",
                    position: status.position))
        }
        compare("reason", expectation.reason, outcome.refusal?.denial.reason)
        if let reason = expectation.wouldHave {
            let reasons = outcome.grant?.shadowRefusals.map(\.denial.reason) ?? []
            if reason.value.isEmpty ? !reasons.isEmpty : !reasons.contains(reason.value) {
                found.append(
                    Mismatch(
                        member: "expect.would_have", expected: reason.value.isEmpty ? "none" : quoted(reason.value),
                        found: reasons.isEmpty ? "none (\(outcomeText))" : reasons.map(quoted).joined(separator: " and "),
                        position: reason.position))
            }
        }
        compare("route", expectation.route, outcome.route?.name)
        compare("upstream", expectation.upstream, isForwarded ? outcome.grant?.route.upstreamName : nil)
        let target = isForwarded ? String(decoding: trial.plan.target, as: UTF8.self) : nil
        if expectation.target.map({ $0.value != target }) ?? false {
            compare("target", expectation.target, target.map { masking.target($0, of: outcome.grant?.route) })
        }
        if !expectation.requestHeaders.isEmpty || !expectation.absentRequestHeaders.isEmpty {
            check(
                "request_headers", isForwarded ? trial.forwardedFields() : nil, expectation.requestHeaders,
                absent: expectation.absentRequestHeaders, into: &found)
        }
        if let expected = expectation.requestContent, let place = contentDifference(expected.value) {
            found.append(
                Mismatch(member: "expect.request_body", expected: "the content of the test", found: place, position: expected.position))
        }
        if !expectation.responseHeaders.isEmpty || !expectation.absentResponseHeaders.isEmpty {
            check(
                "response_headers", trial.answerFields(of: outcome, now: now), expectation.responseHeaders,
                absent: expectation.absentResponseHeaders, into: &found)
        }
        return found
    }

    /// - Parameter fields: nil where there is no such message.
    private func check(
        _ member: String, _ fields: [(name: String, value: String)]?, _ expected: [HeaderTemplate],
        absent: [Located<String>], into found: inout [Mismatch]
    ) {
        for header in expected {
            let values = fields?.filter { FieldFilter.areSame($0.name, header.name) }.map(\.value) ?? []
            if values == [header.template.value] { continue }
            let shown = values.map { quoted(masking.value($0, of: header.name)) }
            let text = values.isEmpty ? "absent" : shown.joined(separator: " and ")
            found.append(
                Mismatch(
                    member: "expect.\(member).\(header.name)", expected: quoted(header.template.value),
                    found: fields == nil ? "none (\(outcomeText))" : text, position: header.template.position))
        }
        for name in absent {
            // A request that is not forwarded shows nothing of what is not in it.
            guard let fields else {
                found.append(
                    Mismatch(
                        member: "expect.absent_\(member)", expected: "a request without \(quoted(name.value))",
                        found: "none (\(outcomeText))", position: name.position))
                continue
            }
            for field in fields where FieldFilter.areSame(field.name, name.value) {
                found.append(
                    Mismatch(
                        member: "expect.absent_\(member)", expected: "no \(quoted(name.value))",
                        found: quoted(masking.value(field.value, of: field.name)), position: name.position))
            }
        }
    }

    /// Where the content differs from what was expected; the values are not shown, since they may be credentials. Nil where it
    /// does not.
    private func contentDifference(_ expected: JSONNode) -> String? {
        guard isForwarded else { return "none (\(outcomeText))" }
        guard let content = trial.content else { return "unknown: the test has no \"body\"" }
        if case .string(let text) = expected.value { return content == Array(text.utf8) ? nil : "another text" }
        guard let found = try? JSONNode.parse(content.span) else { return "content that is not JSON" }
        return found.difference(from: expected).map { "another value at \(quoted($0))" }
    }

    private var isForwarded: Bool {
        switch outcome {
        case .forwarded: true
        case .performed, .refused, .answered, .redirected, .noConnection: false
        }
    }

    /// The gateway's own; nil where the status is the upstream's or an action's.
    private var status: Int? {
        switch outcome {
        case .forwarded, .performed, .noConnection: nil
        case .refused, .answered, .redirected: trial.answer.status
        }
    }

    private func refused(_ refusal: Refusal) -> String {
        let route = refusal.route?.name
        guard let ambiguity = refusal.ambiguity, let route else {
            return "refused: \(refusal.denial.reason)" + (route.map { " by the route \(quoted($0))" } ?? "")
        }
        return "refused: \(refusal.denial.reason): \(ambiguity.sentence(for: route, in: trial.snapshot))"
    }

    private var outcomeText: String {
        switch outcome {
        case .forwarded(let grant): "forwarded by \(quoted(grant.route.name)) to \(quoted(grant.route.upstreamName))"
        case .performed(let grant): "carried out by the route \(quoted(grant.route.name))"
        case .refused(let refusal):
            refused(refusal)
        case .answered(.preflight): "a preflight, answered by the gateway"
        case .answered: "answered by the gateway"
        case .redirected: "sent to https by the listener"
        case .noConnection(let why): "no connection: \(why)"
        }
    }
}
