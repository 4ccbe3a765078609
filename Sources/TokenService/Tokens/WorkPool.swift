import Core
import Dispatch
import Synchronization

/// A few threads for work that takes long, as password hashing does, with a bound on how much may wait.
final class WorkPool: Sendable {
    private struct State {
        var running = 0
        var waiting: [@Sendable () -> Void] = []
    }

    private let queue = DispatchQueue(label: "portcullis.work", qos: .utility, attributes: .concurrent)
    private let width: Int
    private let waitingLimit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - width: pieces of work at one time.
    ///   - waitingLimit: pieces that may wait; more are refused.
    init(width: Int, waitingLimit: Int) {
        self.width = width
        self.waitingLimit = waitingLimit
    }

    /// False when too much waits already; then the work is not done.
    func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
        enum Turn { case now, later, never }
        let turn = state.withLock { state -> Turn in
            if state.running < width {
                state.running += 1
                return .now
            }
            guard state.waiting.count < waitingLimit else { return .never }
            state.waiting.append(work)
            return .later
        }
        switch turn {
        case .now: queue.async { self.run(work) }
        case .later: break
        case .never: return false
        }
        return true
    }

    /// Does a little work after a while, beside the pieces that are counted.
    func later(_ wait: Nanoseconds, _ work: @escaping @Sendable () -> Void) {
        queue.asyncAfter(deadline: .now() + .nanoseconds(Int(wait)), execute: work)
    }

    private func run(_ work: @escaping @Sendable () -> Void) {
        work()
        let next = state.withLock { state -> (@Sendable () -> Void)? in
            if state.waiting.isEmpty {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        if let next { queue.async { self.run(next) } }
    }
}
