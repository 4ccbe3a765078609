import Core
import IO

/// A client that waits for 100 before it sends its content (RFC 9110 §10.1.1) while the upstream says nothing: servers that do not
/// know the expectation wait for the content, and clients that insist on the 100 would wait for ever. After
/// `FixedBounds.continueDelay` the gateway says it.
extension Exchange {
    /// The request has gone to an upstream, its content has not come: its client may be waiting to be asked for it.
    func watchExpectation() {
        guard head.expectsContinue, head.version != .http10, expectation == nil, contentBytes == 0 else { return }
        let due = worker.loop.now.instant.advanced(by: FixedBounds.continueDelay)
        expectation = ExchangeTimer(on: worker.loop, at: due) { [unowned self] in continueUnasked() }
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
        expectation.stop()
        self.expectation = nil
    }
}
