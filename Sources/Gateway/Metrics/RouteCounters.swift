/// What one loop counts of one route.
package struct RouteCounters: Sendable {
    /// Answers by the first digit of their status; 0 for requests that ended without an answer.
    package var statuses = InlineArray<6, UInt64>(repeating: 0)
    /// Of requests that were served, and of those that were refused: refusals are quick, and would hide how slow the others are.
    package var latency = LatencyHistogram()
    package var refusedLatency = LatencyHistogram()
    /// Bytes of request content taken from clients.
    package var bytesIn: UInt64 = 0
    /// Bytes of response content given to clients.
    package var bytesOut: UInt64 = 0
    /// Connections that changed their protocol.
    package var tunnels: UInt64 = 0
    /// By number of the reason; empty until the route's first refusal or fault.
    package var reasons: [UInt64] = []

    package init() {}

    /// True while nothing was counted: such a route is left out of the page.
    package var isUntouched: Bool { requests == 0 && tunnels == 0 }

    /// Requests that have ended.
    package var requests: UInt64 { latency.count &+ refusedLatency.count }

    /// Counts one more of a reason; `reasonCount` is the size of the table of reasons.
    mutating func count(reason: Int, of reasonCount: Int) {
        if reasons.isEmpty { reasons = [UInt64](repeating: 0, count: reasonCount) }
        if reason < reasons.count { reasons[reason] &+= 1 }
    }

    /// Adds another loop's counts of the same route.
    package mutating func merge(_ other: RouteCounters) {
        for index in statuses.indices { statuses[index] &+= other.statuses[index] }
        latency.merge(other.latency)
        refusedLatency.merge(other.refusedLatency)
        bytesIn &+= other.bytesIn
        bytesOut &+= other.bytesOut
        tunnels &+= other.tunnels
        guard !other.reasons.isEmpty else { return }
        if reasons.isEmpty {
            reasons = other.reasons
            return
        }
        for index in reasons.indices where index < other.reasons.count { reasons[index] &+= other.reasons[index] }
    }
}
