package import Core

/// A caller whose bucket of some limit is nearly empty.
package struct ScarceBucket: Sendable {
    package var limit: String
    /// The credential's id, or the subject; empty for somebody without either.
    package var caller: [UInt8]
    /// Whole tokens left.
    package var remaining: Int
    /// Tokens of a full bucket.
    package var capacity: Int
    /// Until the bucket is full again, or, when it is empty, until a token is there.
    package var resetAfter: Nanoseconds
}

extension DecisionMemory {
    /// Buckets with a tenth of their tokens or less, of the callers that this loop saw last, each bucket once. Nothing is
    /// taken. Looks at every remembered caller: for an operator's eyes, not for each request.
    package func scarceBuckets(now: Instant) -> [ScarceBucket] {
        var found: [ScarceBucket] = []
        var seen: Set<BucketKey> = []
        callers.forEach { caller in
            guard !caller.limits.isEmpty, caller.hasFixedKeys else { return }
            let standing = buckets.standing(caller.limits, keys: caller.bucketKeys, now: now)
            for index in caller.limits.indices {
                let (limit, measure) = (caller.limits[index], standing[index])
                guard measure.remaining <= limit.rule.burst / 10, measure.remaining < limit.rule.burst,
                    seen.insert(caller.bucketKeys[index]).inserted
                else { continue }
                var name: [UInt8] = []
                let payer = caller.payer(index)
                if !payer.appendCredential(to: &name) { _ = payer.appendSubject(to: &name) }
                found.append(
                    ScarceBucket(
                        limit: limit.name, caller: name, remaining: measure.remaining, capacity: limit.rule.burst,
                        resetAfter: measure.resetAfter))
            }
        }
        return found
    }
}
