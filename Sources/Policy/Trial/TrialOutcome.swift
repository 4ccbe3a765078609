/// What becomes of a request that is tried.
package enum TrialOutcome: Sendable {
    /// It would go to the grant's upstream.
    case forwarded(Grant)
    /// The gateway itself would do what the grant's route says.
    case performed(Grant)
    case refused(Refusal)
    case answered(LocalAnswerKind)
    /// The listener sends it to https.
    case redirected
    /// No connection comes about, and so no answer; why, in a sentence.
    case noConnection(String)
}

extension TrialOutcome {
    package var grant: Grant? {
        switch self {
        case .forwarded(let grant), .performed(let grant): grant
        case .refused, .answered, .redirected, .noConnection: nil
        }
    }

    /// The route that was found; of a preflight, the one that the request it asks about would take.
    package var route: Route? {
        switch self {
        case .forwarded(let grant), .performed(let grant): grant.route
        case .refused(let refusal): refusal.route
        case .answered(.preflight(let preflight)): preflight.route
        case .answered(.serverOptions), .answered(.resourceOptions), .redirected, .noConnection: nil
        }
    }

    package var refusal: Refusal? {
        switch self {
        case .refused(let refusal): refusal
        case .forwarded, .performed, .answered, .redirected, .noConnection: nil
        }
    }
}
