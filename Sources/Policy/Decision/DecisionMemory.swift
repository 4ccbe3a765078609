package import Core

/// What one loop keeps from decision to decision: the tokens it has judged, the callers it
/// has seen, arrays that are filled anew each time, and
/// the process-wide tables. Not shared between loops.
package final class DecisionMemory {
    let buckets: BucketTable
    let failureBudget: FailureBudget
    package let tokens: TokenCache
    /// The normalised path of the request being decided.
    var path: [UInt8] = []
    var host: [UInt8] = []
    /// A credential that had to be decoded, the value a claim is compared with, whom a bucket belongs to.
    var scratch: [UInt8] = []
    var callers = CallerCache()
    var certificates = CertificateCache()

    package init(buckets: BucketTable, failureBudget: FailureBudget, seed: HashSeed) {
        self.buckets = buckets
        self.failureBudget = failureBudget
        tokens = TokenCache(seed: seed)
    }

    /// Forgets what belongs to the policy before `snapshot`. What was judged under other rules would not be found any
    /// more, but it would keep its memory.
    package func reset(for snapshot: Snapshot) {
        tokens.removeAll()
        callers.removeAll()
        certificates.removeAll()
    }
}
