/// What becomes of a request that is tried.
package enum TrialOutcome: Sendable {
    /// It would go to the grant's upstream.
    case forwarded(Grant)
    /// The gateway itself would do what the grant's route says.
    case performed(Grant)
    case refused(Refusal)
    case answered(LocalAnswerKind)
}

extension TrialOutcome {
    package var grant: Grant? {
        switch self {
        case .forwarded(let grant), .performed(let grant): grant
        case .refused, .answered: nil
        }
    }

    package var refusal: Refusal? {
        switch self {
        case .refused(let refusal): refusal
        case .forwarded, .performed, .answered: nil
        }
    }
}
