import Core
import Testing

@testable import Gateway

@Suite struct LoopMetricsTests {
    static func outcome(
        _ status: Int, _ reason: String? = nil, isRefused: Bool = false, duration: Nanoseconds = 2_000_000
    ) -> RequestOutcome {
        RequestOutcome(
            status: status, reason: reason, isRefused: isRefused, bytesIn: 1, bytesOut: 10, duration: duration)
    }

    static func page(_ metrics: LoopMetrics...) -> [Substring] {
        var merged = MetricsSnapshot()
        for loop in metrics { merged.merge(loop.snapshot()) }
        var page = PrometheusText()
        merged.append(to: &page)
        return String(decoding: page.bytes, as: UTF8.self).split(separator: "\n")
    }

    static func samples(_ prefix: String, _ metrics: LoopMetrics...) -> [Substring] {
        var merged = MetricsSnapshot()
        for loop in metrics { merged.merge(loop.snapshot()) }
        var page = PrometheusText()
        merged.append(to: &page)
        return String(decoding: page.bytes, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix(prefix) }
    }

    @Test func `requests are counted by route and class of status`() {
        let metrics = LoopMetrics(reasons: ["rate_limited"])
        metrics.adopt(routes: ["b", "a", "never"])
        metrics.count(Self.outcome(200), route: 0, named: "b")
        metrics.count(Self.outcome(204), route: 0, named: "b")
        metrics.count(Self.outcome(429, "rate_limited"), route: 1, named: "a")
        metrics.countUnrouted(Self.outcome(404, "never heard of"))
        metrics.count(Self.outcome(0), route: 1, named: "a")
        #expect(
            Self.samples("portcullis_requests_total", metrics) == [
                #"portcullis_requests_total{route="a",status="none"} 1"#,
                #"portcullis_requests_total{route="a",status="4xx"} 1"#,
                #"portcullis_requests_total{route="b",status="2xx"} 2"#,
                #"portcullis_requests_total{route="none",status="4xx"} 1"#,
            ])
        #expect(
            Self.samples("portcullis_refusals_total", metrics) == [
                #"portcullis_refusals_total{route="a",reason="rate_limited"} 1"#,
                #"portcullis_refusals_total{route="none",reason="other"} 1"#,
            ])
    }

    @Test func `counts of a route survive a reload that moves it`() {
        let metrics = LoopMetrics(reasons: [])
        metrics.adopt(routes: ["a", "b"])
        metrics.count(Self.outcome(200), route: 0, named: "a")
        metrics.adopt(routes: ["b", "c", "a"])
        metrics.count(Self.outcome(200), route: 2, named: "a")
        #expect(
            Self.samples("portcullis_requests_total", metrics) == [
                #"portcullis_requests_total{route="a",status="2xx"} 2"#
            ])
    }

    @Test(arguments: [("a", 0, "a"), ("b", 1, "b"), ("gone", 0, "none"), ("gone", 99, "none")])
    func `a request of an older policy is counted under its own name`(name: String, number: Int, counted: String) {
        let metrics = LoopMetrics(reasons: [])
        metrics.adopt(routes: ["b", "a"])
        metrics.count(Self.outcome(200), route: number, named: name)
        #expect(
            Self.samples("portcullis_requests_total", metrics) == [
                "portcullis_requests_total{route=\"\(counted)\",status=\"2xx\"} 1"[...]
            ])
    }

    @Test func `loops are added up by name, whatever their order`() {
        let one = LoopMetrics(reasons: ["r"])
        let two = LoopMetrics(reasons: ["r"])
        one.adopt(routes: ["a", "b"])
        two.adopt(routes: ["b", "a"])
        one.count(Self.outcome(200), route: 0, named: "a")
        two.count(Self.outcome(503, "r"), route: 1, named: "a")
        two.count(Self.outcome(200), route: 0, named: "b")
        one.upstream(named: "u").values.opened = 3
        two.upstream(named: "u").values.opened = 4
        one.totals.connectionsOpen = 5
        two.totals.connectionsOpen = 6
        #expect(
            Self.samples("portcullis_requests_total", one, two) == [
                #"portcullis_requests_total{route="a",status="2xx"} 1"#,
                #"portcullis_requests_total{route="a",status="5xx"} 1"#,
                #"portcullis_requests_total{route="b",status="2xx"} 1"#,
            ])
        #expect(
            Self.samples("portcullis_refusals_total", one, two) == [
                #"portcullis_refusals_total{route="a",reason="r"} 1"#
            ])
        #expect(
            Self.samples("portcullis_upstream_connections_opened_total", one, two) == [
                #"portcullis_upstream_connections_opened_total{upstream="u"} 7"#
            ])
        #expect(Self.samples("portcullis_connections_open", one, two) == ["portcullis_connections_open 11"])
    }

    @Test func `the histogram is cumulative and its sum is in seconds`() {
        let metrics = LoopMetrics(reasons: [])
        metrics.adopt(routes: ["a"])
        for duration in [500_000, 500_001, 3_000_000_000, 60_000_000_000, -5] as [Nanoseconds] {
            metrics.count(Self.outcome(200, duration: duration), route: 0, named: "a")
        }
        metrics.count(Self.outcome(401, "r", isRefused: true, duration: 7_000), route: 0, named: "a")
        let buckets = Self.samples("portcullis_request_duration_seconds", metrics)
        #expect(buckets.contains(#"portcullis_request_duration_seconds_bucket{route="a",result="served",le="0.0005"} 2"#))
        #expect(buckets.contains(#"portcullis_request_duration_seconds_bucket{route="a",result="served",le="0.001"} 3"#))
        #expect(buckets.contains(#"portcullis_request_duration_seconds_bucket{route="a",result="served",le="5"} 4"#))
        #expect(buckets.contains(#"portcullis_request_duration_seconds_bucket{route="a",result="served",le="+Inf"} 5"#))
        #expect(buckets.contains(#"portcullis_request_duration_seconds_sum{route="a",result="served"} 63.001000001"#))
        #expect(buckets.contains(#"portcullis_request_duration_seconds_count{route="a",result="served"} 5"#))
        #expect(buckets.contains(#"portcullis_request_duration_seconds_count{route="a",result="refused"} 1"#))
    }

    @Test func `an upstream's counters are one object as long as it is named or in use`() {
        let metrics = LoopMetrics(reasons: [])
        let counters = metrics.upstream(named: "u")
        counters.values.open = 1
        metrics.keepUpstreams { _ in false }
        #expect(metrics.upstream(named: "u") === counters)
        counters.values.open = 0
        metrics.keepUpstreams { _ in false }
        #expect(metrics.upstream(named: "u") !== counters)
    }

    @Test func `every family is described before its samples, and labels are escaped`() {
        let metrics = LoopMetrics(reasons: [])
        metrics.adopt(routes: ["a\"b\\c\nd"])
        metrics.count(Self.outcome(200), route: 0, named: "a\"b\\c\nd")
        var described: Set<Substring> = []
        for line in Self.page(metrics) {
            if line.hasPrefix("# ") {
                described.insert(line.split(separator: " ")[2])
                continue
            }
            var name = line.prefix { $0 != "{" && $0 != " " }
            let isHistogram = name.hasPrefix("portcullis_request_duration_seconds")
            for suffix in ["_bucket", "_sum", "_count"] where isHistogram && name.hasSuffix(suffix) {
                name = name.dropLast(suffix.count)
            }
            #expect(described.contains(name))
        }
        #expect(
            Self.samples("portcullis_requests_total", metrics) == [
                #"portcullis_requests_total{route="a\"b\\c\nd",status="2xx"} 1"#
            ])
    }
}
