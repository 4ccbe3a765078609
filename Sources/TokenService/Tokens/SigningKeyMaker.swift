import Core
import Dispatch
import Policy
import Store
import Synchronization

/// Makes the keys that tokens are signed with where there is none yet: on the pool, since a private key takes long, and once for
/// all who wait for the same.
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

    /// Those who wait for one key.
    private struct Waiting {
        var completions: [Completion] = []
        /// Each of them has had work put in line: what one has asked for before holds up no other who needs the same key.
        var requesters: Set<Requester> = []
        var isUnderWay = false
    }

    private let keyring: SigningKeyring
    private let registry: Registry
    private let audit: AuditTrail
    private let material: @Sendable (SignatureAlgorithm) -> [UInt8]?
    private let pool: WorkPool
    private let waiting = Mutex<[Need: Waiting]>([:])

    /// - Parameter material: makes what a key consists of; may take long.
    init(
        keyring: SigningKeyring, registry: Registry, audit: AuditTrail, pool: WorkPool,
        material: @escaping @Sendable (SignatureAlgorithm) -> [UInt8]? = { SigningMaterial.make(for: $0) }
    ) {
        self.keyring = keyring
        self.registry = registry
        self.audit = audit
        self.pool = pool
        self.material = material
    }

    /// Calls back once, on any queue, with the key that is made or that was made for another request meanwhile.
    func make(_ need: Need, for requester: Requester, now: WallTime, completion: @escaping Completion) {
        enum Turn { case inLine, joined, never }
        let turn = waiting.withLock { waiting -> Turn in
            if waiting[need] == nil, waiting.count >= Self.waitingLimit { return .never }
            waiting[need, default: Waiting()].completions.append(completion)
            let isNew = waiting[need]?.requesters.insert(requester).inserted ?? false
            return isNew && waiting[need]?.isUnderWay == false ? .inLine : .joined
        }
        switch turn {
        case .inLine:
            // Whoever is answered by the key may have gone: the others still need it.
            let isTaken = pool.submit(for: requester) { _ in self.work(need, for: requester, now: now) }
            if !isTaken { withdraw(need, requester) }
        case .joined: break
        case .never: completion(.failure(ActionRefusal(.overloaded)))
        }
    }

    /// On a thread of the pool. The first in line for a key makes it, and those behind find nothing left to do.
    private func work(_ need: Need, for requester: Requester, now: WallTime) {
        let isFirst = waiting.withLock { waiting -> Bool in
            guard waiting[need]?.isUnderWay == false else { return false }
            waiting[need]?.isUnderWay = true
            return true
        }
        guard isFirst else { return }
        let made = self.made(need, for: requester, now: now)
        for completion in waiting.withLock({ $0.removeValue(forKey: need) })?.completions ?? [] { completion(made) }
    }

    /// The pool has no place for the requester. With no other in line for the key, those who wait for it are refused.
    private func withdraw(_ need: Need, _ requester: Requester) {
        let refused = waiting.withLock { waiting -> [Completion] in
            guard var known = waiting[need] else { return [] }
            known.requesters.remove(requester)
            guard known.requesters.isEmpty, !known.isUnderWay else {
                waiting[need] = known
                return []
            }
            waiting[need] = nil
            return known.completions
        }
        for completion in refused { completion(.failure(ActionRefusal(.overloaded))) }
    }

    /// On a thread of the pool.
    private func made(_ need: Need, for requester: Requester, now: WallTime) -> Result<SigningKeyring.Entry, ActionRefusal> {
        // Asked before the work is done, too: a refusal costs nothing.
        let asked = registry.look(for: requester) { index throws(ActionRefusal) in try need.isMissing(in: index) }
        switch asked {
        case .failure(let refusal): return .failure(refusal)
        case .success(false): return found(need)
        case .success(true): break
        }
        guard let material = material(need.algorithm) else { return .failure(ActionRefusal(.storeUnavailable)) }
        let fresh = StoredSigningKey(
            id: RecordID.make(.jwtKey, at: now), keySet: need.keySet, realm: need.realm, algorithm: need.algorithm,
            material: material, createdAt: now)
        let kept = registry.change(for: requester) { index throws(ActionRefusal) in
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
