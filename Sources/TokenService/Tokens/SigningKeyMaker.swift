import Core
import Dispatch
import Policy
import Store
import Synchronization

/// Makes the keys that tokens are signed with where there is none yet: one after the other on a queue of its own, since a
/// private key takes long, and once for all who wait for the same.
final class SigningKeyMaker: Sendable {
    typealias Completion = @Sendable (Result<SigningKeyring.Entry, ActionRefusal>) -> Void

    /// What a key is wanted for.
    struct Need: Hashable, Sendable {
        var keySet: String
        var realm: String?
        /// Nil where a key of any algorithm will do.
        var wanted: SignatureAlgorithm?
        /// Of the new key.
        var algorithm: SignatureAlgorithm
        /// The realm is that of the caller's credential, so that callers do not make up realms.
        var isRealmLocked: Bool
    }

    /// Keys that may wait to be made.
    static let waitingLimit = 32

    private let keyring: SigningKeyring
    private let registry: Registry
    private let audit: AuditTrail
    private let material: @Sendable (SignatureAlgorithm) -> [UInt8]?
    private let queue = DispatchQueue(label: "portcullis.signing-keys", qos: .utility)
    private let waiting = Mutex<[Need: [Completion]]>([:])

    /// - Parameter material: makes what a key consists of; may take long.
    init(
        keyring: SigningKeyring, registry: Registry, audit: AuditTrail,
        material: @escaping @Sendable (SignatureAlgorithm) -> [UInt8]? = { SigningMaterial.make(for: $0) }
    ) {
        self.keyring = keyring
        self.registry = registry
        self.audit = audit
        self.material = material
    }

    /// Calls back once, on any queue, with the key that is made or that somebody else has made meanwhile.
    func make(_ need: Need, now: WallTime, completion: @escaping Completion) {
        enum Turn { case first, later, never }
        let turn = waiting.withLock { waiting -> Turn in
            if waiting[need] == nil, waiting.count >= Self.waitingLimit { return .never }
            waiting[need, default: []].append(completion)
            return waiting[need]?.count == 1 ? .first : .later
        }
        switch turn {
        case .first:
            queue.async {
                let made = self.made(need, now: now)
                for completion in self.waiting.withLock({ $0.removeValue(forKey: need) }) ?? [] { completion(made) }
            }
        case .later: break
        case .never: completion(.failure(ActionRefusal(.overloaded)))
        }
    }

    /// On the queue.
    private func made(_ need: Need, now: WallTime) -> Result<SigningKeyring.Entry, ActionRefusal> {
        // Asked before the work is done, too: a refusal costs nothing.
        let asked = registry.look { index throws(ActionRefusal) in try need.isMissing(in: index) }
        switch asked {
        case .failure(let refusal): return .failure(refusal)
        case .success(false): return found(need)
        case .success(true): break
        }
        guard let material = material(need.algorithm) else { return .failure(ActionRefusal(.storeUnavailable)) }
        let fresh = StoredSigningKey(
            id: RecordID.make(.jwtKey, at: now), keySet: need.keySet, realm: need.realm, algorithm: need.algorithm,
            material: material, createdAt: now)
        let kept = registry.change { index throws(ActionRefusal) in
            // Another process may have made one meanwhile.
            let isMissing = try need.isMissing(in: index)
            return (isMissing ? [.putSigningKey(fresh)] : [], isMissing)
        }
        switch kept {
        case .failure(let refusal): return .failure(refusal)
        case .success(let isMade):
            if isMade { audit.record([.realmUpdated(fresh, cause: "jwt_key.created", at: now)]) }
            return found(need)
        }
    }

    private func found(_ need: Need) -> Result<SigningKeyring.Entry, ActionRefusal> {
        let entry = keyring.newest(of: need.keySet, realm: need.realm, algorithm: need.wanted)
        return entry.map { .success($0) } ?? .failure(ActionRefusal(.storeUnavailable))
    }
}

extension SigningKeyMaker.Need {
    /// No key signs for it; refused where one more realm would be too many.
    fileprivate func isMissing(in index: StoreIndex) throws(ActionRefusal) -> Bool {
        let isThere = index.signingKeys.values.contains { key in
            key.keySet == keySet && key.removedAt == nil && key.realm == realm
                && (wanted == nil || key.algorithm == wanted)
        }
        if isThere { return false }
        if !isRealmLocked, let realm, !index.hasRoom(for: realm, in: keySet) {
            throw ActionRefusal(.parametersInvalid, messages: [StoreIndex.tooManyRealms])
        }
        return true
    }
}
