package import Core

/// A caller whose bucket of some limit is nearly empty, or whose window nearly used up.
package struct ScarceBucket: Sendable {
    package var limit: String
    package var kind: LimitConfiguration.Kind
    /// The credential's id, or the subject; empty for somebody without either.
    package var caller: [UInt8]
    /// Requests that still pass at once.
    package var remaining: Int
    /// Requests that pass at once where nothing was used.
    package var capacity: Int
    /// Until the bucket is full again, or, when it is empty, until a token is there; of a window, until it ends.
    package var resetAfter: Nanoseconds
}

extension DecisionMemory {
    /// Buckets and windows with a tenth of their requests or less left, of the callers that this loop saw last, each once.
    /// Nothing is taken. Looks at every remembered caller: for an operator's eyes, not for each request.
    package func scarceBuckets(now: Instant) -> [ScarceBucket] {
        var found: [ScarceBucket] = []
        var seen: Set<BucketKey> = []
        callers.forEach { caller in
            guard !caller.limits.isEmpty, caller.hasFixedKeys else { return }
            let standing = buckets.standing(caller.limits, keys: caller.bucketKeys, now: now)
            for index in caller.limits.indices {
                let (limit, measure) = (caller.limits[index], standing[index])
                guard measure.remaining <= limit.rule.capacity / 10, measure.remaining < limit.rule.capacity,
                    seen.insert(caller.bucketKeys[index]).inserted
                else { continue }
                var name: [UInt8] = []
                let payer = caller.payer(index)
                if !payer.appendCredential(to: &name) { _ = payer.appendSubject(to: &name) }
                found.append(
                    ScarceBucket(
                        limit: limit.name, kind: limit.rule.kind, caller: name, remaining: measure.remaining,
                        capacity: limit.rule.capacity, resetAfter: measure.resetAfter))
            }
        }
        return found
    }
}
