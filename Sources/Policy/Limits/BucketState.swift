/// What the table remembers of one principal under one limit. A state that has expired equals a missing one, so only such
/// states may be forgotten.
struct BucketState: Equatable, Sendable {
    /// When the bucket is full again, or the window over, in nanoseconds.
    var expiresAt: Int64
    /// Requests that passed in the window; 0 for token buckets, whose instant says all. `BucketRule.countLimit` fits.
    var used: UInt32 = 0
}
