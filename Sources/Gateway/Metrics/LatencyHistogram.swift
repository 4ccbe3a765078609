package import Core

/// How often each span of time was seen, in fixed buckets: what a Prometheus histogram is made of.
package struct LatencyHistogram: Sendable {
    /// Upper bounds of the buckets, each included; one more bucket takes what is above the last.
    package static let bounds: InlineArray<14, Nanoseconds> = [
        500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]
    /// The same bounds in seconds, as the `le` label spells them.
    package static let labels: InlineArray<14, StaticString> = [
        "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10",
    ]

    /// Observations per bucket, not cumulative.
    package private(set) var counts = InlineArray<15, UInt64>(repeating: 0)
    /// All observations added up, in nanoseconds.
    package private(set) var sum: UInt64 = 0

    package init() {}

    /// The number of observations.
    package var count: UInt64 {
        var total: UInt64 = 0
        for index in counts.indices { total &+= counts[index] }
        return total
    }

    /// Counts one observation. A negative span counts as none.
    package mutating func add(_ duration: Nanoseconds) {
        var index = 0
        while index < Self.bounds.count, duration > Self.bounds[index] { index &+= 1 }
        counts[index] &+= 1
        sum &+= UInt64(max(duration, 0))
    }

    /// Adds another histogram's observations.
    package mutating func merge(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        sum &+= other.sum
    }
}
