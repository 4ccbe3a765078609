import Core

/// Counts a request against every limit that applies to it.
extension DecisionMemory {
    /// Takes one token from each of the caller's buckets, or none from any.
    @inline(__always)
    func take(_ caller: Caller, _ route: Route, _ context: RequestContext) -> RateOutcome {
        if caller.hasFixedKeys {
            return buckets.take(caller.limits, keys: caller.bucketKeys, now: context.now.instant)
        }
        return buckets.take(caller.limits, keys: keys(caller, route, context), now: context.now.instant)
    }

    /// Where the caller stands, with nothing taken; nil without limits.
    func standing(_ caller: Caller, _ route: Route, _ context: RequestContext) -> RateStatus? {
        guard !caller.limits.isEmpty else { return nil }
        return buckets.standing(caller.limits, keys: keys(caller, route, context), now: context.now.instant)
    }

    private func keys(_ caller: Caller, _ route: Route, _ context: RequestContext) -> BucketKeys {
        bucketKeys(caller, route, context, in: buckets)
    }

    /// The keys of a caller's buckets in a table.
    func bucketKeys(
        _ caller: Caller, _ route: Route, _ context: RequestContext, in buckets: BucketTable
    ) -> BucketKeys {
        var keys = BucketKeys.unset
        let principal = BucketPrincipal(identity: caller.identity, routeName: route.name, client: context.client)
        for index in caller.limits.indices {
            scratch.removeAll(keepingCapacity: true)
            principal.append(for: caller.limits[index], to: &scratch)
            let bytes = scratch
            keys[index] = buckets.key(for: caller.limits[index], principal: bytes.span)
        }
        return keys
    }
}
