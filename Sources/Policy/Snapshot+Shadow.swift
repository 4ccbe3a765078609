import Core

/// Rules that are tried before they bite.
extension Snapshot {
    /// What the rules in shadow mode would have refused a request for that all others let pass. Each is asked by itself, and
    /// each limit counts.
    func shadowRefusals(
        _ caller: Caller, _ route: Route, _ head: RequestHead, _ connection: ConnectionFacts, _ form: Grant.PathForm,
        _ context: RequestContext, _ memory: DecisionMemory
    ) -> [ShadowRefusal] {
        var refusals: [ShadowRefusal] = []
        for rule in route.shadowRules {
            let denial = denial(by: rule.authorization, caller, route, head, connection, form, context, memory)
            if let denial { refusals.append(ShadowRefusal(rule: rule.name, denial: denial)) }
        }
        return refusals + memory.tryLimits(caller, route, context)
    }

    private func denial(
        by rule: Authorization, _ caller: Caller, _ route: Route, _ head: RequestHead, _ connection: ConnectionFacts,
        _ form: Grant.PathForm, _ context: RequestContext, _ memory: DecisionMemory
    ) -> Denial? {
        guard rule.admits(context.client) else { return .addressNotAllowed }
        if let denial = rule.scopeDenial(for: caller.identity, caller.others.map(\.identity)) { return denial }
        guard rule.usesTemplates else { return nil }
        return templateDenial(by: rule, caller, route, head, connection, form, context, memory)
    }

    /// What becomes of a request on a route that refuses nobody: a refusal lets it pass as whoever was recognised.
    func shadowed(
        _ decision: Decision, _ head: inout RequestHead, _ connection: ConnectionFacts, _ route: Route,
        _ form: Grant.PathForm, _ context: RequestContext, _ memory: DecisionMemory
    ) -> Decision {
        guard case .refuse(let refusal) = decision else { return decision }
        // A credential identifies no caller where it, or one that was shown with it, must not be used.
        let isUsable = ([refusal.identity] + refusal.others).allSatisfy { $0.admits(context.client) }
        let caller = memory.callers.caller(
            isUsable ? refusal.identity : .anonymous, beside: isUsable ? refusal.others : [], route,
            buckets: memory.buckets, directory: memory.view.directory)
        return .forward(
            Grant(
                route: route, context: context, caller: caller, fingerprint: refusal.fingerprint, shown: memory.shown, rate: nil,
                pathForm: form,
                certificate: connection.clientCertificate,
                admission: route.upgrade == nil ? nil : admission(
                    of: head, connection, route, context, identities(&head, connection, route, context, memory)),
                shadowRefusals: [ShadowRefusal(rule: ShadowRefusal.wholeRoute, denial: refusal.denial)]))
    }
}
