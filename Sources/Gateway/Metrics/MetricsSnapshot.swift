package import Policy

/// The counters of one loop, or of several merged, at one moment.
package struct MetricsSnapshot: Sendable {
    package var totals = LoopMetrics.Totals()
    /// The table that `RouteCounters.reasons` counts by; the same for all loops.
    package var reasons: [String] = []
    package var routes: [(name: String, counters: RouteCounters)] = []
    package var upstreams: [(name: String, values: UpstreamCounters.Values)] = []
    package var credentials = CredentialCounts()
    package var shadow = ShadowCounts()
    package var rejections: [RejectedConnections: UInt64] = [:]
    package var servers: [ServerState] = []
    /// Buckets with little left, each once for every loop that saw its caller.
    package var scarceBuckets: [ScarceBucket] = []

    package init() {}

    /// Adds what another loop counted. Routes and upstreams are matched by name.
    package mutating func merge(_ other: MetricsSnapshot) {
        totals.merge(other.totals)
        credentials.merge(other.credentials)
        shadow.merge(other.shadow)
        rejections.merge(other.rejections) { $0 &+ $1 }
        scarceBuckets += other.scarceBuckets
        for server in other.servers {
            if let place = servers.firstIndex(where: { $0.isSame(as: server) }) {
                servers[place].merge(server)
            } else {
                servers.append(server)
            }
        }
        if reasons.isEmpty { reasons = other.reasons }
        var routePlaces = Dictionary(routes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        for route in other.routes {
            if let place = routePlaces[route.name] {
                routes[place].counters.merge(route.counters)
            } else {
                routePlaces[route.name] = routes.count
                routes.append(route)
            }
        }
        for upstream in other.upstreams {
            if let place = upstreams.firstIndex(where: { $0.name == upstream.name }) {
                upstreams[place].values.merge(upstream.values)
            } else {
                upstreams.append(upstream)
            }
        }
    }

    /// Writes everything as families of the page, routes and upstreams in the order of their names.
    package func append(to page: inout PrometheusText) {
        let routes = routes.sorted { $0.name < $1.name }
        appendRequests(routes, to: &page)
        appendLatency(routes, to: &page)
        appendTotals(to: &page)
        appendUpstreams(to: &page)
    }

    private func appendRequests(
        _ routes: [(name: String, counters: RouteCounters)], to page: inout PrometheusText
    ) {
        page.family(
            "portcullis_requests_total", .counter, "Requests finished, by route and class of the answer's status.")
        let classes: InlineArray<6, String> = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"]
        for route in routes {
            for index in classes.indices where route.counters.statuses[index] > 0 {
                page.sample(
                    "portcullis_requests_total", [("route", route.name), ("status", classes[index])],
                    route.counters.statuses[index])
            }
        }
        page.family(
            "portcullis_refusals_total", .counter,
            "Requests the gateway answered itself or cut short, by route and reason.")
        for route in routes {
            for (index, count) in route.counters.reasons.enumerated() where count > 0 && index < reasons.count {
                page.sample(
                    "portcullis_refusals_total", [("route", route.name), ("reason", reasons[index])], count)
            }
        }
        page.family(
            "portcullis_shadow_refusals_total", .counter,
            "Requests let through that a rule in shadow mode would have refused, by route, rule and reason.")
        for (rule, count) in shadow.sorted {
            page.sample(
                "portcullis_shadow_refusals_total",
                [("route", rule.route), ("rule", rule.rule), ("reason", rule.reason)], count.requests)
        }
        page.family("portcullis_request_body_bytes_total", .counter, "Bytes of request content received, by route.")
        for route in routes {
            page.sample("portcullis_request_body_bytes_total", [("route", route.name)], route.counters.bytesIn)
        }
        page.family("portcullis_response_body_bytes_total", .counter, "Bytes of response content sent, by route.")
        for route in routes {
            page.sample("portcullis_response_body_bytes_total", [("route", route.name)], route.counters.bytesOut)
        }
        page.family(
            "portcullis_tunnels_opened_total", .counter, "Connections that changed their protocol, by route.")
        for route in routes where route.counters.tunnels > 0 {
            page.sample("portcullis_tunnels_opened_total", [("route", route.name)], route.counters.tunnels)
        }
    }

    private func appendLatency(
        _ routes: [(name: String, counters: RouteCounters)], to page: inout PrometheusText
    ) {
        let name: StaticString = "portcullis_request_duration_seconds"
        page.family(name, .histogram, "From the first byte of a request to the last of its answer, by route and result.")
        for route in routes {
            let histograms = [("served", route.counters.latency), ("refused", route.counters.refusedLatency)]
            for (result, latency) in histograms where latency.count > 0 {
                let labels: [(StaticString, String)] = [("route", route.name), ("result", result)]
                var cumulative: UInt64 = 0
                for index in LatencyHistogram.labels.indices {
                    cumulative &+= latency.counts[index]
                    let bound = LatencyHistogram.labels[index].description
                    page.sample(name, suffix: "_bucket", labels + [("le", bound)], cumulative)
                }
                page.sample(name, suffix: "_bucket", labels + [("le", "+Inf")], latency.count)
                page.sample(name, suffix: "_sum", labels, nanoseconds: latency.sum)
                page.sample(name, suffix: "_count", labels, latency.count)
            }
        }
    }

    private func appendTotals(to page: inout PrometheusText) {
        func counter(_ name: StaticString, _ value: UInt64, _ help: StaticString) {
            page.family(name, .counter, help)
            page.sample(name, [], value)
        }
        counter("portcullis_connections_accepted_total", totals.connectionsAccepted, "Client connections accepted.")
        counter(
            "portcullis_connections_refused_total", totals.connectionsRefused,
            "Client connections closed at once because of a bound.")
        page.family(
            "portcullis_connections_rejected_total", .counter,
            "Client connections that ended before their first request because of a fault or a bound, by listener and reason.")
        for (of, count) in rejections.sorted(by: { ($0.key.listener, $0.key.reason) < ($1.key.listener, $1.key.reason) }) {
            page.sample(
                "portcullis_connections_rejected_total", [("listener", of.listener), ("reason", of.reason)], count)
        }
        counter("portcullis_tls_handshakes_total", totals.handshakes, "TLS handshakes with clients that were completed.")
        counter(
            "portcullis_tls_handshakes_failed_total", totals.handshakesFailed,
            "TLS handshakes with clients that failed.")
        page.family("portcullis_connections_open", .gauge, "Client connections open now.")
        page.sample("portcullis_connections_open", [], totals.connectionsOpen)
        page.family("portcullis_tunnels_open", .gauge, "Connections that changed their protocol and are open now.")
        page.sample("portcullis_tunnels_open", [], totals.tunnelsOpen)
        page.family("portcullis_requests_in_flight", .gauge, "Requests begun and not finished.")
        page.sample("portcullis_requests_in_flight", [], totals.requestsInFlight)
        counter("portcullis_token_cache_hits_total", totals.tokenCacheHits, "Tokens found among those verified before.")
        counter("portcullis_token_cache_misses_total", totals.tokenCacheMisses, "Tokens that had to be verified.")
        counter(
            "portcullis_token_cache_refusals_total", totals.refusedTokenCacheHits,
            "Bad tokens refused from memory, without a signature check.")
        counter("portcullis_key_set_waits_total", totals.keySetWaits, "Requests that waited for a key set.")
        counter(
            "portcullis_key_set_wait_timeouts_total", totals.keySetWaitTimeouts,
            "Requests that waited for a key set in vain.")
        counter("portcullis_access_records_total", totals.accessRecords, "Access records made.")
        counter(
            "portcullis_access_records_dropped_total", totals.accessRecordsDropped,
            "Access records thrown away because the log could not take them.")
    }

    private func appendUpstreams(to page: inout PrometheusText) {
        let upstreams = upstreams.sorted { $0.name < $1.name }
        func counter(
            _ name: StaticString, _ help: StaticString, _ kind: PrometheusText.Kind = .counter,
            _ value: (UpstreamCounters.Values) -> UInt64
        ) {
            page.family(name, kind, help)
            for upstream in upstreams { page.sample(name, [("upstream", upstream.name)], value(upstream.values)) }
        }
        counter("portcullis_upstream_connections_opened_total", "Connections made to an upstream.") { $0.opened }
        counter("portcullis_upstream_connections_reused_total", "Exchanges over a connection kept from before.") {
            $0.reused
        }
        counter("portcullis_upstream_connections_failed_total", "Connections that failed or died in use.") { $0.failed }
        counter("portcullis_upstream_retries_total", "Requests sent a second time.") { $0.retries }
        counter("portcullis_upstream_connections_open", "Connections to an upstream open now.", .gauge) {
            UInt64(max($0.open, 0))
        }
    }
}

extension LoopMetrics.Totals {
    /// Adds another loop's totals.
    package mutating func merge(_ other: LoopMetrics.Totals) {
        connectionsAccepted &+= other.connectionsAccepted
        connectionsRefused &+= other.connectionsRefused
        handshakes &+= other.handshakes
        handshakesFailed &+= other.handshakesFailed
        connectionsOpen += other.connectionsOpen
        requestsInFlight += other.requestsInFlight
        tunnelsOpen += other.tunnelsOpen
        tokenCacheHits &+= other.tokenCacheHits
        tokenCacheMisses &+= other.tokenCacheMisses
        refusedTokenCacheHits &+= other.refusedTokenCacheHits
        keySetWaits &+= other.keySetWaits
        keySetWaitTimeouts &+= other.keySetWaitTimeouts
        accessRecords &+= other.accessRecords
        accessRecordsDropped &+= other.accessRecordsDropped
    }
}
