import Core
import Crypto
import Policy
import Store
import Synchronization

/// Puts in force what the registry holds: the directory, the keys of stored key sets, and the keys to sign with.
final class RegistryPublisher: Sendable {
    private let cell: DirectoryCell
    private let keyring: SigningKeyring
    private let cryptography: any Cryptography
    private let clock: @Sendable () -> ClockReading
    private let report: @Sendable (String) -> Void
    /// The places of the stored key sets that the policy in force verifies with.
    private let places = Mutex<[KeySetCell]>([])

    init(
        cell: DirectoryCell, keyring: SigningKeyring, cryptography: any Cryptography,
        clock: @escaping @Sendable () -> ClockReading, report: @escaping @Sendable (String) -> Void
    ) {
        self.cell = cell
        self.keyring = keyring
        self.cryptography = cryptography
        self.clock = clock
        self.report = report
    }

    func adopt(_ cells: [KeySetCell]) { places.withLock { $0 = cells } }

    /// On the registry's queue.
    /// - Parameter index: nil when the store could not be read yet.
    func publish(_ index: StoreIndex?, _ change: RegistryChange) {
        guard let index else {
            cell.publish(Directory(tables: [:], users: [:], isAvailable: false))
            return
        }
        // Keys first: a directory that is in force may be asked about tokens at once.
        if change.everything {
            keyring.follow(index, keySet: nil)
            for place in places.withLock({ $0 }) { install(place) }
        } else {
            for name in change.keySets {
                keyring.follow(index, keySet: name)
                for place in places.withLock({ $0 }) where place.name == name { install(place) }
            }
        }
        if change.everything || change.people || !change.authenticators.isEmpty {
            let previous = cell.current.directory
            cell.publish(DirectoryBuilder.directory(from: index, previous: previous, change: change, report: report))
        }
    }

    private func install(_ place: KeySetCell) {
        let keys = keyring.entries(of: place.name).map {
            KeySet.StoredKey(kid: $0.key.id, algorithm: $0.key.algorithm, material: $0.signer.verificationMaterial,
                realm: $0.key.realm)
        }
        place.install(KeySet.stored(keys, cryptography: cryptography), now: clock(), freshFor: nil)
    }
}
