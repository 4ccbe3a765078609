import Core
import Policy

/// How long an exchange may take as a whole, and be silent once its answer has begun.
extension Exchange {
    /// When the answer began; nil before.
    var answeredAt: Instant? { answeredAfter.map { startedAt.advanced(by: $0) } }

    /// How long the answer, which has begun, may be without a byte either way; `.max` for ever.
    func idleTimeout(of server: UpstreamServer) -> Nanoseconds {
        grant?.route.idleTimeout(bodyTimeout: server.timeouts.body) ?? server.timeouts.body
    }

    /// Ends the exchange `timeout` after its head came, unless it is over by then.
    func startTimer(_ timeout: Nanoseconds) {
        guard timer == nil else { return }
        timer = ExchangeTimer(on: worker.loop, at: startedAt.advanced(by: timeout)) { [unowned self] in timeIsUp() }
    }

    func stopTimer() {
        timer?.stop()
        timer = nil
    }

    /// The route's `timeout` has passed.
    func timeIsUp() {
        dropUpstream()
        guard answer == .none else { return cutAnswer(because: .outlasted) }
        refuse(Refusal(denial: .routeTimeout, after: grant))
    }

    /// Ends an answer that has begun and cannot be finished, behind what is queued of it. A gRPC call that took too long is told so by
    /// its status.
    func cutAnswer(because fault: ExchangeFault) {
        self.fault = fault
        if let ending = GRPCEnding(fault), head.version == .http2, tunnel == nil, answerFraming.takesTrailers,
            var trailers = ending.trailers(for: head)
        {
            client.endContent(framing: answerFraming, trailers: &trailers)
            return end()
        }
        abort(.afterQueued(showsLength: tunnel == nil && answerFraming.showsLength))
    }
}

extension GRPCEnding {
    /// Nil where a call is cut without a status.
    fileprivate init?(_ fault: ExchangeFault) {
        switch fault {
        case .answerIdle: self = .idle
        case .outlasted: self = .timedOut
        case .clientLeft, .clientTimedOut, .upstreamCut, .drainTimedOut, .tunnelIdle, .tunnelOutlived, .tunnelDrained, .streamMalformed:
            return nil
        }
    }
}
