import Core
import Policy
import Store

/// What the vault knows of one user's credential, and who waits for it: decisions only, no input or output.
struct CredentialEntry {
    /// A request that asks.
    struct Question: Sendable {
        /// What the request's token brings.
        var brought: UpstreamCredential?
        /// What the upstream has just refused with 401.
        var spent: UpstreamCredential?
        var rule: StoredCredentialRule
        var token: VerifiedToken
    }

    struct Waiter {
        var question: Question
        var completion: CredentialVault.Completion
    }

    enum Verdict {
        case show(UpstreamCredential)
        case refuse(Denial)
        /// The upstream refused the credential, and there is no reason to believe that another one can be had now.
        case nothingBetter
        /// Wait for the end of `work`; nil when it is already under way.
        case wait(Work?)
    }

    /// What is to be done outside; its end comes back with the number it has here.
    enum Work {
        /// Look whether something is kept.
        case load
        /// Make a credential survive the process.
        case keep(UpstreamCredential)
        case refresh(UpstreamCredential, Question)
    }

    private enum Phase {
        case unknown
        case settled
        /// Work is under way. `isHung`: for longer than anybody should wait.
        case working(number: UInt64, isRefresh: Bool, isHung: Bool)
    }

    /// What an entry and its place take without texts.
    private static let emptyWeight = 512

    private(set) var current: UpstreamCredential? { didSet { documentWeight = current?.document.weight ?? 0 } }
    private var documentWeight = 0
    private var phase: Phase
    private var workNumber: UInt64 = 0
    var waiters: [Waiter] = []
    private var failures = 0
    /// No refresh before, since the last one failed.
    private var retryAt = Instant(nanoseconds: .min)
    /// No refresh because of a 401 before, since the last one has only just been made.
    private var renewableAt = Instant(nanoseconds: .min)
    /// For eviction.
    private(set) var lastUsed: Instant

    /// - Parameter isArchived: something may be kept of it.
    init(isArchived: Bool, now: Instant) {
        phase = isArchived ? .unknown : .settled
        lastUsed = now
    }

    var isIdle: Bool {
        if case .working = phase { return false }
        return waiters.isEmpty
    }

    /// Bytes of memory, roughly.
    func weight(for identity: CredentialShelf.Identity) -> Int {
        let names = identity.issuer.utf8.count + identity.subject.utf8.count
        return Self.emptyWeight + names + documentWeight
    }

    /// The number of the work that was begun last.
    var number: UInt64 { workNumber }

    mutating func decide(_ question: Question, now: ClockReading) -> Verdict {
        lastUsed = now.instant
        switch phase {
        case .unknown: return begin(.load)
        case .working(_, isRefresh: false, isHung: _): return .wait(nil)
        case .working(_, isRefresh: true, isHung: let isHung):
            if let brought = question.brought, brought.isNewer(than: current) {
                // Whatever that refresh brings is of an older sign-in.
                return adopt(brought)
            }
            if !needsRefresh(question, now) { return verdict(now) }
            return isHung ? givenUp(question, now) : .wait(nil)
        case .settled:
            if let brought = question.brought, brought.isNewer(than: current) { return adopt(brought) }
            guard needsRefresh(question, now) else { return verdict(now) }
            return refresh(question, now)
        }
    }

    private func needsRefresh(_ question: Question, _ now: ClockReading) -> Bool {
        guard let current, let refresh = question.rule.refresh else { return false }
        if current === question.spent { return true }
        guard let end = current.expiresAt, let lifetime = current.document.lifetime else { return false }
        // Of a short life most is to be used.
        return now.wall >= end.advanced(by: -min(refresh.ahead, lifetime / 4))
    }

    private func verdict(_ now: ClockReading) -> Verdict {
        guard let current, current.isGood(at: now.wall) else { return .refuse(.upstreamCredentialMissing) }
        return .show(current)
    }

    private mutating func refresh(_ question: Question, _ now: ClockReading) -> Verdict {
        guard let current, current.document.isRefreshable else {
            return question.spent != nil ? .nothingBetter : verdict(now)
        }
        if now.instant < retryAt || current === question.spent && now.instant < renewableAt {
            return givenUp(question, now)
        }
        return begin(.refresh(current, question))
    }

    /// A refresh is not to be had.
    private func givenUp(_ question: Question, _ now: ClockReading) -> Verdict {
        if let current, current === question.spent { return .nothingBetter }
        guard let current, current.isGood(at: now.wall) else { return .refuse(.upstreamCredentialRefreshFailed) }
        return .show(current)
    }

    private mutating func adopt(_ brought: UpstreamCredential) -> Verdict {
        let adopted = current.map(brought.following) ?? brought
        current = adopted
        failures = 0
        retryAt = Instant(nanoseconds: .min)
        renewableAt = retryAt
        return begin(.keep(adopted))
    }

    private mutating func begin(_ work: Work) -> Verdict {
        workNumber &+= 1
        let isRefresh =
            switch work {
            case .refresh: true
            case .load, .keep: false
            }
        phase = .working(number: workNumber, isRefresh: isRefresh, isHung: false)
        return .wait(work)
    }

    // MARK: The end of work

    private func isUnderWay(_ number: UInt64) -> Bool {
        if case .working(number, _, _) = phase { return true }
        return false
    }

    /// What was kept is known; false when the work was overtaken.
    mutating func loaded(_ kept: UpstreamCredential?, number: UInt64) -> Bool {
        guard isUnderWay(number) else { return false }
        phase = .settled
        current = kept
        return true
    }

    /// What is kept cannot be known.
    mutating func loadingFailed(number: UInt64) -> Bool {
        guard isUnderWay(number) else { return false }
        phase = .unknown
        return true
    }

    mutating func kept(number: UInt64) -> Bool {
        guard isUnderWay(number) else { return false }
        phase = .settled
        return true
    }

    /// A refresh brought a new credential, which is to be kept before it is used; nil when it was overtaken by a newer
    /// sign-in.
    mutating func refreshed(
        _ next: UpstreamCredential, cooldown: Nanoseconds, number: UInt64, now: Instant
    ) -> Work? {
        guard isUnderWay(number) else { return nil }
        current = next
        failures = 0
        retryAt = Instant(nanoseconds: .min)
        renewableAt = now.advanced(by: cooldown)
        guard case .wait(let work) = begin(.keep(next)) else { return nil }
        return work
    }

    /// - Returns: how long no other refresh is tried; nil when the work was overtaken.
    mutating func refreshFailed(cooldown: Nanoseconds, number: UInt64, now: Instant) -> Nanoseconds? {
        guard isUnderWay(number) else { return nil }
        phase = .settled
        failures &+= 1
        let delay = KeySetTiming.retryDelay(failures: failures, cooldown: cooldown, jitter: 1000)
        retryAt = now.advanced(by: delay)
        return delay
    }

    /// A refresh takes longer than anybody should wait: those who do are let go, and what it brings still counts.
    mutating func hangs(number: UInt64) -> Bool {
        guard isUnderWay(number) else { return false }
        phase = .working(number: number, isRefresh: true, isHung: true)
        return true
    }
}

extension UpstreamCredential {
    /// It comes of a later sign-in. The pair a refresh made of it has its time too, so the token that brought it, shown
    /// again, does not bring the used refresh token back.
    fileprivate func isNewer(than other: UpstreamCredential?) -> Bool {
        other.map { signIn.isNewer(than: $0.signIn) } ?? true
    }
}
