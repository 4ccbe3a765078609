package import Core

/// The numbers of a token bucket, and the arithmetic on its state: GCRA on whole nanoseconds.
///
/// The state of a bucket is one instant, `fullAt`: when it will be full again if nothing is taken. A bucket's *debt* is
/// the time until then, never negative; each token taken adds one `interval` to it, and a token may be taken while the
/// debt stays within `span`. Nothing here reads a clock, and no value overflows: instants are clamped to
/// ±`instantLimit`.
///
/// `interval` is rounded up, so in any stretch of time of length t at most `burst + requests × t / per` tokens are
/// taken, whatever order the clock readings of several loops arrive in, as long as no reading is more than `clockSlack`
/// older than another that was used before it.
package struct BucketRule: Equatable, Sendable {
    /// Highest `requests` and `burst`.
    package static let countLimit = 1_000_000_000
    /// Longest time an empty bucket may take to be full, 30 years.
    package static let spanLimit: Nanoseconds = .seconds(30 * 365 * 86_400)
    /// Instants are clamped to this distance from zero, 36 years, so that sums and differences stay far from overflow.
    static let instantLimit: Nanoseconds = 1 << 60
    /// A debt may exceed `span` by this much, as it does for a loop whose clock reading is older than another's; more
    /// than that means a limit that was made faster by a reload or a clock that was set back, and the bucket counts as
    /// empty.
    static let clockSlack: Nanoseconds = .seconds(2)

    /// Tokens gained in `per`.
    package let requests: Int
    package let per: Nanoseconds
    /// Tokens a full bucket holds.
    package let burst: Int
    /// Time one token takes to come back, rounded up to a nanosecond.
    package let interval: Nanoseconds
    /// Time an empty bucket takes to be full.
    package let span: Nanoseconds

    package init(requests: Int, per: Nanoseconds, burst: Int) throws(LimitError) {
        guard (1...Self.countLimit).contains(requests) else { throw .countOutOfBounds(requests) }
        guard (1...Self.countLimit).contains(burst) else { throw .countOutOfBounds(burst) }
        guard per >= 1 else { throw .noPeriod }
        self.requests = requests
        self.per = per
        self.burst = burst
        interval = (per - 1) / Int64(requests) + 1
        let (span, overflow) = interval.multipliedReportingOverflow(by: Int64(burst))
        guard !overflow, span <= Self.spanLimit else { throw .tooSlow }
        self.span = span
    }

    /// An instant within the bounds of the arithmetic.
    static func clamped(_ now: Instant) -> Int64 { min(max(now.nanoseconds, -instantLimit), instantLimit) }

    /// Time until a bucket is full. `now` comes from `clamped`, `fullAt` from an earlier sum of the two.
    func debt(fullAt: Int64, now: Int64) -> Nanoseconds {
        let debt = max(0, fullAt &- now)
        return debt > span &+ Self.clockSlack ? span : debt
    }

    /// Whether one token can be taken.
    func admits(debt: Nanoseconds) -> Bool { debt &+ interval <= span }

    /// Whole tokens in the bucket.
    func tokens(debt: Nanoseconds) -> Int { debt >= span ? 0 : Int((span &- debt) / interval) }

    /// Time until one whole token exists; 0 when one does.
    func wait(debt: Nanoseconds) -> Nanoseconds { max(0, debt &+ interval &- span) }
}
