package import Core
import Crypto
import Policy
package import Store
import Synchronization

/// Makes tokens: finds the key that signs, makes one where there is none, and puts claims and answer together.
final class TokenIssuer: Sendable {
    /// One token to be made.
    struct Order: Sendable {
        var terms: TokenTerms
        var party: TokenParty
        var grant: TokenGrant
        var client: IPAddress
        var realm: String?
        var now: WallTime
        /// The e-mail address and the name of the user behind it.
        var email: String?
        var name: String?
        /// A refresh token that comes with it.
        var refreshToken: String?
    }

    let keyring: SigningKeyring
    private let registry: Registry
    /// Of new keys, by the name of their key set.
    private let algorithms = Mutex<[String: [SignatureAlgorithm]]>([:])

    init(keyring: SigningKeyring, registry: Registry) {
        self.keyring = keyring
        self.registry = registry
    }

    /// Follows a new policy.
    /// - Parameter algorithms: of new keys, by the name of their key set, for those that are kept in the store.
    func adopt(_ algorithms: [String: [SignatureAlgorithm]]) { self.algorithms.withLock { $0 = algorithms } }

    /// Answers with a new token, or refuses.
    func issue(_ order: Order, completion: @escaping @Sendable (ActionOutcome) -> Void) {
        let terms = order.terms
        withKey(of: terms, realm: order.realm, now: order.now) { found in
            switch found {
            case .failure(let refusal): completion(refusal.outcome)
            case .success(let entry): completion(Self.answer(order, signedBy: entry))
            }
        }
    }

    // MARK: Keys

    /// The key that signs. Where there is none that does, one is made first.
    func withKey(
        of terms: TokenTerms, realm: String?, now: WallTime,
        _ completion: @escaping @Sendable (Result<SigningKeyring.Entry, ActionRefusal>) -> Void
    ) {
        let keySet = terms.keySet.value
        if let entry = keyring.newest(of: keySet, realm: realm, algorithm: terms.algorithm) {
            completion(.success(entry))
            return
        }
        guard let allowed = algorithms.withLock({ $0[keySet] }), let algorithm = terms.algorithm ?? allowed.first,
            let fresh = StoredSigningKey.fresh(algorithm, keySet: keySet, realm: realm, now: now)
        else {
            completion(.failure(ActionRefusal(.storeUnavailable)))
            return
        }
        let keyring = self.keyring
        registry.change { index throws(ActionRefusal) in
            // Somebody else may have made one meanwhile.
            let isThere = index.signingKeys.values.contains { key in
                key.keySet == keySet && key.removedAt == nil && (realm == nil || key.realm == realm)
                    && (terms.algorithm == nil || key.algorithm == terms.algorithm)
            }
            return (isThere ? [] : [.putSigningKey(fresh)], ())
        } completion: { made in
            switch made {
            case .failure(let refusal): completion(.failure(refusal))
            case .success:
                let entry = keyring.newest(of: keySet, realm: realm, algorithm: terms.algorithm)
                completion(entry.map { .success($0) } ?? .failure(ActionRefusal(.storeUnavailable)))
            }
        }
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
            values.refreshLifetime = order.terms.refreshTokens.map { $0.lifetime / 1_000_000_000 }
        }
        guard let answer = order.terms.answer.filled(values.value) else { return .refuse(.storeUnavailable) }
        var body: [UInt8] = []
        body.append(json: answer)
        // RFC 6749 §5.1: what holds a token is stored by nobody on the way.
        return .answer(ActionAnswer(status: 200, headers: [("Cache-Control", "no-store"), ("Pragma", "no-cache")], body: body))
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
