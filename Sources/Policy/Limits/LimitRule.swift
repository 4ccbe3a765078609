package import Core

/// How a limit counts, and what follows from the state of a principal. `now` comes from `BucketRule.clamped`; a state that
/// is passed in, unless it is `stored`, from `current` with the same `now`.
package enum LimitRule: Equatable, Sendable {
    case bucket(BucketRule)
    case window(WindowRule)

    /// What the policy calls it.
    package var kind: LimitConfiguration.Kind {
        switch self {
        case .bucket: .bucket
        case .window: .window
        }
    }

    /// Requests that pass at once where nothing was used.
    package var capacity: Int {
        switch self {
        case .bucket(let rule): rule.burst
        case .window(let rule): rule.requests
        }
    }

    /// Time after which nothing is used any more: an empty bucket fills, a window ends.
    package var span: Nanoseconds {
        switch self {
        case .bucket(let rule): rule.span
        case .window(let rule): rule.per
        }
    }

    /// No answer names more seconds to wait than these, at least 1. What is rounded up to a Unix second can be more than a
    /// window's length away.
    package var secondsLimit: Int64 {
        switch self {
        case .bucket: .max
        case .window(let rule): rule.per.secondsRoundedUp
        }
    }

    /// The state now; nil is a missing one. Where nothing is used it expires now, else later.
    @inline(__always)
    func current(_ stored: BucketState?, now: Int64) -> BucketState {
        switch self {
        case .bucket(let rule):
            guard let stored else { return BucketState(expiresAt: now) }
            return BucketState(expiresAt: now &+ rule.debt(fullAt: stored.expiresAt, now: now))
        case .window(let rule): return rule.current(stored, now: now)
        }
    }

    /// Whether one request may pass.
    @inline(__always)
    func admits(_ state: BucketState, now: Int64) -> Bool {
        switch self {
        case .bucket(let rule): rule.admits(debt: state.expiresAt &- now)
        case .window(let rule): rule.remaining(state) > 0
        }
    }

    /// The state after one request that may pass.
    @inline(__always)
    func taking(_ state: BucketState, now: Int64) -> BucketState {
        switch self {
        case .bucket(let rule): BucketState(expiresAt: state.expiresAt &+ rule.interval)
        case .window(let rule): rule.taking(state, now: now)
        }
    }

    /// Requests that may still pass at once.
    @inline(__always)
    func remaining(_ state: BucketState, now: Int64) -> Int {
        switch self {
        case .bucket(let rule): rule.tokens(debt: state.expiresAt &- now)
        case .window(let rule): rule.remaining(state)
        }
    }

    /// Time until one request may pass; 0 when one may.
    @inline(__always)
    func wait(_ state: BucketState, now: Int64) -> Nanoseconds {
        switch self {
        case .bucket(let rule): rule.wait(debt: state.expiresAt &- now)
        case .window(let rule): rule.remaining(state) > 0 ? 0 : state.expiresAt &- now
        }
    }
}
