package import Core

/// Explains what becomes of a request: tries it, and puts what each step of the decision asked around the verdict.
///
/// The verdict is never worked out here. A step before the one that refused has passed, one behind it was not reached.
package struct Explainer {
    /// What a running gateway has counted so far, to be looked at and not to be changed.
    package struct Standing {
        let buckets: BucketTable
        let failures: FailureBudget

        package init(buckets: BucketTable, failures: FailureBudget) {
            self.buckets = buckets
            self.failures = failures
        }
    }

    /// A request whose head was read, or why it could not be.
    package enum Request {
        case read(RequestHead)
        case malformed(Denial)
    }

    let snapshot: Snapshot
    let document: PolicyDocument
    let directory: DirectoryCell
    let standing: Standing?
    /// The listener the request comes in by, and what is shown there; nil looks at none.
    package var entrance: Entrance?
    package var certificate = Entrance.Certificate.none

    /// - Parameters:
    ///   - document: the text `snapshot` was made from.
    ///   - standing: nil begins with full buckets and a failure budget nothing was taken from.
    package init(
        _ snapshot: Snapshot, document: PolicyDocument, directory: DirectoryCell = DirectoryCell(),
        standing: Standing? = nil
    ) {
        self.snapshot = snapshot
        self.document = document
        self.directory = directory
        self.standing = standing
    }

    /// Explains one request. Nothing is consumed that anybody else sees.
    package func explain(_ request: Request, connection: ConnectionFacts, now: ClockReading) -> Explanation {
        func make(_ trial: Trial) -> TrialOutcome {
            trial.make(by: entrance, certificate, connection: connection, now: now) { head in
                switch request {
                case .malformed(let denial): return denial
                case .read(let read):
                    head = read
                    return nil
                }
            }
        }
        var trial = Trial(snapshot, directory: directory)
        var outcome = make(trial)
        if let standing {
            // Whose buckets count is known now: the same again, with what is left in them.
            let seen = Trial(snapshot, directory: directory)
            seen.takeOver(standing, of: outcome, now: now)
            trial = seen
            outcome = make(seen)
        }
        var original: RequestHead?
        if case .read(let head) = request { original = head }
        return ExplanationWriter(self, trial, outcome, original, connection, now).explanation()
    }
}

extension Trial {
    /// Copies what the callers of a request have left.
    fileprivate func takeOver(_ standing: Explainer.Standing, of outcome: TrialOutcome, now: ClockReading) {
        if let client = outcome.grant?.client ?? outcome.refusal?.client {
            memory.failureBudget.copy(client, from: standing.failures)
        }
        guard let (caller, route, client) = outcome.counted(by: memory) else { return }
        let context = RequestContext(now: now, client: client, isPeerTrusted: false, hasWaited: true)
        let counted =
            caller.limits.indices.map { (caller.limits[$0], caller.payer($0)) }
            + caller.triedLimits.map { ($0.limits[0], $0.payer) }
        for (limit, payer) in counted {
            memory.buckets.copy(
                memory.bucketKey(limit, of: payer, route, context, in: standing.buckets), from: standing.buckets,
                to: memory.bucketKey(limit, of: payer, route, context, in: memory.buckets), now: now.instant)
        }
    }
}

extension TrialOutcome {
    /// Whose buckets count, as far as it came to be known.
    func counted(by memory: DecisionMemory) -> (Caller, Route, IPAddress)? {
        switch self {
        case .forwarded(let grant), .performed(let grant): return (grant.caller, grant.route, grant.client)
        case .refused(let refusal):
            guard let route = refusal.route, let client = refusal.client, refusal.denial.step > .identity else {
                return nil
            }
            let caller = memory.callers.caller(
                refusal.identity, beside: refusal.others, route, buckets: memory.buckets, directory: memory.view.directory)
            return (caller, route, client)
        case .answered, .redirected, .noConnection: return nil
        }
    }
}
