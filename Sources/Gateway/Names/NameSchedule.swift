import Core

/// Which names of upstream servers are to be looked up when, and what is known of each. Values in, values out.
struct NameSchedule {
    /// What an answer changes.
    enum News: Equatable {
        case none
        /// The addresses are others than before.
        case moved([IPAddress])
        /// The name has addresses for the first time, or again after lookups that failed.
        case resolved([IPAddress])
        /// The first failure after a success; `keepsAddresses` where there are addresses of before.
        case failed(String, keepsAddresses: Bool)
    }

    private struct Entry {
        var answer: NameAnswer
        var due: Instant
        var isBeingAsked = false
    }

    private var entries: [String: Entry] = [:]

    /// What is known of every name.
    var answers: [String: NameAnswer] { entries.mapValues(\.answer) }

    /// When the next lookup is due; nil without names, and while every name is being looked up.
    var nextDue: Instant? { entries.values.filter { !$0.isBeingAsked }.map(\.due).min() }

    /// Follows the names of a policy, with what its loading found out. Names that stay keep what is known of them.
    mutating func adopt(_ loaded: [String: NameAnswer], now: Instant) {
        var next: [String: Entry] = [:]
        for (host, answer) in loaded {
            if let known = entries[host], !known.answer.addresses.isEmpty || answer.addresses.isEmpty {
                next[host] = known
            } else {
                let due = answer.addresses.isEmpty ? now : now.advanced(by: FixedBounds.nameRefresh)
                next[host] = Entry(answer: answer, due: due, isBeingAsked: entries[host]?.isBeingAsked ?? false)
            }
        }
        entries = next
    }

    /// Makes every name due.
    mutating func hasten(now: Instant) {
        for host in entries.keys { entries[host]?.due = now }
    }

    /// The names that are due. Each is being asked for until `take` gets its answer.
    mutating func takeDue(now: Instant) -> [String] {
        let due = entries.filter { !$0.value.isBeingAsked && $0.value.due <= now }.keys.sorted()
        for host in due { entries[host]?.isBeingAsked = true }
        return due
    }

    /// An answer for a name. One for a name that the policy no longer has changes nothing.
    mutating func take(_ outcome: NameLookups.Outcome, for host: String, now: Instant) -> News {
        guard var entry = entries[host] else { return .none }
        defer { entries[host] = entry }
        entry.isBeingAsked = false
        let before = entry.answer
        switch outcome {
        case .success(let addresses):
            entry.due = now.advanced(by: FixedBounds.nameRefresh)
            // Resolvers rotate the order; only another set of addresses is news.
            let isMoved = Set(addresses) != Set(before.addresses)
            entry.answer = NameAnswer(addresses: isMoved ? addresses : before.addresses)
            if before.failure != nil { return .resolved(entry.answer.addresses) }
            return isMoved ? .moved(addresses) : .none
        case .failure(let failure):
            let hasAddresses = !before.addresses.isEmpty
            entry.due = now.advanced(by: hasAddresses ? FixedBounds.nameRefresh : FixedBounds.unresolvedNameRetry)
            entry.answer.failure = failure.message
            return before.failure == nil ? .failed(failure.message, keepsAddresses: hasAddresses) : .none
        }
    }
}
