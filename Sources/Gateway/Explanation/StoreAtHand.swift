import IO
package import Policy
import Store
import TokenService

/// Reads the store of a policy once, for a command that ends soon.
package enum StoreAtHand {
    /// The directory of what the store holds; its signing keys are put into the policy's key sets. A store that is not there
    /// is not made.
    /// - Parameter remarks: is told why nothing of it is known.
    package static func directory(of policy: CompiledPolicy, remarks: inout [String], log: OperatorLog) -> DirectoryCell {
        let directory = DirectoryCell()
        guard let store = policy.store else { return directory }
        guard FileIdentity(path: store.path) != nil else {
            remarks.append("the store \(OneLine.plain(store.path)) is not there yet: it holds no keys")
            return directory
        }
        do throws(StoreFault) {
            StoreOutlook.publish(
                try store.open().contents(), under: policy.snapshot, to: directory, clock: { EventLoop.readClocks() },
                report: { log.warning($0) })
        } catch {
            remarks.append("the store cannot be read: \(error.message)")
            directory.publish(Directory(tables: [:], users: [:], isAvailable: false))
        }
        return directory
    }
}
