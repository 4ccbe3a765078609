import Dispatch
import Policy

/// Fetches the key sets of a policy once, for a command that ends soon.
package enum KeySetsAtHand {
    /// Waits until every key set that comes over the network has come, or has failed to, and names those that did not.
    /// Blocks for ten seconds at most.
    package static func fetch(_ policy: CompiledPolicy, log: OperatorLog) -> [String] {
        let remote = policy.keySets.filter(\.cell.isRemote)
        if remote.isEmpty { return [] }
        let fetcher = KeySetFetcher(log: log)
        fetcher.adopt(policy.keySets)
        let group = DispatchGroup()
        for keySet in remote {
            group.enter()
            fetcher.refetch(keySet.cell) { group.leave() }
        }
        _ = group.wait(timeout: .now() + .seconds(10))
        let missing = fetcher.status().filter { $0.isRemote && !$0.isUsable }.map(\.name)
        fetcher.stop()
        return missing
    }

    /// The key sets that come over the network.
    package static func remote(_ policy: CompiledPolicy) -> [String] {
        policy.keySets.filter(\.cell.isRemote).map(\.cell.name)
    }
}
