import Core
import Policy

/// How traffic is shown to operators as JSON: what each route answered and how fast, whose requests are refused, how
/// servers do.
enum TrafficText {
    /// Names shown of each kind.
    static let nameLimit = 10

    /// Appends the members `routes`, `upstreams`, `credentials`, `shadow` and `scarce_buckets` of an object, each behind a comma.
    static func append(
        _ metrics: MetricsSnapshot, unresolved: [UnresolvedServer], now: WallTime, to out: inout [UInt8]
    ) {
        append(routes: metrics, to: &out)
        append(servers: metrics.servers, unresolved, to: &out)
        out.append(",\"credentials\":{\"limited\":")
        append(metrics.credentials.limited.top(nameLimit), to: &out)
        out.append(",\"failing\":")
        append(metrics.credentials.failing.top(nameLimit), to: &out)
        out.append("}")
        append(shadow: metrics.shadow, to: &out)
        append(scarce: metrics.scarceBuckets, now: now, to: &out)
    }

    /// Latencies as counts of buckets whose upper bounds, in seconds, stand once for all routes.
    private static func append(routes metrics: MetricsSnapshot, to out: inout [UInt8]) {
        out.append(",\"latency_bounds_seconds\":[")
        for index in LatencyHistogram.labels.indices {
            if index > 0 { out.append(",") }
            out.append(LatencyHistogram.labels[index])
        }
        out.append("],\"routes\":[")
        for (index, route) in metrics.routes.sorted(by: { $0.name < $1.name }).enumerated() {
            if index > 0 { out.append(",") }
            append(route.name, route.counters, reasons: metrics.reasons, to: &out)
        }
        out.append("]")
    }

    private static func append(
        _ name: String, _ counters: RouteCounters, reasons: [String], to out: inout [UInt8]
    ) {
        out.append("{\"name\":")
        out.append(jsonString: name)
        out.append(",\"requests\":")
        out.append(decimal: counters.requests)
        let classes: InlineArray<6, StaticString> = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"]
        out.append(",\"statuses\":{")
        for index in classes.indices {
            if index > 0 { out.append(",") }
            out.append("\"")
            out.append(classes[index])
            out.append("\":")
            out.append(decimal: counters.statuses[index])
        }
        out.append("},\"latency_counts\":[")
        for index in counters.latency.counts.indices {
            if index > 0 { out.append(",") }
            out.append(decimal: counters.latency.counts[index])
        }
        out.append("],\"bytes_in\":")
        out.append(decimal: counters.bytesIn)
        out.append(",\"bytes_out\":")
        out.append(decimal: counters.bytesOut)
        out.append(",\"tunnels\":")
        out.append(decimal: counters.tunnels)
        out.append(",\"refusals\":{")
        var isFirst = true
        for (index, count) in counters.reasons.enumerated() where count > 0 && index < reasons.count {
            if !isFirst { out.append(",") }
            isFirst = false
            out.append(jsonString: reasons[index])
            out.append(":")
            out.append(decimal: count)
        }
        out.append("}}")
    }

    private static func append(servers: [ServerState], _ unresolved: [UnresolvedServer], to out: inout [UInt8]) {
        out.append(",\"upstreams\":[")
        let servers = servers.sorted { ($0.upstream, $0.server) < ($1.upstream, $1.server) }
        for (index, server) in servers.enumerated() {
            if index > 0 { out.append(",") }
            out.append("{\"name\":")
            out.append(jsonString: server.upstream)
            out.append(",\"server\":")
            out.append(jsonString: server.server)
            out.append(",\"address\":")
            out.append(jsonString: server.endpoint.description)
            server.isFailing ? out.append(",\"failing\":true") : out.append(",\"failing\":false")
            out.append(",\"requests\":")
            out.append(decimal: server.active)
            out.append(",\"connections\":")
            out.append(decimal: server.open)
            out.append(",\"failures\":")
            out.append(decimal: server.failures)
            out.append(",\"last_failed_at\":")
            if let time = server.lastFailedAt {
                out.append("\"")
                out.append(rfc3339: time)
                out.append("\"}")
            } else {
                out.append("null}")
            }
        }
        for (index, server) in unresolved.enumerated() {
            if index > 0 || !servers.isEmpty { out.append(",") }
            out.append("{\"name\":")
            out.append(jsonString: server.upstream)
            out.append(",\"server\":")
            out.append(jsonString: server.server)
            out.append(",\"address\":null,\"failing\":true,\"requests\":0,\"connections\":0,\"failures\":0")
            out.append(",\"last_failed_at\":null,\"error\":")
            out.append(jsonString: server.message)
            out.append("}")
        }
        out.append("]")
    }

    private static func append(_ entries: [BusiestNames.Entry], to out: inout [UInt8]) {
        out.append("[")
        for (index, entry) in entries.enumerated() {
            if index > 0 { out.append(",") }
            out.append("{\"credential\":")
            out.append(jsonString: entry.name.span)
            out.append(",\"count\":")
            out.append(decimal: entry.count)
            out.append(",\"overestimate\":")
            out.append(decimal: entry.overestimate)
            out.append("}")
        }
        out.append("]")
    }

    /// What rules in shadow mode would have refused, and whose requests most.
    private static func append(shadow: ShadowCounts, to out: inout [UInt8]) {
        out.append(",\"shadow\":[")
        for (index, entry) in shadow.sorted.enumerated() {
            if index > 0 { out.append(",") }
            out.append("{\"route\":")
            out.append(jsonString: entry.rule.route)
            out.append(",\"rule\":")
            out.append(jsonString: entry.rule.rule)
            out.append(",\"reason\":")
            out.append(jsonString: entry.rule.reason)
            out.append(",\"requests\":")
            out.append(decimal: entry.count.requests)
            out.append(",\"credentials\":")
            append(entry.count.credentials.top(nameLimit), to: &out)
            out.append("}")
        }
        out.append("]")
    }

    /// The emptiest first. Several loops may have seen one caller, whose bucket is the same.
    private static func append(scarce buckets: [ScarceBucket], now: WallTime, to out: inout [UInt8]) {
        out.append(",\"scarce_buckets\":[")
        let sorted = buckets.sorted { ($0.remaining, $1.capacity) < ($1.remaining, $0.capacity) }
        var shown: Set<[UInt8]> = []
        for bucket in sorted {
            let name = bucket.caller + [0] + Array(bucket.limit.utf8)
            guard shown.count < nameLimit, shown.insert(name).inserted else { continue }
            if shown.count > 1 { out.append(",") }
            out.append("{\"limit\":")
            out.append(jsonString: bucket.limit)
            out.append(",\"kind\":")
            out.append(jsonString: bucket.kind.rawValue)
            out.append(",\"credential\":")
            out.append(jsonString: bucket.caller.span)
            out.append(",\"remaining\":")
            out.append(decimal: bucket.remaining)
            out.append(",\"burst\":")
            out.append(decimal: bucket.capacity)
            out.append(",\"reset_seconds\":")
            out.append(decimal: RateHeaders.retryAfterSeconds(bucket.resetAfter))
            out.append("}")
        }
        out.append("]")
    }
}
