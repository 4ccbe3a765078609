import Core

/// Rules for paths that differ from route to route.
///
/// A path has one normal form, whatever the rules: they only refuse. So the path selects its route by that form among all routes,
/// and then the route's rules say whether such a path is taken. A route that takes more than others is not selected more often.
extension Snapshot {
    /// The refusal of a path that all the routes it may select refuse, or, where it selects none, the policy.
    /// - Parameter leaf: where the path leads; nil where it leads nowhere.
    @inline(never)
    func pathRefusal(_ uses: PathUses, leaf: Int?, _ context: RequestContext) -> Refusal? {
        let candidates = leaf.map { table.leaves[$0].routes.map(Int.init) } ?? []
        let refused = candidates.isEmpty
            ? configuration.paths.refused
            : candidates.reduce(PathUses(rawValue: .max)) { $0.intersection(routes[$1].refusedPathUses) }
        guard let fault = uses.intersection(refused).fault else { return nil }
        let only = candidates.count == 1 ? routes[candidates[0]] : nil
        return Refusal(.path(fault), client: context.client, route: only?.hasOwnPathRules == true ? only : nil)
    }

    /// The refusal of a path by the route that it selects.
    /// - Parameter path: in normal form.
    @inline(never)
    func pathRefusal(_ uses: PathUses, _ route: Route, _ path: Span<UInt8>, _ context: RequestContext) -> Refusal? {
        guard let fault = pathFault(uses, route, path) else { return nil }
        return Refusal(.path(fault), client: context.client, route: route.hasOwnPathRules ? route : nil)
    }

    /// What a route has against a path in normal form. Bytes that are not UTF-8 go on, but not into what is made of captures.
    func pathFault(_ uses: PathUses, _ route: Route, _ path: Span<UInt8>) -> PathFault? {
        if let fault = uses.intersection(route.refusedPathUses).fault { return fault }
        guard uses.contains(.invalidUTF8), route.usesCaptures else { return nil }
        for capture in route.captures {
            let segment = path.extracting(PathSegments.range(of: capture.segment, in: path))
            if !PathText.isUTF8(segment) { return .encodingInvalid }
        }
        return nil
    }
}
