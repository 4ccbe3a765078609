import Core

/// Pages of other origins (WHATWG Fetch, "CORS protocol").
extension Snapshot {
    /// Decides about a preflight, before anything that it cannot carry is asked for: credentials, and limits of whoever they
    /// belong to. The route is the one that the request asked about would take.
    ///
    /// Nil for requests that are no preflights, and where the route has no `cors`: those are ordinary requests.
    /// - Parameter leaf: where the path leads; nil where it leads nowhere.
    func preflight(
        _ head: inout RequestHead, _ connection: ConnectionFacts, _ leaf: Int?, _ shape: PathShape,
        _ outcome: PathNormaliser.Outcome, _ context: RequestContext, _ memory: DecisionMemory
    ) -> Decision? {
        guard usesCORS, let preflight = Preflight(head) else { return nil }
        let asked = preflight.asked(head)
        let candidates = leaf.map { table.candidates(at: $0, asked) } ?? []
        guard let leaf, let first = candidates.first else {
            return unrouted(preflight, head, leaf, isSecure(head, connection: connection), context)
        }
        let route = routes[first]
        // Where fields that the preflight does not tell decide between routes with several rules, none of them answers.
        guard let rule = route.cors, !rule.leavesUpstream, candidates.allSatisfy({ rule.isLike(routes[$0].cors) }) else { return nil }
        let isAllowed = rule.isAllowed(head)
        let isInPlaintext = route.isHTTPSOnly && !isSecure(head, connection: connection)
        if route.isNotFound {
            return isAllowed && !isInPlaintext ? .answer(.preflight(answer(preflight, route, rule, leaf, context))) : nil
        }
        if shape != .plain || readings.looksAtPlainPaths,
            let ambiguity = ambiguity(of: asked, shape, outcome, route, memory)
        {
            return .refuse(Refusal(.path(.ambiguous), client: context.client, route: route, ambiguity: ambiguity))
        }
        if isInPlaintext {
            // A browser that was let through now would send the credential in plaintext.
            return .refuse(Refusal(.httpsRequired, client: context.client, route: route))
        }
        if isAllowed { return .answer(.preflight(answer(preflight, route, rule, leaf, context))) }
        let refusal = Decision.refuse(Refusal(.originNotAllowed, client: context.client, route: route))
        guard route.isShadow else { return refusal }
        memory.shown = .none
        let form = pathForm(head, outcome, leaf, memory)
        return shadowed(refusal, &head, connection, route, form, context, memory)
    }

    /// A preflight for a request that no route takes: the top-level `cors` answers, so that the page may read the refusal,
    /// unless a route takes the preflight itself as an ordinary request.
    private func unrouted(
        _ preflight: Preflight, _ head: RequestHead, _ leaf: Int?, _ isSecure: Bool, _ context: RequestContext
    ) -> Decision? {
        guard let rule = cors, !rule.leavesUpstream, isSecure || !configuration.httpsOnly else { return nil }
        if let leaf, case .found = table.choose(at: leaf, head) { return nil }
        guard rule.isAllowed(head) else { return .refuse(Refusal(.originNotAllowed, client: context.client)) }
        return .answer(.preflight(answer(preflight, nil, rule, leaf, context)))
    }

    private func answer(
        _ preflight: Preflight, _ route: Route?, _ rule: CORSRule, _ leaf: Int?, _ context: RequestContext
    ) -> PreflightAnswer {
        PreflightAnswer(preflight, route: route, rule: rule, leaf: leaf, client: context.client)
    }

    /// The rule for a refusal: its route's; without a route, that of the
    /// first route of the path, or the top-level one.
    func corsRule(for refusal: Refusal) -> CORSRule? {
        guard usesCORS else { return nil }
        if let route = refusal.route { return route.cors }
        return refusal.allow == nil ? cors : refusal.pathCORS
    }

    /// The methods that the answer to a preflight allows: the one asked for, and others that the same rule is for. A method of
    /// a route with another rule is never among them, since a browser keeps the answer for all methods of the URL.
    func allowedMethods(by answer: PreflightAnswer, _ head: RequestHead) -> [UInt8] {
        let requested = head.bytes.span.extracting(answer.preflight.method.range)
        let all = answer.leaf.map { table.leaves[$0].routes.map(Int.init) } ?? []
        let others = all.filter { !answer.rule.isLike(routes[$0].cors) }.map { table.conditions[$0].methods }
        var names: [String] = []
        var isRequestedAllowed: Bool
        if let listed = answer.rule.terms.methods {
            isRequestedAllowed = answer.rule.allows(requested) ?? false
            if listed.contains(CORSConfiguration.wildcard), others.isEmpty { return Array(CORSConfiguration.wildcard.utf8) }
            names = listed.filter { $0 != CORSConfiguration.wildcard }
        } else {
            let own = all.filter { answer.rule.isLike(routes[$0].cors) }.map { table.conditions[$0].methods }
            isRequestedAllowed = answer.route != nil || answer.leaf == nil
            for methods in own { for name in methods.names where !names.contains(name) { names.append(name) } }
        }
        names.removeAll { name in others.contains { $0.contains(Method(named: name), named: name.utf8.span) } }
        let text = String(decoding: requested.copied(), as: UTF8.self)
        if names.contains(text) { isRequestedAllowed = false }
        return Array((names + (isRequestedAllowed ? [text] : [])).joined(separator: ", ").utf8)
    }
}

extension CORSRule {
    /// The request comes from a page that may read the answer.
    func isAllowed(_ head: RequestHead) -> Bool {
        if case .allowed = verdict(on: head) { return true }
        return false
    }
}

extension RouteTable {
    /// The routes of a leaf that may take a request whose fields are not all known, the most specific first, up to one that
    /// takes it for certain.
    /// - Parameter asked: the head that a preflight tells of: fields with other values are named in it, or not even named.
    func candidates(at leaf: Int, _ asked: RequestHead) -> [Int] {
        var found: [Int] = []
        for route in leaves[leaf].routes.lazy.map(Int.init) where conditions[route].methodFits(asked) {
            guard conditions[route].couldFit(asked) else { continue }
            found.append(route)
            if conditions[route].headers.isEmpty { break }
        }
        return found
    }
}

extension RouteConditions {
    /// Fields that a page may send without a preflight that names them (Fetch, "CORS-safelisted request-header").
    private static let unnamed = ["accept", "accept-language", "content-language", "content-type", "range"]

    /// The request that a preflight asks about may have every field that is asked for: it is named, or need not be, or the
    /// preflight has it.
    func couldFit(_ asked: RequestHead) -> Bool {
        headers.allSatisfy { header in
            if Self.unnamed.contains(where: { header.name.span.equals($0.utf8.span) }) { return true }
            var isNamed = false
            Preflight.forEachField(of: asked) { name in
                if name.equalsIgnoringCase(lowercase: header.name.span) { isNamed = true }
            }
            return isNamed || asked.hasField(header)
        }
    }
}

extension RequestHead {
    fileprivate func hasField(_ header: RouteConditions.Header) -> Bool {
        fields.contains { field in
            bytes.span.extracting(field.name.range).equalsIgnoringCase(lowercase: header.name.span)
                && (header.value.map { bytes.span.extracting(field.value.range).equals($0.span) } ?? true)
        }
    }
}
