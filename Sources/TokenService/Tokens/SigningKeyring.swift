import Core
import Crypto
import Policy
import Store
import Synchronization

/// The keys of all stored key sets, ready to sign with. Follows the registry; asked from every queue.
final class SigningKeyring: Sendable {
    /// A signing key together with what makes signatures.
    struct Entry: Sendable {
        var key: StoredSigningKey
        var signer: SigningKey
    }

    /// By the name of the key set, the newest first, replaced ones among them.
    private let sets = Mutex<[String: [Entry]]>([:])

    /// Takes over the keys of one set, or of all.
    func follow(_ index: StoreIndex, keySet: String?) {
        let wanted = index.signingKeys.values.filter { keySet == nil || $0.keySet == keySet }
        let known = sets.withLock { sets in
            Dictionary(sets.values.joined().map { ($0.key.id, $0) }) { first, _ in first }
        }
        var entries: [String: [Entry]] = [:]
        for key in wanted.sorted(by: { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }) {
            let same = known[key.id].flatMap { $0.key.material == key.material ? $0.signer : nil }
            guard let signer = same ?? (try? SigningKey(key.algorithm, material: key.material)) else {
                continue
            }
            entries[key.keySet, default: []].append(Entry(key: key, signer: signer))
        }
        sets.withLock { sets in
            if let keySet { sets[keySet] = entries[keySet] } else { sets = entries }
        }
    }

    /// The newest key that signs.
    /// - Parameters:
    ///   - realm: whose keys, and no others; nil for those of no realm.
    ///   - algorithm: nil takes any.
    func newest(of keySet: String, realm: String?, algorithm: SignatureAlgorithm?) -> Entry? {
        sets.withLock { sets in
            sets[keySet]?.first { entry in
                entry.key.removedAt == nil && entry.key.realm == realm
                    && (algorithm == nil || entry.key.algorithm == algorithm)
            }
        }
    }

    /// Every key of a set.
    func entries(of keySet: String) -> [Entry] { sets.withLock { $0[keySet] ?? [] } }
}
