import Core

/// Counts a request against every limit that applies to it.
struct RateLimiter {
    let context: RequestContext
    let memory: DecisionMemory

    /// Takes one token from each bucket, or none from any.
    func take(_ limits: LimitList, route: Route, identity: Identity) -> RateOutcome {
        memory.buckets.take(limits, keys: keys(limits, route, identity), now: context.now.instant)
    }

    /// Where the caller stands, with nothing taken; nil without limits.
    func standing(_ limits: LimitList, route: Route, identity: Identity) -> RateStatus? {
        guard !limits.isEmpty else { return nil }
        return memory.buckets.standing(limits, keys: keys(limits, route, identity), now: context.now.instant)
    }

    private func keys(_ limits: LimitList, _ route: Route, _ identity: Identity) -> BucketKeys {
        var keys = BucketKeys.unset
        for index in limits.indices {
            memory.principal.removeAll(keepingCapacity: true)
            for part in limits[index].parts { append(part, route, identity) }
            let principal = memory.principal
            keys[index] = memory.buckets.key(for: limits[index], principal: principal.span)
        }
        return keys
    }

    /// Appends whom a part of the bucket's key names. Who is nobody is told by the address.
    private func append(_ part: LimitConfiguration.Part, _ route: Route, _ identity: Identity) {
        switch part {
        case .address: BucketKey.appendPart(address: context.client, to: &memory.principal)
        case .route: BucketKey.appendPart(.route, route.name.utf8.span, to: &memory.principal)
        case .identity, .key:
            switch identity {
            case .anonymous: BucketKey.appendPart(address: context.client, to: &memory.principal)
            case .apiKey(let record, let authenticator): append(part, record, authenticator)
            case .token(let token): append(part, token)
            }
        }
    }

    /// A key is its record's id, under the authenticator's name.
    private func append(
        _ part: LimitConfiguration.Part, _ record: APIKeyTable.Record, _ authenticator: KeyAuthenticator
    ) {
        BucketKey.appendPart(part, authenticator.name.utf8.span, to: &memory.principal)
        memory.scratch.removeAll(keepingCapacity: true)
        authenticator.table.appendID(of: record, to: &memory.scratch)
        let id = memory.scratch
        BucketKey.appendPart(part, id.span, to: &memory.principal)
    }

    /// The identity behind a token is its subject at its issuer, so that a fresh token brings no fresh bucket; a token
    /// that names no subject stands for itself. `key` counts each token id by itself where there is one.
    private func append(_ part: LimitConfiguration.Part, _ token: VerifiedToken) {
        BucketKey.appendPart(part, (token.issuer ?? token.authenticator).utf8.span, to: &memory.principal)
        let id = part == .key ? token.id ?? token.subject : token.subject ?? token.id
        if let id {
            BucketKey.appendPart(part, id.utf8.span, to: &memory.principal)
        } else {
            BucketKey.appendPart(part, token.digest.hex.utf8.span, to: &memory.principal)
        }
    }
}
