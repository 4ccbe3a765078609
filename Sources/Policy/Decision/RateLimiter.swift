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

    /// Counts a request against each limit that is only tried, and says which would have refused it. Such a limit takes
    /// from its bucket what it would take if it were enforced alone.
    func tryLimits(_ caller: Caller, _ route: Route, _ context: RequestContext) -> [ShadowRefusal] {
        var refusals: [ShadowRefusal] = []
        for tried in caller.triedLimits {
            let limits = tried.limits
            let rule = "limits.\(limits[0].name)"
            var keys = BucketKeys.unset
            keys[0] = bucketKey(limits[0], of: tried.payer, route, context, in: buckets)
            let denial: Denial
            switch buckets.take(limits, keys: keys, now: context.now.instant) {
            case .taken: continue
            case .refused: denial = .rateLimited
            case .tableFull: denial = .limitsUnavailable
            }
            // Of several credentials each has counted; the rule is named once.
            if !refusals.contains(where: { $0.rule == rule }) { refusals.append(ShadowRefusal(rule: rule, denial: denial)) }
        }
        return refusals
    }

    private func keys(_ caller: Caller, _ route: Route, _ context: RequestContext) -> BucketKeys {
        var keys = BucketKeys.unset
        for index in caller.limits.indices {
            keys[index] = bucketKey(caller.limits[index], of: caller.payer(index), route, context, in: buckets)
        }
        return keys
    }

    /// The key of a credential's bucket of one limit in a table.
    func bucketKey(
        _ limit: Limit, of payer: Identity, _ route: Route, _ context: RequestContext, in buckets: BucketTable
    ) -> BucketKey {
        scratch.removeAll(keepingCapacity: true)
        BucketPrincipal(
            identity: payer, routeName: route.name, client: context.client, isShadow: route.isShadow
        ).append(for: limit, to: &scratch)
        let bytes = scratch
        return buckets.key(for: limit, principal: bytes.span)
    }
}
