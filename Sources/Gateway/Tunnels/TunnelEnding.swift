import Policy

/// Why the gateway ends a tunnel.
enum TunnelEnding: Equatable {
    /// No byte passed for the route's `upgrade_idle_timeout`.
    case idle
    /// The route's `upgrade_lifetime` is over.
    case outlived
    /// The gateway drains.
    case draining
    /// What the tunnel was opened with would not open it any more.
    case denied(Denial)

    /// What the close frame says.
    var close: WebSocketClose {
        switch self {
        case .idle: WebSocketClose(code: .goingAway, reason: ExchangeFault.tunnelIdle.rawValue)
        case .outlived: WebSocketClose(code: .goingAway, reason: ExchangeFault.tunnelOutlived.rawValue)
        case .draining: WebSocketClose(code: .goingAway, reason: ExchangeFault.tunnelDrained.rawValue)
        case .denied(let denial): WebSocketClose(code: .policyViolation, reason: denial.reason)
        }
    }

    /// The client may still say goodbye: what it sends passes until its own close frame has.
    var isGraceful: Bool { self == .draining }
}
