package import Core

/// What a peer's oddities add up to: points per `Glitch`, of which some are forgiven as time passes.
package struct GlitchScore: Sendable {
    package enum Verdict: Sendable, Equatable {
        case tolerable
        /// Three quarters of what is borne: the peer is told to calm down, and opens no more streams.
        case excessive
        case unbearable
    }

    /// Millionths of a point, so that short spans of time count too.
    private var micropoints: Int64 = 0
    private var countedAt: Instant?
    private let limit: Int64
    private let leakPerSecond: Int64

    package init(points: Int64, leakPerSecond: Int64) {
        // Within these, no product below leaves 64 bits.
        limit = Swift.max(1, Swift.min(points, 1_000_000_000)) &* 1_000_000
        self.leakPerSecond = Swift.max(0, Swift.min(leakPerSecond, 1_000_000))
    }

    /// The points now held against the peer, as of the last one added.
    package var points: Int64 { micropoints / 1_000_000 }

    /// Adds `points` at `now`. A clock that goes back forgives nothing.
    package mutating func add(_ points: Int64, at now: Instant) -> Verdict {
        if let countedAt, now > countedAt {
            // No more than an hour counts, which forgives all there can be at any sensible rate.
            let microseconds = Swift.min(now.since(countedAt) / 1000, 3_600_000_000)
            let forgiven = microseconds.multipliedReportingOverflow(by: leakPerSecond)
            micropoints = forgiven.overflow ? 0 : Swift.max(0, micropoints &- forgiven.partialValue)
        }
        if countedAt.map({ now > $0 }) ?? true { countedAt = now }
        micropoints = Swift.min(micropoints &+ Swift.max(0, Swift.min(points, 1_000_000_000)) &* 1_000_000, 1 &<< 60)
        if micropoints >= limit { return .unbearable }
        return micropoints >= limit / 4 &* 3 ? .excessive : .tolerable
    }
}
