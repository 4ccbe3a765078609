import Core
import Policy

/// Wrong passwords per account, whether there is such an account or not, as `FailureBudget` counts failures per address.
final class AccountBudget: Sendable {
    private let budget: FailureBudget
    private let seed: HashSeed

    init(_ configuration: FailureBudgetConfiguration, seed: HashSeed) {
        self.seed = seed
        budget = FailureBudget(configuration, seed: seed)
    }

    func adopt(_ configuration: FailureBudgetConfiguration) { budget.adopt(configuration) }

    /// How long until the account may be tried again; nil while it may.
    func retryAfter(_ email: String, now: Instant) -> Nanoseconds? { budget.retryAfter(place(of: email), now: now) }

    func recordFailure(_ email: String, now: Instant) { budget.recordFailure(place(of: email), now: now) }

    /// Two accounts share a place once in 2^63.
    private func place(of email: String) -> IPAddress {
        let text = email.lowercased()
        return IPAddress(high: FastHash.hash(text.utf8.span, seed: seed) | 1 << 63, low: 0)
    }
}
