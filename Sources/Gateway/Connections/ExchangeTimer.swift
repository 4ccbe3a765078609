import Core
import IO

/// The time that a route has for a whole exchange (`timeout`). A channel without a socket: the loop knows it for its deadline.
final class ExchangeTimer: Channel {
    private unowned let exchange: Exchange
    private let loop: EventLoop
    private let due: Instant
    private var registration = Registration.none
    private var isOver = false

    init(_ exchange: Exchange, loop: EventLoop, due: Instant) {
        self.exchange = exchange
        self.loop = loop
        self.due = due
        registration = loop.registerTimer(self)
        _ = loop.schedule(registration, at: due)
    }

    /// The exchange is over, or has become a tunnel, whose times are others.
    func stop() {
        isOver = true
        loop.unregister(registration)
    }

    // MARK: Channel

    func ready(_ readiness: Readiness) {}

    func flush() {}

    func deadlineReached() {
        guard !isOver else { return }
        if loop.now.instant < due {
            _ = loop.schedule(registration, at: due)
        } else {
            exchange.timeIsUp()
        }
    }
}
