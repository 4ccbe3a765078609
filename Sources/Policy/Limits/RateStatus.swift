package import Core

/// Where a client stands with the limits of its request, after the taking or the refusal.
package struct RateStatus: Sendable {
    /// One limit of the request.
    package struct Measure: Sendable, Equatable {
        /// Until the bucket is full again, on refusal until one whole token exists; of a window, until it ends. Positive whenever
        /// `remaining` is 0.
        package let resetAfter: Nanoseconds
        /// `BucketRule.countLimit` fits.
        private let tokens: Int32
        package let isRefused: Bool

        init(remaining: Int, resetAfter: Nanoseconds, isRefused: Bool) {
            self.resetAfter = resetAfter
            tokens = Int32(clamping: remaining)
            self.isRefused = isRefused
        }

        /// Whole tokens, or requests of the window, left.
        package var remaining: Int { Int(tokens) }
    }

    package let limits: LimitList
    /// The index of the limit closest to exhaustion; on refusal of the one with the longest wait.
    package internal(set) var tightest = 0
    /// The first limit's measure stands by itself: most requests have one limit, and a small status is quick to hand on.
    private var first: Measure
    private var others: [Measure] = []

    /// Where a client stands with the only limit of its request.
    init(limits: LimitList, only measure: Measure) {
        self.limits = limits
        first = measure
    }

    /// Measures to be set one by one.
    init(limits: LimitList) {
        self.limits = limits
        first = Measure(remaining: 0, resetAfter: 0, isRefused: false)
        if limits.count > 1 { others = Array(repeating: first, count: limits.count - 1) }
    }

    /// The measure of one limit of `limits`, by its index there.
    package internal(set) subscript(index: Int) -> Measure {
        get { index == 0 ? first : others[index - 1] }
        set { if index == 0 { first = newValue } else { others[index - 1] = newValue } }
    }

    package var limit: Limit { limits[tightest] }
    package var remaining: Int { self[tightest].remaining }
    package var resetAfter: Nanoseconds { self[tightest].resetAfter }
    package var isRefused: Bool { self[tightest].isRefused }
    /// How long to wait before the request can pass; 0 when it passed.
    package var retryAfter: Nanoseconds { isRefused ? resetAfter : 0 }

    /// Of a limit that counts several credentials of one request, the bucket closest to exhaustion is the one clients see.
    func standsForItsLimit(_ index: Int) -> Bool {
        if limits.count == 1 { return true }
        return limits.indices.allSatisfy { other in
            if other == index || limits[other] !== limits[index] { return true }
            return isTighter(index, than: other) || (other > index && !isTighter(other, than: index))
        }
    }

    /// Chooses the limit that clients are told of first.
    mutating func chooseTightest() {
        for index in limits.indices.dropFirst() where isTighter(index, than: tightest) { tightest = index }
    }

    private func isTighter(_ index: Int, than other: Int) -> Bool {
        let (best, candidate) = (self[other], self[index])
        if candidate.isRefused != best.isRefused { return candidate.isRefused }
        if !candidate.isRefused && candidate.remaining != best.remaining { return candidate.remaining < best.remaining }
        return candidate.resetAfter > best.resetAfter
    }
}

/// What became of the attempt to take one token from every bucket of a request.
package enum RateOutcome: Sendable {
    /// One token was taken from each, or the request counted in its window.
    case taken(RateStatus)
    /// At least one bucket was empty or window used up; nothing was taken.
    case refused(RateStatus)
    /// A bucket had to be made and there is no room for it; nothing was taken. Answered with 503.
    case tableFull
}
