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

    package var refusal: Refusal? {
        switch self {
        case .refused(let refusal): refusal
        case .forwarded, .performed, .answered, .redirected, .noConnection: nil
        }
    }
}
