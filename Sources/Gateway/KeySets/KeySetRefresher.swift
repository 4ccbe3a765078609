import Core
import Crypto
import Dispatch
import IO
import Policy
import Synchronization

/// Keeps one fetched key set fresh. Its queue is its own and may block, so a dead issuer delays nobody else.
///
/// A set is fetched again at 80 % of its freshness, give or take 10 %, so that a fleet does not ask all at once.
/// After a failure the next try comes after the cool-down, doubled each time up to five minutes. One fetch runs at a
/// time; who asks while it runs waits for that one.
final class KeySetRefresher: Sendable {
    private static let retryLimit: Nanoseconds = .seconds(300)
    /// After a failure, requests that ask for a fetch cause none for this long, doubled each time up to the cool-down.
    private static let firstPause: Nanoseconds = .seconds(1)

    private struct State {
        var url: String
        var configuration: KeySetConfiguration
        var isFetching = false
        var isStopped = false
        var failures = 0
        var failedAt: Instant?
        var waiters: [@Sendable () -> Void] = []
    }

    let cell: KeySetCell
    private let queue: DispatchQueue
    private let log: OperatorLog
    private let cryptography: any Cryptography
    private let state: Mutex<State>
    private let timer: LoopBound<any DispatchSourceTimer>

    init(
        cell: KeySetCell, url: String, configuration: KeySetConfiguration, cryptography: any Cryptography,
        log: OperatorLog
    ) {
        self.cell = cell
        self.log = log
        self.cryptography = cryptography
        queue = DispatchQueue(label: "portcullis.key-set.\(cell.name)", qos: .utility)
        state = Mutex(State(url: url, configuration: configuration))
        let timer = DispatchSource.makeTimerSource(queue: queue)
        self.timer = LoopBound(timer, on: queue)
        timer.setEventHandler { @Sendable [weak self] in self?.refresh() }
        timer.schedule(deadline: .distantFuture)
        timer.activate()
        refresh()
    }

    /// Follows a new policy; another URL is fetched at once.
    func adopt(url: String, configuration: KeySetConfiguration) {
        let isOtherURL = state.withLock { state in
            defer {
                state.url = url
                state.configuration = configuration
            }
            return state.url != url
        }
        if isOtherURL { refresh() }
    }

    /// Ends refreshing. Who waits is called when the fetch under way is over.
    func stop() {
        state.withLock { $0.isStopped = true }
        queue.async { self.timer.value.cancel() }
    }

    /// Fetches now, or joins the fetch under way, and calls `completion` from the refresher's queue when that is over,
    /// either way. Called at once, without a fetch, shortly after one failed.
    func refetch(_ completion: @escaping @Sendable () -> Void) {
        let now = EventLoop.readClocks().instant
        enum Answer { case joined, started, refused }
        let answer: Answer = state.withLock { state in
            if state.isFetching {
                state.waiters.append(completion)
                return .joined
            }
            if state.isStopped || isPausing(state, now) { return .refused }
            state.waiters.append(completion)
            state.isFetching = true
            return .started
        }
        switch answer {
        case .joined: break
        case .started: queue.async { self.fetch() }
        case .refused: completion()
        }
    }

    private func isPausing(_ state: borrowing State, _ now: Instant) -> Bool {
        guard let failedAt = state.failedAt else { return false }
        let pause = min(state.configuration.cooldown, Self.doubled(Self.firstPause, times: state.failures - 1))
        return now.since(failedAt) < pause
    }

    private func refresh() {
        let mustStart = state.withLock { state in
            if state.isFetching || state.isStopped { return false }
            state.isFetching = true
            return true
        }
        if mustStart { queue.async { self.fetch() } }
    }

    // MARK: Fetching

    private func fetch() {
        let (url, configuration, isStopped) = state.withLock { ($0.url, $0.configuration, $0.isStopped) }
        // Stopped before the queue came to it: the address may belong to somebody else by now.
        if isStopped { return finish(url, failed: false, next: Self.retryLimit) }
        do throws(FetchFault) {
            let freshness = try install(from: url, configuration)
            finish(url, failed: false, next: Self.jittered(freshness / 5 * 4))
        } catch {
            let failures = state.withLock { $0.failures } + 1
            let pause = Self.doubled(max(configuration.cooldown, 1), times: failures - 1)
            let next = Self.jittered(min(pause, Self.retryLimit))
            let now = EventLoop.readClocks()
            cell.fetchFailed(error.message, now: now)
            let keys = cell.current(now: now.instant) == nil ? "there are no keys" : "the keys in force stay"
            log.warning(
                "key set \(cell.name): \(url): \(error.message); \(keys); next try in \(next.secondsRoundedUp) s")
            finish(url, failed: true, next: next)
        }
    }

    /// Fetches, reads and puts in force; gives back how long the keys are fresh.
    private func install(from url: String, _ configuration: KeySetConfiguration) throws(FetchFault) -> Nanoseconds {
        let deadline = EventLoop.readClocks().instant.advanced(by: configuration.fetchTimeout)
        let document = try DocumentFetch(
            address: FetchAddress(url), deadline: deadline, byteLimit: FixedBounds.keySetBytes
        ).run()
        let set: KeySet
        do throws(KeySetError) {
            set = try KeySet.parse(document.bytes.span, isLocal: false, cryptography: cryptography)
        } catch {
            throw .rejected(error.message)
        }
        let freshness = document.freshness(
            refresh: configuration.refresh, minimum: configuration.minimumRefresh,
            maximum: configuration.maximumRefresh)
        let before = cell.generation
        cell.install(set, now: EventLoop.readClocks(), freshFor: freshness)
        if cell.generation != before {
            log.info("key set \(cell.name): \(set.keys.count) keys in force")
            for key in set.skipped {
                let kid = key.kid.map { " \"\(OneLine.quoted($0))\"" } ?? ""
                log.warning("key set \(cell.name): keys[\(key.index)]\(kid) is not used: \(key.reason.rawValue)")
            }
        }
        return freshness
    }

    /// Notes the end of a fetch, arms the timer, and calls who waited.
    private func finish(_ url: String, failed: Bool, next: Nanoseconds) {
        let now = EventLoop.readClocks().instant
        let (waiters, isOutdated) = state.withLock { state in
            state.isFetching = false
            state.failures = failed ? state.failures + 1 : 0
            state.failedAt = failed ? now : nil
            let waiters = state.waiters
            state.waiters = []
            return (waiters, state.url != url)
        }
        timer.value.schedule(
            deadline: .now() + .nanoseconds(Int(max(next, .milliseconds(10)))), leeway: .milliseconds(10))
        for waiter in waiters { waiter() }
        // A reload named another URL while the old one was being fetched.
        if isOutdated { refresh() }
    }

    /// 90 to 110 percent of a span.
    private static func jittered(_ span: Nanoseconds) -> Nanoseconds {
        span / 1000 * Int64.random(in: 900...1100)
    }

    private static func doubled(_ span: Nanoseconds, times: Int) -> Nanoseconds {
        let (result, overflow) = span.multipliedReportingOverflow(by: 1 << Int64(min(max(times, 0), 20)))
        return overflow ? .max : result
    }
}
