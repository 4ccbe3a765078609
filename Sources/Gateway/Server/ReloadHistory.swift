import Core
import IO
import Synchronization

/// How reloads went: for `/status` and the metrics.
final class ReloadHistory: Sendable {
    struct Values: Sendable {
        var succeeded: UInt64 = 0
        var failed: UInt64 = 0
        var lastSucceeded = true
        var lastAt: WallTime
        /// First line of what was wrong the last time; nil after a success.
        var lastError: String?
    }

    private let state = Mutex(Values(lastAt: EventLoop.readClocks().wall))

    var values: Values { state.withLock { $0 } }

    func succeeded() {
        state.withLock {
            $0.succeeded += 1
            $0.lastSucceeded = true
            $0.lastError = nil
            $0.lastAt = EventLoop.readClocks().wall
        }
    }

    func failed(_ error: String) {
        state.withLock {
            $0.failed += 1
            $0.lastSucceeded = false
            $0.lastError = error
            $0.lastAt = EventLoop.readClocks().wall
        }
    }
}
