package import Core

/// The numbers of a fixed window, and the arithmetic on its state: a principal's first request opens a window of length
/// `per`, in which `requests` pass; the first request after its end opens the next one.
///
/// Nothing here reads a clock, and no value overflows: instants come from `BucketRule.clamped`. A window never lasts longer
/// than `per` from the reading that looks at it (but for `BucketRule.clockSlack`, by which readings of loops may differ):
/// one that was opened under a longer `per`, or by a clock that was set back since, keeps its count and is cut down.
package struct WindowRule: Equatable, Sendable {
    /// Requests that pass in a window.
    package let requests: Int
    /// Length of a window.
    package let per: Nanoseconds

    package init(requests: Int, per: Nanoseconds) throws(LimitError) {
        guard (1...BucketRule.countLimit).contains(requests) else { throw .countOutOfBounds(requests) }
        guard per >= 1 else { throw .noPeriod }
        guard per <= BucketRule.spanLimit else { throw .windowTooLong }
        self.requests = requests
        self.per = per
    }

    /// The window that is open now; one without requests, that ends now, where none is.
    func current(_ stored: BucketState?, now: Int64) -> BucketState {
        guard let stored, stored.used > 0, stored.expiresAt > now else { return BucketState(expiresAt: now) }
        let rest = stored.expiresAt &- now
        return BucketState(expiresAt: rest > per &+ BucketRule.clockSlack ? now &+ per : stored.expiresAt, used: stored.used)
    }

    /// The window after one more request. `state` comes from `current` and admits it.
    func taking(_ state: BucketState, now: Int64) -> BucketState {
        state.used == 0
            ? BucketState(expiresAt: now &+ per, used: 1) : BucketState(expiresAt: state.expiresAt, used: state.used &+ 1)
    }

    /// Requests that still pass in the window. The limit may have been higher when it was opened.
    func remaining(_ state: BucketState) -> Int { max(0, requests - Int(state.used)) }
}
