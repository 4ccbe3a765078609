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
    /// For paths that can be read in several ways.
    var readings = PathReadings.Scratch()
    /// A credential that had to be decoded, the value a claim is compared with, whom a bucket belongs to.
    var scratch: [UInt8] = []
    /// Where the request being decided has shown its credential.
    var shown = CredentialPlan.ProbeIndex.none
    /// Who the credentials beside the first one stand for; means something after one was recognised by all of several.
    var others: [Identity] = []
    var callers = CallerCache()
    var certificates = CertificateCache()
    private let cell: DirectoryCell
    /// The directory last seen, its generation, and for which policy.
    private(set) var view = DirectoryView.none
    private var generation: UInt64 = 0
    private var viewer: Snapshot?

    /// - Parameter directory: where decisions look for what the store holds.
    package init(buckets: BucketTable, failureBudget: FailureBudget, directory: DirectoryCell, seed: HashSeed) {
        self.buckets = buckets
        self.failureBudget = failureBudget
        cell = directory
        tokens = TokenCache(seed: seed)
    }

    /// Sees to it that `view` is of the directory in force. One atomic load where nothing has changed.
    @inline(__always)
    func follow(_ snapshot: Snapshot) {
        if cell.generation != generation || viewer !== snapshot { look(for: snapshot) }
    }

    /// Forgets whoever was recognised by the directory before: they hold on to its tables.
    @inline(never)
    private func look(for snapshot: Snapshot) {
        let (directory, generation) = cell.current
        view = DirectoryView(directory, rules: snapshot.storedKeys)
        self.generation = generation
        viewer = snapshot
        callers.removeAll()
        tokens.removeDerived()
    }

    /// Forgets what belongs to the policy before `snapshot`. What was judged under other rules would not be found any
    /// more, but it would keep its memory.
    package func reset(for snapshot: Snapshot) {
        tokens.removeAll()
        callers.removeAll()
        certificates.removeAll()
        view = .none
        viewer = nil
    }
}
