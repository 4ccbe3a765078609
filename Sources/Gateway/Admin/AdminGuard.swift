import Core
import Policy
import Synchronization

/// Guesses at the admin token, by address: a budget of its own, which no policy switches off and which failures on traffic
/// listeners do not charge. A wrong token that is shown again counts once, so that a client with an old one does not lock out the
/// operator behind the same address.
final class AdminGuard: Sendable {
    private struct Seen {
        /// The last wrong tokens with the address each came from, in a ring.
        var guesses: [(address: IPAddress, token: Digest256)] = []
        var next = 0
        /// The token that was last shown and right.
        var accepted: Digest256?
    }

    private let budget: FailureBudget
    private let seen = Mutex(Seen())

    init(seed: HashSeed) {
        var rule = FailureBudgetConfiguration()
        rule.failures = 20
        rule.per = .seconds(60)
        rule.burst = 20
        budget = FailureBudget(rule, seed: seed)
    }

    /// Whether a token of this address is looked at.
    func mayTry(_ address: IPAddress, now: Instant) -> Bool { budget.retryAfter(address, now: now) == nil }

    /// Whether this token, which is the right one, was shown before: it passes an exhausted address, so that guesses of others do
    /// not lock out the operator.
    func hasAccepted(_ token: Digest256) -> Bool { seen.withLock { $0.accepted == token } }

    func recordAccepted(_ token: Digest256) { seen.withLock { $0.accepted = token } }

    /// Counts a wrong token, unless it was counted before.
    func recordGuess(_ token: Digest256, from address: IPAddress, now: Instant) {
        let account = address.accountable
        let isNew = seen.withLock { seen -> Bool in
            if seen.guesses.contains(where: { $0.token == token && $0.address == account }) { return false }
            if seen.guesses.count < FixedBounds.wrongAdminTokens {
                seen.guesses.append((account, token))
            } else {
                seen.guesses[seen.next] = (account, token)
                seen.next = (seen.next + 1) % seen.guesses.count
            }
            return true
        }
        if isNew { budget.recordFailure(address, now: now) }
    }
}
