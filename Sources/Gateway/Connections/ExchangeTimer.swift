import Core
import IO

/// Calls once when its time has come, on its loop, unless it is stopped before: for the few exchanges that have a time of their own.
/// A channel without a socket: the loop knows it for its deadline.
final class ExchangeTimer: Channel {
    private let loop: EventLoop
    private let due: Instant
    private let action: () -> Void
    private var registration = Registration.none
    private var isOver = false

    init(on loop: EventLoop, at due: Instant, _ action: @escaping () -> Void) {
        self.loop = loop
        self.due = due
        self.action = action
        registration = loop.registerTimer(self)
        _ = loop.schedule(registration, at: due)
    }

    func stop() {
        guard !isOver else { return }
        isOver = true
        loop.unregister(registration)
    }

    // MARK: Channel

    func ready(_ readiness: Readiness) {}

    func flush() {}

    func deadlineReached() {
        guard !isOver else { return }
        guard loop.now.instant >= due else {
            _ = loop.schedule(registration, at: due)
            return
        }
        stop()
        action()
    }
}
