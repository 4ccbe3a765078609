import Core
import IO

/// A client that waits for 100 before it sends its content (RFC 9110 §10.1.1) while the upstream says nothing: servers that do not
/// know the expectation wait for the content, and clients that insist on the 100 would wait for ever. After
/// `FixedBounds.continueDelay` the gateway says it.
///
/// A channel without a socket: the loop knows it for its deadline.
final class Expectation: Channel {
    private unowned let exchange: Exchange
    private let loop: EventLoop
    private var registration = Registration.none
    private var isOver = false

    init(of exchange: Exchange, on loop: EventLoop) {
        self.exchange = exchange
        self.loop = loop
        registration = loop.registerTimer(self)
        _ = loop.schedule(registration, at: loop.now.instant.advanced(by: FixedBounds.continueDelay))
    }

    /// The client need not wait any more, or its exchange is over.
    func end() {
        guard !isOver else { return }
        isOver = true
        loop.unregister(registration)
    }

    func ready(_ readiness: Readiness) {}
    func flush() {}

    func deadlineReached() {
        guard !isOver else { return }
        exchange.continueUnasked()
    }
}

extension Exchange {
    /// The request has gone to an upstream, its content has not come: its client may be waiting to be asked for it.
    func watchExpectation() {
        guard head.expectsContinue, head.version != .http10, expectation == nil, contentBytes == 0 else { return }
        expectation = Expectation(of: self, on: worker.loop)
    }

    /// Says 100 to a client that waits for it.
    func sendContinue() {
        guard head.expectsContinue, head.version != .http10 else { return }
        worker.responseHead.removeAll()
        worker.responseHead.status = 100
        worker.lines.removeAll()
        client.sendInterim()
    }

    /// The upstream has not answered the expectation.
    func continueUnasked() {
        endExpectation()
        guard answer == .none, contentBytes == 0, !requestIsComplete else { return }
        sendContinue()
        // What the upstream may still say about it comes too late, and it is not asked again.
        head.dropExpectation()
    }

    func endExpectation() {
        guard let expectation else { return }
        expectation.end()
        self.expectation = nil
    }
}
