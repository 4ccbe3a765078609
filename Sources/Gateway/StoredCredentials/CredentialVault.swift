import Core
import Crypto
import Dispatch
import IO
import Policy
import Store
import Synchronization
import TokenService

/// The process-wide place of credentials that tokens bring for upstreams, one for each stored credential, issuer and
/// subject. The newest sign-in wins; a refresh is made once, however many requests wait for it, and what it brings is kept
/// before it is used. Every call returns at once, from any queue.
final class CredentialVault: Sendable {
    typealias Identity = StoredUpstreamCredential.Identity
    typealias Completion = @Sendable (Result<UpstreamCredential, Denial>) -> Void
    /// Sends a refresh within a time; blocks.
    typealias Transport = @Sendable (FetchRequest, TLSClientContext?, Nanoseconds) throws(FetchFault) -> [UInt8]

    /// What is to become of a request.
    enum Answer {
        case show(UpstreamCredential)
        case refuse(Denial)
        /// The upstream refused the credential, and nothing better is to be had.
        case nothingBetter
        /// The completion will be called.
        case wait
    }

    /// What stands outside of the vault; tests put other things there.
    struct Surroundings: Sendable {
        var clock: @Sendable () -> ClockReading = EventLoop.readClocks
        var transport: Transport = { request, security, timeout throws(FetchFault) in
            let limit = StoredCredentialRule.documentBytes
            return try DocumentFetch.run(request, security: security, timeout: timeout, byteLimit: limit).bytes
        }
    }

    private static let shardCount = 16

    private let shards: [Shard]
    private let archive: (any CredentialArchive)?
    private let log: OperatorLog
    private let surroundings: Surroundings
    private let lanes = Mutex<[String: RefreshLanes]>([:])
    private let security = Mutex<[String: TLSClientContext]>([:])
    private let counters = Mutex<[String: RefreshCounters]>([:])
    private let timers = DispatchQueue(label: "portcullis.credential-timers", qos: .utility)

    /// Some of the credentials, under one lock.
    private final class Shard: Sendable {
        let entries: Mutex<CredentialShelf>

        init(_ bounds: CredentialShelf.Bounds) { entries = Mutex(CredentialShelf(bounds)) }
    }

    /// - Parameter archive: where credentials survive the process; nil keeps them in memory only.
    init(
        archive: (any CredentialArchive)?, log: OperatorLog, countLimit: Int = FixedBounds.storedCredentials,
        byteLimit: Int = FixedBounds.storedCredentialBytes, surroundings: Surroundings = Surroundings()
    ) {
        self.archive = archive
        self.log = log
        self.surroundings = surroundings
        let bounds = CredentialShelf.Bounds(
            count: max(1, countLimit / Self.shardCount), byteCount: byteLimit / Self.shardCount)
        shards = (0..<Self.shardCount).map { _ in Shard(bounds) }
    }

    /// Follows a policy in what its refreshes are sent with, by name of the stored credential.
    func adopt(security contexts: [String: TLSClientContext]) { security.withLock { $0 = contexts } }

    // MARK: Questions

    /// What the upstream is to be shown for the bearer of a token.
    /// - Parameters:
    ///   - spent: what the upstream answered 401 to; nil before anything was shown.
    ///   - waiter: called only when the answer is `.wait`, for what is called once with the outcome, on any queue.
    func credential(
        by rule: StoredCredentialRule, for token: VerifiedToken, spent: UpstreamCredential?, now: ClockReading,
        waiter: () -> Completion
    ) -> Answer {
        let brought: UpstreamCredential?
        do throws(CredentialDocumentFault) { brought = try rule.brought(by: token, now: now) } catch {
            return .refuse(.upstreamCredentialMissing)
        }
        guard rule.refresh != nil else {
            guard let brought, brought.isGood(at: now.wall) else { return .refuse(.upstreamCredentialMissing) }
            return spent == nil ? .show(brought) : .nothingBetter
        }
        guard let identity = Self.identity(rule, token) else { return .refuse(.upstreamCredentialMissing) }
        let question = CredentialEntry.Question(brought: brought, spent: spent, rule: rule, token: token)
        let (answer, work) = shard(of: identity).entries.withLock { entries in
            ask(question, identity, &entries, now: now, waiter: waiter)
        }
        if let work { begin(work.work, number: work.number, identity, question) }
        return answer
    }

    /// Has a credential that the upstream refused refreshed, though nobody waits for it.
    func renew(_ spent: UpstreamCredential, by rule: StoredCredentialRule, for token: VerifiedToken, now: ClockReading) {
        _ = credential(by: rule, for: token, spent: spent, now: now) { { _ in } }
    }

    private func ask(
        _ question: CredentialEntry.Question, _ identity: Identity, _ entries: inout CredentialShelf,
        now: ClockReading, waiter: () -> Completion
    ) -> (Answer, (work: CredentialEntry.Work, number: UInt64)?) {
        let isHeld = entries.hold(identity, CredentialEntry(isArchived: archive != nil, now: now.instant))
        let outcome: (Answer, (work: CredentialEntry.Work, number: UInt64)?)? =
            isHeld
            ? entries.change(identity) { entry in
                switch entry.decide(question, now: now) {
                case .show(let credential): return (.show(credential), nil)
                case .refuse(let denial): return (.refuse(denial), nil)
                case .nothingBetter: return (.nothingBetter, nil)
                case .wait(let work):
                    entry.waiters.append(CredentialEntry.Waiter(question: question, completion: waiter()))
                    return (.wait, work.map { ($0, entry.number) })
                }
            } : nil
        return outcome ?? (.refuse(.overloaded), nil)
    }

    private static func identity(_ rule: StoredCredentialRule, _ token: VerifiedToken) -> Identity? {
        guard let issuer = token.issuer, let subject = token.subject, !subject.isEmpty else { return nil }
        return Identity(name: rule.name, issuer: issuer, subject: subject)
    }

    private func shard(of identity: Identity) -> Shard {
        shards[Int(truncatingIfNeeded: UInt(bitPattern: identity.hashValue) % UInt(Self.shardCount))]
    }

    // MARK: Work

    private func begin(
        _ work: CredentialEntry.Work, number: UInt64, _ identity: Identity, _ question: CredentialEntry.Question
    ) {
        switch work {
        case .load: load(identity, question.rule, number)
        case .keep(let credential): keep(credential, identity, number)
        case .refresh(let credential, let question): refresh(credential, identity, question, number)
        }
    }

    private func load(_ identity: Identity, _ rule: StoredCredentialRule, _ number: UInt64) {
        guard let archive else { return }
        archive.find(identity) { result in
            switch result {
            case .failure: self.end(identity, refusing: .storeUnavailable) { $0.loadingFailed(number: number) }
            case .success(let kept):
                let credential = kept.flatMap { self.credential(kept: $0, by: rule) }
                self.end(identity) { $0.loaded(credential, number: number) }
            }
        }
    }

    /// A document that the rule, perhaps a changed one, finds no credential in counts as not there.
    private func credential(kept: StoredUpstreamCredential, by rule: StoredCredentialRule) -> UpstreamCredential? {
        let bytes = kept.document
        guard let document = try? rule.read(kept: bytes.span) else { return nil }
        return UpstreamCredential(
            document: document, signIn: kept.signIn, expiresAt: kept.expiresAt,
            obtainedAt: surroundings.clock().instant)
    }

    /// One that cannot be kept is used all the same: the one before is as good as lost.
    private func keep(_ credential: UpstreamCredential, _ identity: Identity, _ number: UInt64) {
        guard let archive else {
            end(identity) { $0.kept(number: number) }
            return
        }
        let record = StoredUpstreamCredential(
            identity: identity, signIn: credential.signIn, document: credential.document.bytes,
            expiresAt: credential.expiresAt)
        archive.keep(record) { result in
            if case .failure = result {
                self.log.error(
                    "stored credential \(identity.name): it cannot be written to the store, and would be lost in a restart")
            }
            self.end(identity) { $0.kept(number: number) }
        }
    }

    private func refresh(
        _ credential: UpstreamCredential, _ identity: Identity, _ question: CredentialEntry.Question, _ number: UInt64
    ) {
        guard let refresh = question.rule.refresh else { return }
        let (fields, content) = refresh.request(for: credential, of: question.token)
        let request = FetchRequest(
            url: refresh.url, method: refresh.method, fields: fields, content: content, acceptedStatuses: 200...299)
        let context = security.withLock { $0[identity.name] }
        let lanes = self.lanes.withLock { lanes in
            let found = lanes[identity.name] ?? RefreshLanes()
            lanes[identity.name] = found
            return found
        }
        let isInLine = lanes.run {
            let began = self.surroundings.clock()
            var fault = ""
            do throws(FetchFault) {
                let bytes = try self.surroundings.transport(request, context, refresh.timeout)
                do throws(CredentialDocumentFault) {
                    let document = try question.rule.refreshed(bytes.span, after: credential.document)
                    let next = UpstreamCredential(
                        document: document, signIn: credential.signIn,
                        expiresAt: document.lifetime.map { began.wall.advanced(by: $0) }, obtainedAt: began.instant)
                    return self.refreshed(next, refresh, identity, question, number)
                } catch {
                    fault = "the answer is unusable: \(error.message)"
                }
            } catch {
                fault = error.message
            }
            self.refreshFailed(fault, refresh, identity, number)
        }
        guard isInLine else { return refreshFailed("too many refreshes at a time", refresh, identity, number) }
        // The time in line, and the system's resolver, are in nobody's timeout.
        let patience = DispatchTimeInterval.nanoseconds(Int(clamping: refresh.timeout &+ .seconds(1)))
        timers.asyncAfter(deadline: .now() + patience) {
            self.end(identity) { $0.hangs(number: number) }
        }
    }

    private func refreshed(
        _ next: UpstreamCredential, _ refresh: CredentialRefresh, _ identity: Identity, _ question: CredentialEntry.Question,
        _ number: UInt64
    ) {
        counters.withLock { $0[identity.name, default: RefreshCounters()].successes += 1 }
        let now = surroundings.clock().instant
        let begun: (CredentialEntry.Work, UInt64)? = shard(of: identity).entries.withLock { entries in
            let begun: (CredentialEntry.Work, UInt64)?? = entries.change(identity) { entry in
                let work = entry.refreshed(next, cooldown: refresh.cooldown, number: number, now: now)
                return work.map { ($0, entry.number) }
            }
            return begun ?? nil
        }
        if let (work, number) = begun { begin(work, number: number, identity, question) }
    }

    private func refreshFailed(
        _ fault: String, _ refresh: CredentialRefresh, _ identity: Identity, _ number: UInt64
    ) {
        let now = surroundings.clock().instant
        let isTold = counters.withLock { $0[identity.name, default: RefreshCounters()].failed(now: now) }
        if isTold {
            log.warning(
                "stored credential \(identity.name): \(FetchAddress.loggable(refresh.url)): \(OneLine.plain(fault)); "
                    + "the credential could not be refreshed")
        }
        end(identity) { $0.refreshFailed(cooldown: refresh.cooldown, number: number, now: now) != nil }
    }

    /// Work has ended: whoever waits asks again, or is told of the refusal.
    /// - Parameter change: what the end means for the entry; false when something else overtook the work.
    private func end(
        _ identity: Identity, refusing denial: Denial? = nil, _ change: (inout CredentialEntry) -> Bool
    ) {
        let now = surroundings.clock()
        var told: [(Completion, Result<UpstreamCredential, Denial>)] = []
        var begun: [(CredentialEntry.Work, UInt64, CredentialEntry.Question)] = []
        shard(of: identity).entries.withLock { entries in
            _ = entries.change(identity) { entry in
                guard change(&entry) else { return }
                let waiters = entry.waiters
                entry.waiters = []
                for waiter in waiters {
                    let verdict = denial.map { .refuse($0) } ?? entry.decide(waiter.question, now: now)
                    switch verdict {
                    case .show(let credential): told.append((waiter.completion, .success(credential)))
                    case .refuse(let denial): told.append((waiter.completion, .failure(denial)))
                    case .nothingBetter: told.append((waiter.completion, .failure(.upstreamCredentialRefreshFailed)))
                    case .wait(let work):
                        entry.waiters.append(waiter)
                        if let work { begun.append((work, entry.number, waiter.question)) }
                    }
                }
            }
        }
        for (completion, result) in told { completion(result) }
        for (work, number, question) in begun { begin(work, number: number, identity, question) }
    }

    // MARK: What is known

    /// Credentials in memory.
    var count: Int { shards.reduce(0) { sum, shard in sum + shard.entries.withLock { $0.count } } }

    /// Bytes of memory they take, roughly.
    var weight: Int { shards.reduce(0) { sum, shard in sum + shard.entries.withLock { $0.weight } } }

    /// How the refreshes of one stored credential went since the start.
    struct Refreshes: Sendable {
        var name: String
        var successes: UInt64
        var failures: UInt64
    }

    /// In the order of their names.
    func refreshes() -> [Refreshes] {
        counters.withLock { $0 }.sorted { $0.key < $1.key }.map {
            Refreshes(name: $0.key, successes: $0.value.successes, failures: $0.value.failures)
        }
    }
}

/// How the refreshes of one stored credential went.
private struct RefreshCounters: Sendable {
    /// Failures within this time of one that was told are only counted.
    private static let quietTime: Nanoseconds = .seconds(10)

    var successes: UInt64 = 0
    private(set) var failures: UInt64 = 0
    private var quietUntil = Instant(nanoseconds: .min)

    /// Counts a failure; true when it is to be told.
    mutating func failed(now: Instant) -> Bool {
        failures &+= 1
        guard now >= quietUntil else { return false }
        quietUntil = now.advanced(by: Self.quietTime)
        return true
    }
}
