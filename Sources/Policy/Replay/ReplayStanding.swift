import Core

/// What a policy would have counted in the course of a log: buckets and failed credentials. Both begin full, since nobody
/// knows what was before the first line.
final class ReplayStanding {
    private static let bucketLimit = 1 << 20

    private let rehearsal: PolicyRehearsal
    private let buckets: BucketTable
    private let failures: FailureBudget

    init(_ rehearsal: PolicyRehearsal) {
        self.rehearsal = rehearsal
        let seed = HashSeed(0x7265_706C_6179, 0x7374_616E_64)
        buckets = BucketTable(bucketLimit: Self.bucketLimit, seed: seed)
        failures = FailureBudget(rehearsal.snapshot.configuration.failureBudget, seed: seed)
    }

    /// The reply to a request once it is counted, at a moment of the log.
    func settle(_ verdict: PolicyRehearsal.Verdict, at now: Instant) -> PolicyRehearsal.Reply {
        let route = verdict.outcome.grant?.route ?? verdict.outcome.refusal?.route
        // A route that refuses nobody has nobody refused elsewhere.
        if route?.isShadow ?? false { return verdict.reply }
        // A log has the first bits of a credential's digest, which tell one from another here.
        let word = verdict.fingerprint.map { UInt64($0) | 1 << 32 } ?? 0
        if verdict.sawCredential, failures.retryAfter(verdict.client, now: now) != nil, !failures.hasAccepted(word) {
            return refused(.tooManyFailures, verdict.reply, route)
        }
        if verdict.isRecognized { failures.accept(word) }
        if verdict.couldBeGuess {
            failures.recordFailure(verdict.client, mark: UInt32(truncatingIfNeeded: word) | 1, now: now)
        }
        guard let (caller, route, client) = verdict.outcome.counted(by: rehearsal.trial.memory), !caller.limits.isEmpty,
            verdict.reply.isAllowed || (verdict.step ?? .limits) > .limits
        else { return verdict.reply }
        let context = RequestContext(
            now: ClockReading(instant: now, wall: WallTime(seconds: 0)), client: client, isPeerTrusted: false, hasWaited: true)
        var keys = BucketKeys.unset
        for index in caller.limits.indices {
            keys[index] = rehearsal.trial.memory.bucketKey(
                caller.limits[index], of: caller.payer(index), route, context, in: buckets)
        }
        switch buckets.take(caller.limits, keys: keys, now: now) {
        case .taken: return verdict.reply
        case .refused: return refused(.rateLimited, verdict.reply, route)
        case .tableFull: return refused(.limitsUnavailable, verdict.reply, route)
        }
    }

    private func refused(_ denial: Denial, _ reply: PolicyRehearsal.Reply, _ route: Route?) -> PolicyRehearsal.Reply {
        let profile = route?.profile ?? rehearsal.snapshot.profile
        return PolicyRehearsal.Reply(
            isAllowed: false, status: profile.answer(for: denial).status ?? denial.status, reason: denial.reason,
            route: reply.route, upstream: nil)
    }
}
