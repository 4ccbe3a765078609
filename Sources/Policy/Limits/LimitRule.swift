package import Core

/// How a limit counts.
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
}

/// Of several limits of one request each is of its own kind.
extension LimitRule: CountingRule {
    func current(_ stored: BucketState?, now: Int64) -> BucketState {
        switch self {
        case .bucket(let rule): rule.current(stored, now: now)
        case .window(let rule): rule.current(stored, now: now)
        }
    }

    func admits(_ state: BucketState, now: Int64) -> Bool {
        switch self {
        case .bucket(let rule): rule.admits(state, now: now)
        case .window(let rule): rule.admits(state, now: now)
        }
    }

    func taking(_ state: BucketState, now: Int64) -> BucketState {
        switch self {
        case .bucket(let rule): rule.taking(state, now: now)
        case .window(let rule): rule.taking(state, now: now)
        }
    }

    func remaining(_ state: BucketState, now: Int64) -> Int {
        switch self {
        case .bucket(let rule): rule.remaining(state, now: now)
        case .window(let rule): rule.remaining(state, now: now)
        }
    }

    func wait(_ state: BucketState, now: Int64) -> Nanoseconds {
        switch self {
        case .bucket(let rule): rule.wait(state, now: now)
        case .window(let rule): rule.wait(state, now: now)
        }
    }
}
