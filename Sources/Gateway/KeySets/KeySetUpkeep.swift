import Core
import Dispatch
import Policy

/// What the fetcher remembers of one fetched key set while the policy says the same of it. Belongs to the fetcher's
/// queue.
final class KeySetUpkeep {
    /// A request that waits for the end of a fetch, and until when it does at most.
    struct Waiter {
        var until: Instant
        var completion: @Sendable () -> Void
    }

    enum Phase {
        /// The next fetch begins at this instant.
        case idle(due: Instant)
        /// A fetch is wanted, but too many run.
        case queued
        /// A fetch runs and is given up at this instant.
        case fetching(giveUp: Instant)
    }

    let compiled: CompiledKeySet
    let url: String
    /// A queue of its own: Dispatch gives each serial queue that blocks a thread of its own, whereas the work items of
    /// one concurrent queue would wait for each other once they hold as many threads as there are processors.
    let worker: DispatchQueue
    var phase: Phase
    /// The worker is in a fetch, though perhaps in one that was given up. No other begins before it ends.
    var isWorking = false
    var failures = 0
    /// In the order of their ends.
    var waiters: [Waiter] = []
    /// No policy in force says this of the key set any more; nothing is installed.
    var isRetired = false

    init(_ compiled: CompiledKeySet, url: String, due: Instant) {
        self.compiled = compiled
        self.url = url
        worker = DispatchQueue(label: "portcullis.key-set", qos: .utility)
        phase = .idle(due: due)
    }

    var cell: KeySetCell { compiled.cell }

    /// The worker does not come back from a fetch that was given up, most likely held by the system's resolver.
    var isHung: Bool {
        switch phase {
        case .idle, .queued: isWorking
        case .fetching: false
        }
    }

    /// When something is to be done without a fetch having ended.
    var nextDeadline: Instant {
        let waiting = waiters.first?.until ?? .distantFuture
        switch phase {
        case .idle(let due): return min(due, waiting)
        case .queued: return waiting
        case .fetching(let giveUp): return min(giveUp, waiting)
        }
    }

    func takeWaiters() -> [Waiter] {
        defer { waiters = [] }
        return waiters
    }

    func takeWaiters(until now: Instant) -> [Waiter] {
        let count = waiters.firstIndex { $0.until > now } ?? waiters.count
        defer { waiters.removeFirst(count) }
        return Array(waiters.prefix(count))
    }
}
