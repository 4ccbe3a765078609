import Core

/// Routes that do not serve every path and method they match: those of `manage` and `not_found` actions.
extension Snapshot {
    /// Why the request is not served by the route that was chosen for it; nil where it is.
    @inline(never)
    func targetRefusal(
        _ head: RequestHead, _ outcome: PathNormaliser.Outcome, _ leaf: Int, _ route: Route, _ context: RequestContext,
        _ memory: DecisionMemory
    ) -> Refusal? {
        let path = normalPath(head, outcome, memory)
        guard !route.isNotFound, let paths = route.managedPaths, let target = paths.target(of: path.span) else {
            return Refusal(.routeNotFound, client: context.client, route: route)
        }
        let method = head.bytes.span.extracting(head.methodRange.range)
        if MethodSet(paths.methods(of: target)).contains(head.method, named: method) { return nil }
        return Refusal(
            .methodNotAllowed, client: context.client, route: route, allow: methods(at: leaf, path.span).map(Self.list) ?? [])
    }

    /// The refusal of a request whose method no route of a leaf takes: 405, and 404 where they serve nothing at its path.
    func methodRefusal(
        _ head: RequestHead, _ outcome: PathNormaliser.Outcome, _ leaf: Int, _ context: RequestContext, _ memory: DecisionMemory
    ) -> Refusal {
        guard let methods = methods(at: leaf, normalPath(head, outcome, memory).span) else {
            return Refusal(.routeNotFound, client: context.client)
        }
        let first = table.leaves[leaf].routes.first.map(Int.init)
        return Refusal(
            .methodNotAllowed, client: context.client, allow: Self.list(methods), pathCORS: first.flatMap { routes[$0].cors })
    }

    /// The methods that the routes of a leaf serve at a path; nil where they serve nothing there.
    private func methods(at leaf: Int, _ path: Span<UInt8>) -> [String]? {
        var names: [String] = []
        var isServed = false
        for index in table.leaves[leaf].routes.map(Int.init) {
            let taken = table.conditions[index].methods
            var own = taken.names
            if let paths = routes[index].managedPaths {
                guard let target = paths.target(of: path) else { continue }
                own = paths.methods(of: target).filter { taken.contains(Method(named: $0), named: Array($0.utf8).span) }
            }
            isServed = true
            for name in own where !names.contains(name) { names.append(name) }
        }
        return isServed ? names : nil
    }

    func normalPath(_ head: RequestHead, _ outcome: PathNormaliser.Outcome, _ memory: DecisionMemory) -> [UInt8] {
        if case .rewritten = outcome { memory.path } else { head.bytes.span.extracting(head.path.range).copied() }
    }

    private static func list(_ methods: [String]) -> [UInt8] { Array(methods.joined(separator: ", ").utf8) }
}
