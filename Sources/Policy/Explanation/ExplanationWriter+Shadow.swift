import Core

/// What rules in shadow mode say.
extension ExplanationWriter {
    /// The rules of a step that are only tried. One that was not asked, because the request was refused, is not there.
    func shadowChecks(of kind: ExplanationStep) -> [Check] {
        guard let grant = outcome.grant else { return [] }
        let refusals = grant.shadowRefusals
        var checks: [Check] = []
        for refusal in refusals where refusal.denial.step == kind {
            let text = "\(refusal.rule) (shadow) would refuse: \(refusal.denial.reason): \(refusal.denial.detail)"
            checks.append(Check(verdict: .wouldFail, text: text, rule: place(of: refusal.rule, grant.route)))
        }
        if refusals.contains(where: { $0.rule == ShadowRefusal.wholeRoute }) { return checks }
        var names: [String] = []
        if kind == .authorization { names = grant.route.shadowRules.map(\.name) }
        if kind == .limits { names = grant.caller.triedLimits.map { "limits.\($0.limits[0].name)" } }
        for (index, name) in names.enumerated() where !refusals.contains(where: { $0.rule == name }) {
            if names[..<index].contains(name) { continue }
            checks.append(note("\(name) (shadow) would let pass", place(of: name, grant.route)))
        }
        return checks
    }

    func shadowRefusals() -> [Explanation.WouldHave] {
        guard let grant = outcome.grant else { return [] }
        return grant.shadowRefusals.map { refusal in
            Explanation.WouldHave(
                rule: refusal.rule, reason: refusal.denial.reason, place: place(of: refusal.rule, grant.route))
        }
    }

    private func place(of name: String, _ route: Route) -> RuleReference {
        if name == ShadowRefusal.wholeRoute { return document.rule("routes", .element(route.index), "mode") }
        if let rule = snapshot.configuration.routes[route.index].shadowAuthorizations.first(where: { $0.name == name }) {
            return document.authorizeRule(route.index, rule)
        }
        return document.rule("limits", .member(String(name.dropFirst("limits.".count))))
    }
}
