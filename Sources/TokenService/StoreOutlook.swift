package import Core
import Crypto
package import Policy
package import Store

/// What a store holds, put where decisions look for it, once and without serving it: for questions about a policy.
package enum StoreOutlook {
    /// Fills the directory and the stored key sets of a policy. Changes nothing in the store.
    package static func publish(
        _ contents: StoreContents, under snapshot: Snapshot, to directory: DirectoryCell,
        clock: @escaping @Sendable () -> ClockReading, report: @escaping @Sendable (String) -> Void
    ) {
        let publisher = RegistryPublisher(
            cell: directory, keyring: SigningKeyring(), cryptography: OpenSSLCryptography(), clock: clock, report: report)
        let stored = snapshot.configuration.keySets.filter { $0.value.source.isStored }
        publisher.adopt(snapshot.keySets.values.filter { stored[$0.name] != nil })
        publisher.publish(StoreIndex(contents), .all)
    }
}
