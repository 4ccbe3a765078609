import Core

/// How a kind of limit counts: what follows from the state of a principal. `now` comes from `BucketRule.clamped`; a state that
/// is passed in, unless it is `stored`, from `current` with the same `now`.
protocol CountingRule {
    /// The state now; nil is a missing one. Where nothing is used it expires now, else later.
    func current(_ stored: BucketState?, now: Int64) -> BucketState

    /// Whether one request may pass.
    func admits(_ state: BucketState, now: Int64) -> Bool

    /// The state after one request that may pass.
    func taking(_ state: BucketState, now: Int64) -> BucketState

    /// Requests that may still pass at once.
    func remaining(_ state: BucketState, now: Int64) -> Int

    /// Time until one request may pass; 0 when one may.
    func wait(_ state: BucketState, now: Int64) -> Nanoseconds
}

extension BucketRule: CountingRule {
    @inline(__always)
    func current(_ stored: BucketState?, now: Int64) -> BucketState {
        guard let stored else { return BucketState(expiresAt: now) }
        return BucketState(expiresAt: now &+ debt(fullAt: stored.expiresAt, now: now))
    }

    @inline(__always)
    func admits(_ state: BucketState, now: Int64) -> Bool { admits(debt: state.expiresAt &- now) }

    @inline(__always)
    func taking(_ state: BucketState, now: Int64) -> BucketState { BucketState(expiresAt: state.expiresAt &+ interval) }

    @inline(__always)
    func remaining(_ state: BucketState, now: Int64) -> Int { tokens(debt: state.expiresAt &- now) }

    @inline(__always)
    func wait(_ state: BucketState, now: Int64) -> Nanoseconds { wait(debt: state.expiresAt &- now) }
}

extension WindowRule: CountingRule {
    func admits(_ state: BucketState, now: Int64) -> Bool { remaining(state) > 0 }

    func remaining(_ state: BucketState, now: Int64) -> Int { remaining(state) }

    func wait(_ state: BucketState, now: Int64) -> Nanoseconds { remaining(state) > 0 ? 0 : state.expiresAt &- now }
}
