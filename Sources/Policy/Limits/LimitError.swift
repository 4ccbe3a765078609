/// Why the numbers of a limit cannot be used.
package enum LimitError: Error, Equatable, Sendable {
    /// `requests` or `burst` outside 1…`BucketRule.countLimit`.
    case countOutOfBounds(Int)
    /// `per` below one nanosecond.
    case noPeriod
    /// An empty bucket would need more than `BucketRule.spanLimit` to be full again.
    case tooSlow
    /// A window would last longer than `BucketRule.spanLimit`.
    case windowTooLong

    package var message: String {
        switch self {
        case .countOutOfBounds(let count): "\(count) is not between 1 and \(BucketRule.countLimit)"
        case .noPeriod: "the period must be longer than nothing"
        case .tooSlow: "an empty bucket would take more than 30 years to fill: lower the burst or the period"
        case .windowTooLong: "a window would last more than 30 years: lower the period"
        }
    }
}
