package import Core
import Crypto
import Dispatch
import IO
package import Policy
import Synchronization

/// Keeps the fetched key sets of the process up to date, off the loops. Every call returns at once, from any queue.
///
/// Each set is fetched ahead of its end, one fetch at a time, in a work item of its own: an issuer that does not answer
/// holds nobody else up. Good keys are replaced only by good keys.
package final class KeySetFetcher: Sendable {
    /// Fetches a URL within a time, https with what is given for it; blocks.
    typealias Transport = @Sendable (String, TLSClientContext?, Nanoseconds) throws(FetchFault) -> FetchedDocument

    /// What stands outside of the fetcher; tests put other things there.
    struct Surroundings: Sendable {
        var clock: @Sendable () -> ClockReading = EventLoop.readClocks
        /// A new draw from `KeySetTiming.jitterRange`.
        var jitter: @Sendable () -> Int64 = { Int64.random(in: KeySetTiming.jitterRange) }
        var transport: Transport = { url, security, timeout throws(FetchFault) in
            try DocumentFetch.run(url, security: security, timeout: timeout)
        }
    }

    /// What belongs to the queue.
    private final class Confined {
        /// By name of the key set.
        var upkeeps: [String: KeySetUpkeep] = [:]
        /// Those in phase `queued`, in the order in which they came.
        var queued: [KeySetUpkeep] = []
        /// Fetches under way, those given up included.
        var working = 0
        var isStopped = false
        let timer: any DispatchSourceTimer

        init(timer: any DispatchSourceTimer) { self.timer = timer }
    }

    private let queue = DispatchQueue(label: "portcullis.key-sets", qos: .utility)
    private let confined: LoopBound<Confined>
    /// As last adopted, in the order of their names, for questions that are answered at once.
    private let adopted = Mutex<[CompiledKeySet]>([])
    private let observer = Mutex<(@Sendable () -> Void)?>(nil)
    private let log: OperatorLog
    private let cryptography: any Cryptography
    private let surroundings: Surroundings

    package convenience init(log: OperatorLog, cryptography: any Cryptography = OpenSSLCryptography()) {
        self.init(log: log, cryptography: cryptography, surroundings: Surroundings())
    }

    init(log: OperatorLog, cryptography: any Cryptography, surroundings: Surroundings) {
        self.log = log
        self.cryptography = cryptography
        self.surroundings = surroundings
        let timer = DispatchSource.makeTimerSource(queue: queue)
        confined = LoopBound(Confined(timer: timer), on: queue)
        timer.schedule(deadline: .distantFuture)
        timer.setEventHandler { @Sendable [weak self] in self?.meetDeadlines() }
        timer.activate()
    }

    deinit { queue.async { [confined] in confined.value.timer.cancel() } }

    // MARK: Calls

    /// Follows a policy, at the start and after every reload: puts local keys in force before it returns, begins to
    /// fetch what is new or fetched otherwise than before, leaves the schedule of everything else as it is, and ends
    /// what is gone. A policy adopted later counts, whatever of this one is still on its way.
    package func adopt(_ sets: [CompiledKeySet]) {
        let now = surroundings.clock()
        adopted.withLock { adopted in
            adopted = sets.sorted { $0.cell.name < $1.cell.name }
            for set in sets {
                let configuration = set.configuration
                set.cell.configure(cooldown: configuration.cooldown, staleLimit: configuration.staleLimit)
                if let local = set.local { set.cell.install(local, now: now, freshFor: nil) }
            }
            // Under the lock, so that two policies reach the queue in the order in which they were adopted.
            queue.async { self.follow(sets) }
        }
    }

    /// Fetches a key set now, or joins the fetch under way. `completion` is called once, on a queue of the fetcher's,
    /// when that ended either way, after `FixedBounds.waitTimeout` at the latest; at once for a cell that is not
    /// fetched, and while the worker hangs in a fetch that was given up.
    package func refetch(_ cell: KeySetCell, _ completion: @escaping @Sendable () -> Void) {
        queue.async {
            let confined = self.confined.value
            guard !confined.isStopped, let upkeep = confined.upkeeps[cell.name], upkeep.cell === cell else {
                completion()
                return
            }
            self.want(upkeep)
            // Nobody knows when that fetch can begin, and who waits in vain is refused all the same.
            if upkeep.isHung { return completion() }
            let until = self.surroundings.clock().instant.advanced(by: FixedBounds.waitTimeout)
            upkeep.waiters.append(KeySetUpkeep.Waiter(until: until, completion: completion))
            self.proceed()
        }
    }

    /// Fetches a key set now because the operator asks for it. False when no key set of this name is fetched.
    package func refresh(named name: String) -> Bool {
        let isKnown = adopted.withLock { $0.contains { $0.cell.name == name && $0.url != nil } }
        guard isKnown else { return false }
        queue.async {
            guard let upkeep = self.confined.value.upkeeps[name] else { return }
            self.want(upkeep)
            self.proceed()
        }
        return true
    }

    /// The state of every key set of the policy, local ones too, in the order of their names.
    package func status() -> [KeySetStatus] {
        let now = surroundings.clock().instant
        return adopted.withLock { $0 }.map { $0.cell.status(now: now) }
    }

    /// Every fetched key set of the policy has been fetched once.
    func hasAllKeys() -> Bool { adopted.withLock { $0 }.allSatisfy { $0.url == nil || $0.cell.hasKeys } }

    /// Has `call` called, on a queue of the fetcher's, when fetched keys were replaced by others.
    func whenKeysChange(_ call: @escaping @Sendable () -> Void) { observer.withLock { $0 = call } }

    /// Ends fetching for good. Who waits is told; fetches under way install nothing.
    package func stop() {
        queue.async {
            let confined = self.confined.value
            confined.isStopped = true
            self.follow([])
        }
    }

    // MARK: Bookkeeping, on the queue

    private func follow(_ sets: [CompiledKeySet]) {
        let confined = confined.value
        let now = surroundings.clock().instant
        var released: [KeySetUpkeep.Waiter] = []
        var upkeeps: [String: KeySetUpkeep] = [:]
        for set in confined.isStopped ? [] : sets {
            guard let url = set.url else { continue }
            let name = set.cell.name
            let before = confined.upkeeps[name]
            if let before, before.compiled.isFetched(like: set) {
                upkeeps[name] = before
                continue
            }
            let upkeep = KeySetUpkeep(set, url: url, due: now)
            // Who waits for this cell waits on, for the fetch that counts now.
            if let before, before.cell === set.cell { upkeep.waiters = before.takeWaiters() }
            upkeeps[name] = upkeep
        }
        for upkeep in confined.upkeeps.values where upkeeps[upkeep.cell.name] !== upkeep {
            upkeep.isRetired = true
            released += upkeep.takeWaiters()
        }
        confined.queued.removeAll { $0.isRetired }
        confined.upkeeps = upkeeps
        for waiter in released { waiter.completion() }
        meetDeadlines()
    }

    /// Does what time asks for: begins fetches that are due, gives up those that take too long, lets go who waited long
    /// enough. Called by the timer; too early a call does no harm.
    private func meetDeadlines() {
        let confined = confined.value
        let now = surroundings.clock().instant
        for upkeep in confined.upkeeps.values.sorted(by: { $0.cell.name < $1.cell.name }) {
            switch upkeep.phase {
            case .idle(let due): if due <= now { want(upkeep) }
            case .queued: break
            case .fetching(let giveUp): if giveUp <= now { failed(upkeep, .timedOut) }
            }
            for waiter in upkeep.takeWaiters(until: now) { waiter.completion() }
        }
        proceed()
    }

    /// Enters a key set for fetching unless it is entered or being fetched.
    private func want(_ upkeep: KeySetUpkeep) {
        guard case .idle = upkeep.phase else { return }
        upkeep.phase = .queued
        confined.value.queued.append(upkeep)
    }

    /// Begins what may begin and sets the timer.
    private func proceed() {
        let confined = confined.value
        while confined.working < FixedBounds.keySetFetches, let index = nextIndex(of: confined.queued) {
            start(confined.queued.remove(at: index))
        }
        guard nextDeadline != .distantFuture else {
            confined.timer.schedule(deadline: .distantFuture)
            return
        }
        // A day at most, far from where sums of times overflow.
        let wait = min(max(nextDeadline.since(surroundings.clock().instant), 0), .seconds(86_400))
        confined.timer.schedule(deadline: .now() + .nanoseconds(Int(wait)), leeway: .milliseconds(1))
    }

    private var nextDeadline: Instant { confined.value.upkeeps.values.map(\.nextDeadline).min() ?? .distantFuture }

    /// The queued key set that failed least often, so that however many dead issuers there are, one that answers does
    /// not wait for them. A set whose last fetch was given up but still blocks its worker has to wait.
    private func nextIndex(of queued: [KeySetUpkeep]) -> Int? {
        queued.indices.filter { !queued[$0].isHung }.min { queued[$0].failures < queued[$1].failures }
    }

    private func start(_ upkeep: KeySetUpkeep) {
        let timeout = upkeep.compiled.configuration.fetchTimeout
        upkeep.phase = .fetching(giveUp: surroundings.clock().instant.advanced(by: timeout))
        upkeep.isWorking = true
        confined.value.working += 1
        let compiled = upkeep.compiled
        let url = upkeep.url
        let bound = LoopBound(upkeep, on: queue)
        upkeep.worker.async {
            let outcome: Result<(KeySet, FetchedDocument.Lifetime), FetchFault>
            do throws(FetchFault) {
                // Dropped before its worker came to it: the address may belong to somebody else by now.
                if self.queue.sync(execute: { bound.value.isRetired }) { throw .timedOut }
                let fetch = KeySetFetch(surroundings: self.surroundings, cryptography: self.cryptography)
                outcome = .success(try fetch.run(compiled, url, timeout: timeout))
            } catch {
                outcome = .failure(error)
            }
            self.queue.async { self.ended(bound.value, outcome) }
        }
    }

    private func ended(
        _ upkeep: KeySetUpkeep, _ outcome: Result<(KeySet, FetchedDocument.Lifetime), FetchFault>
    ) {
        upkeep.isWorking = false
        confined.value.working -= 1
        // In another phase it was given up.
        if !upkeep.isRetired, case .fetching = upkeep.phase {
            switch outcome {
            case .success((let set, let lifetime)): succeeded(upkeep, set, lifetime)
            case .failure(let fault): failed(upkeep, fault)
            }
        }
        proceed()
    }

    private func succeeded(_ upkeep: KeySetUpkeep, _ set: KeySet, _ lifetime: FetchedDocument.Lifetime) {
        let now = surroundings.clock()
        let freshness = KeySetTiming.freshness(lifetime, upkeep.compiled.configuration)
        let before = upkeep.cell.generation
        upkeep.cell.install(set, now: now, freshFor: freshness)
        if upkeep.cell.generation != before {
            observer.withLock { $0 }?()
            log.info("key set \(upkeep.cell.name): \(set.keys.count) keys in force")
            for key in set.skipped {
                log.warning("key set \(upkeep.cell.name): \(key.line)")
            }
        } else if upkeep.failures > 0 {
            log.info("key set \(upkeep.cell.name): fetched again after \(upkeep.failures) failures")
        }
        upkeep.failures = 0
        let delay = KeySetTiming.refreshDelay(freshness: freshness, jitter: surroundings.jitter())
        upkeep.phase = .idle(due: now.instant.advanced(by: delay))
        for waiter in upkeep.takeWaiters() { waiter.completion() }
    }

    private func failed(_ upkeep: KeySetUpkeep, _ fault: FetchFault) {
        let now = surroundings.clock()
        // Part of the text may be the issuer's, up to a document long.
        let message = OneLine.plain(fault.message)
        upkeep.cell.fetchFailed(message, now: now)
        upkeep.failures += 1
        let hasKeys = upkeep.cell.current(now: now.instant) != nil
        let keys = hasKeys ? "the keys in force stay" : "no token of this issuer is accepted"
        var next = "not tried again before the policy changes"
        if fault.isPermanent {
            upkeep.phase = .idle(due: .distantFuture)
        } else {
            let cooldown = upkeep.compiled.configuration.cooldown
            let delay = KeySetTiming.retryDelay(
                failures: upkeep.failures, cooldown: hasKeys ? cooldown : KeySetTiming.leastDelay, jitter: surroundings.jitter())
            upkeep.phase = .idle(due: now.instant.advanced(by: delay))
            next = "next try in \(delay.secondsRoundedUp) s"
        }
        let url = FetchAddress.loggable(upkeep.url)
        let line = "key set \(upkeep.cell.name): \(url): \(message); \(keys); \(next)"
        if hasKeys { log.warning(line) } else { log.error(line) }
        for waiter in upkeep.takeWaiters() { waiter.completion() }
    }
}

extension KeySetFetcher {
    /// Does at once what the clock has made due, as the timer would, and returns when there is something to do next:
    /// for clocks that the timer does not follow.
    @discardableResult
    func catchUp() -> Instant {
        queue.sync {
            meetDeadlines()
            return nextDeadline
        }
    }
}
