package import Core
import Crypto
import Policy
package import Store
import Synchronization

/// Makes tokens: finds the key that signs, has one made where there is none, and puts claims and answer together.
final class TokenIssuer: Sendable {
    /// One token to be made.
    struct Order: Sendable {
        var terms: TokenTerms
        var party: TokenParty
        var grant: TokenGrant
        var client: IPAddress
        /// Whose key signs; nil for one of no realm.
        var realm: String?
        /// The realm is that of the caller's credential, and not of his choice.
        var isRealmLocked = false
        var now: WallTime
        /// Who asked, for the order in which keys and signatures are made.
        var requester: Requester
        /// The e-mail address and the name of the user behind it.
        var email: String?
        var name: String?
        /// A refresh token that comes with it, and when that ends.
        var refreshToken: String?
        var refreshEndsAt: WallTime?
    }

    let keyring: SigningKeyring
    let audit: AuditTrail
    private let maker: SigningKeyMaker
    /// Makes signatures that take long. What is under way on the loops bounds what waits here.
    private let signing: WorkPool
    /// Of new keys, by the name of their key set.
    private let algorithms = Mutex<[String: [SignatureAlgorithm]]>([:])

    /// - Parameter width: costly signatures that are made at one time.
    init(keyring: SigningKeyring, maker: SigningKeyMaker, audit: AuditTrail, width: Int) {
        signing = WorkPool(width: width, underWayPerCaller: width, waitingPerCaller: .max, waiting: .max)
        self.audit = audit
        self.keyring = keyring
        self.maker = maker
    }

    /// Follows a new policy.
    /// - Parameter algorithms: of new keys, by the name of their key set, for those that are kept in the store.
    func adopt(_ algorithms: [String: [SignatureAlgorithm]]) { self.algorithms.withLock { $0 = algorithms } }

    /// Answers with a new token, or refuses.
    func issue(_ order: Order, completion: @escaping @Sendable (ActionOutcome) -> Void) {
        let terms = order.terms
        let keySet = terms.keySet.value
        if let entry = keyring.newest(of: keySet, realm: order.realm, algorithm: terms.algorithm) {
            finish(order, signedBy: entry, completion: completion)
            return
        }
        guard let allowed = algorithms.withLock({ $0[keySet] }), let algorithm = terms.algorithm ?? allowed.first else {
            completion(.refuse(.storeUnavailable))
            return
        }
        let need = SigningKeyMaker.Need(
            keySet: keySet, realm: order.realm, wanted: terms.algorithm, algorithm: algorithm, isRealmLocked: order.isRealmLocked)
        maker.make(need, for: order.requester, now: order.now) { made in
            switch made {
            case .failure(let refusal): completion(refusal.outcome)
            case .success(let entry): self.finish(order, signedBy: entry, completion: completion)
            }
        }
    }

    /// Signs. What that takes long for is not done where others wait: on a loop, or on the registry's queue.
    private func finish(
        _ order: Order, signedBy entry: SigningKeyring.Entry, completion: @escaping @Sendable (ActionOutcome) -> Void
    ) {
        guard entry.key.algorithm.signsSlowly else {
            completion(Self.answer(order, signedBy: entry))
            return
        }
        let isTaken = signing.submit(for: order.requester) { _ in completion(Self.answer(order, signedBy: entry)) }
        if !isTaken { completion(.refuse(.overloaded)) }
    }

    // MARK: Answers

    private static func answer(_ order: Order, signedBy entry: SigningKeyring.Entry) -> ActionOutcome {
        var values = TokenValues(
            party: order.party, grant: order.grant, issuedAt: order.now.seconds, tokenID: SecureRandom.uuid(),
            email: order.email, name: order.name, realm: order.realm, client: order.client)
        guard let claims = order.terms.claims.filled(values.value),
            let token = CompactTokenWriter.token(claims: claims, signedBy: entry, namesKey: order.terms.namesKey)
        else { return .refuse(.storeUnavailable) }
        values.claims = claims
        values.token = token
        if let refreshToken = order.refreshToken {
            values.refreshToken = refreshToken
            values.refreshLifetime = order.refreshEndsAt.map { max($0.seconds &- order.now.seconds, 0) }
        }
        guard let answer = order.terms.answer.filled(values.value) else { return .refuse(.storeUnavailable) }
        var body: [UInt8] = []
        body.append(json: answer)
        // RFC 6749 §5.1: what holds a token is stored by nobody on the way.
        return .answer(ActionAnswer(status: 200, headers: [("Cache-Control", "no-store"), ("Pragma", "no-cache")], body: body))
    }
}

extension SignatureAlgorithm {
    /// A signature takes a good part of a millisecond, or many of them with a long RSA key.
    fileprivate var signsSlowly: Bool {
        switch self {
        case .hs256, .hs384, .hs512, .es256, .eddsa: false
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512, .es384, .es512: true
        }
    }
}

extension StoredSigningKey {
    /// A new key, made by this machine's randomness; nil when that fails.
    package static func fresh(
        _ algorithm: SignatureAlgorithm, keySet: String, realm: String?, now: WallTime
    ) -> StoredSigningKey? {
        guard let material = SigningMaterial.make(for: algorithm) else { return nil }
        return StoredSigningKey(
            id: RecordID.make(.jwtKey, at: now), keySet: keySet, realm: realm, algorithm: algorithm, material: material,
            createdAt: now)
    }
}
