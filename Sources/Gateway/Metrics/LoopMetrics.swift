package import Core

/// What came of one request, as far as it is counted.
package struct RequestOutcome {
    /// Status of the answer; 0 when the client left before one began.
    package var status: Int
    /// Why the gateway answered itself or cut the answer short: a stable identifier. Nil when all went well.
    package var reason: String?
    /// The answer is a refusal of the gateway's own, a failed upstream's 502 to 504 among them.
    package var isRefused: Bool
    package var bytesIn: UInt64
    package var bytesOut: UInt64
    package var duration: Nanoseconds

    package init(
        status: Int, reason: String?, isRefused: Bool, bytesIn: UInt64, bytesOut: UInt64, duration: Nanoseconds
    ) {
        self.status = status
        self.reason = reason
        self.isRefused = isRefused
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.duration = duration
    }
}

/// The counters of one event loop: plain numbers that only the loop touches, so counting costs no atomics and no locks.
/// Bounded by the number of routes, upstreams and reasons; never a label that a client chooses.
package final class LoopMetrics {
    /// Stands for every request that no route matched, or that was refused before one was looked for.
    package static let unrouted = "none"
    /// Stands for reasons that are not in the table.
    package static let otherReason = "other"

    /// Counters that belong to no route and no upstream.
    package struct Totals: Sendable {
        package var connectionsAccepted: UInt64 = 0
        /// Closed at once because a bound on connections was reached.
        package var connectionsRefused: UInt64 = 0
        /// TLS handshakes with clients that came to their end, and that did not.
        package var handshakes: UInt64 = 0
        package var handshakesFailed: UInt64 = 0
        package var connectionsOpen = 0
        package var requestsInFlight = 0
        /// Connections that changed their protocol and are open.
        package var tunnelsOpen = 0
        package var tokenCacheHits: UInt64 = 0
        package var tokenCacheMisses: UInt64 = 0
        /// Tokens refused from memory, without looking at a signature again.
        package var refusedTokenCacheHits: UInt64 = 0
        /// Requests that waited for a key set to be fetched.
        package var keySetWaits: UInt64 = 0
        package var keySetWaitTimeouts: UInt64 = 0
        package var accessRecords: UInt64 = 0
        /// Access records thrown away because the log could not take them.
        package var accessRecordsDropped: UInt64 = 0

        package init() {}
    }

    package var totals = Totals()
    package var credentials = CredentialCounts()
    package var shadow = ShadowCounts()
    /// Connections that ended before their first request.
    private var rejections: [RejectedConnections: UInt64] = [:]
    /// The names of `counters`, the last one being `unrouted`.
    private var names: [String] = [unrouted]
    private var counters = [RouteCounters()]
    private var slots: [String: Int] = [unrouted: 0]
    private let reasons: [String]
    private let reasonNumbers: [String: Int]
    private var upstreams: [UpstreamCounters] = []

    /// `reasons` is every reason that requests may be counted under.
    package init(reasons: [String]) {
        var numbers: [String: Int] = [:]
        var table: [String] = []
        for reason in reasons + [Self.otherReason] where numbers[reason] == nil {
            numbers[reason] = table.count
            table.append(reason)
        }
        self.reasons = table
        reasonNumbers = numbers
    }

    /// Takes over the routes of a new policy, in the order of their numbers. Counts of routes that keep their name go
    /// on; those of routes that are gone end.
    package func adopt(routes: [String]) {
        var newNames: [String] = []
        var newCounters: [RouteCounters] = []
        var newSlots: [String: Int] = [:]
        for name in routes + [Self.unrouted] {
            newSlots[name] = newNames.count
            newNames.append(name)
            newCounters.append(slots[name].map { counters[$0] } ?? RouteCounters())
        }
        shadow.keepRoutes(routes)
        names = newNames
        counters = newCounters
        slots = newSlots
    }

    /// Counts a finished request. `number` is the route's place in the policy the request began under, `name` its name:
    /// after a reload the number may mean another route, and then the name decides.
    package func count(_ outcome: RequestOutcome, route number: Int, named name: String) {
        // Names come from the policy itself, so equality is a comparison of two words in all but the odd case.
        if number < names.count, names[number] == name {
            count(outcome, in: number)
        } else {
            count(outcome, in: slots[name] ?? names.count &- 1)
        }
    }

    /// Counts a connection that changed its protocol. `number` and `name` as for `count`.
    package func tunnelOpened(route number: Int, named name: String) {
        totals.tunnelsOpen += 1
        let isHere = number < names.count && names[number] == name
        counters[isHere ? number : slots[name] ?? names.count &- 1].tunnels &+= 1
    }

    /// Counts a connection that ended before its first request. Addresses of listeners and reasons are the policy's and ours.
    package func countRejected(at listener: String, because reason: String) {
        rejections[RejectedConnections(listener: listener, reason: reason), default: 0] &+= 1
    }

    /// Forgets the counts of listeners that are gone.
    package func keepRejections(ofListeners listeners: Set<String>) {
        rejections = rejections.filter { listeners.contains($0.key.listener) }
    }

    /// Counts a finished request that no route was found for.
    package func countUnrouted(_ outcome: RequestOutcome) { count(outcome, in: names.count &- 1) }

    private func count(_ outcome: RequestOutcome, in slot: Int) {
        let hundreds = outcome.status / 100
        counters[slot].statuses[hundreds >= 1 && hundreds <= 5 ? hundreds : 0] &+= 1
        if outcome.isRefused {
            counters[slot].refusedLatency.add(outcome.duration)
        } else {
            counters[slot].latency.add(outcome.duration)
        }
        counters[slot].bytesIn &+= outcome.bytesIn
        counters[slot].bytesOut &+= outcome.bytesOut
        if let reason = outcome.reason {
            counters[slot].count(reason: reasonNumbers[reason] ?? reasons.count &- 1, of: reasons.count)
        }
    }

    /// The counters of an upstream, the same object for the same name as long as the loop lives. Looked up when a
    /// pool is made, not for each request.
    package func upstream(named name: String) -> UpstreamCounters {
        if let known = upstreams.first(where: { $0.name == name }) { return known }
        let made = UpstreamCounters(name: name)
        upstreams.append(made)
        return made
    }

    /// Forgets upstreams that the policy no longer names and that have no connection left.
    package func keepUpstreams(_ isNamed: (String) -> Bool) {
        upstreams.removeAll { !isNamed($0.name) && $0.values.open == 0 }
    }

    /// A copy of everything counted so far, free to leave the loop.
    package func snapshot() -> MetricsSnapshot {
        var snapshot = MetricsSnapshot()
        snapshot.totals = totals
        snapshot.credentials = credentials
        snapshot.shadow = shadow
        snapshot.rejections = rejections
        snapshot.reasons = reasons
        for index in names.indices where !counters[index].isUntouched {
            snapshot.routes.append((name: names[index], counters: counters[index]))
        }
        snapshot.upstreams = upstreams.map { (name: $0.name, values: $0.values) }
        return snapshot
    }
}
