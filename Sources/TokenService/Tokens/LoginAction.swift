import Core
import Crypto
import Policy
import Store

/// Signing in by e-mail address and password.
///
/// Unknown accounts, disabled ones and wrong passwords cost the same work and get the same answer, and all of them count
/// against the account's attempts. The hash is computed by a pool of threads, where clients of different addresses take turns.
final class LoginAction: Sendable {
    private static let longestWait: Nanoseconds = .seconds(2)

    private let registry: Registry
    private let issuer: TokenIssuer
    private let pool: WorkPool
    private let derive: Scrypt.Derivation

    /// - Parameter derive: computes the hashes of passwords.
    init(registry: Registry, issuer: TokenIssuer, pool: WorkPool, derive: @escaping Scrypt.Derivation) {
        self.registry = registry
        self.issuer = issuer
        self.derive = derive
        self.pool = pool
    }

    func perform(
        _ request: ActionRequest, _ login: LoginConfiguration, budget: AccountBudget,
        completion: @escaping @Sendable (ActionOutcome) -> Void
    ) {
        do throws(ActionRefusal) {
            // A password in a query would stand in logs.
            guard request.query.isEmpty else {
                throw ActionRefusal(.parametersInvalid, messages: ["Query has no place here"])
            }
            guard request.contentType != nil else { throw ActionRefusal(.contentTypeNotSupported) }
            var parameters = ParameterReader()
            try parameters.add(contentOf: request)
            let email = parameters.requiredText("email", byteLimit: 254)
            let password = parameters.requiredSecretText("password", byteLimit: UserResource.longestPassword)
            parameters.complainOfUnknown()
            try parameters.finish()
            guard let email, let password else { throw ActionRefusal(.loginFailed) }
            let realm = try request.realmInForce()
            let isTaken = pool.submit(for: request.requester, interest: request.interest) { isWanted in
                // Hashes for clients that have left would keep the threads from those that wait.
                guard isWanted else {
                    completion(.refuse(.overloaded))
                    return
                }
                self.judge(email, password, realm, request, login, budget, completion: completion)
            }
            if !isTaken { throw ActionRefusal(.overloaded) }
        } catch {
            completion(error.outcome)
        }
    }

    /// On a thread of the pool.
    private func judge(
        _ email: String, _ password: String, _ realm: String?, _ request: ActionRequest, _ login: LoginConfiguration,
        _ budget: AccountBudget, completion: @escaping @Sendable (ActionOutcome) -> Void
    ) {
        // Asked only now, so that guesses that waited together do not all pass.
        if let wait = budget.retryAfter(email, now: request.now.instant) {
            completion(.refuse(.tooManyAttempts, retryAfter: wait))
            return
        }
        let found = registry.look(for: request.requester) { $0.user(email: email) }
        guard case .success(let user) = found else {
            completion(.refuse(.storeUnavailable))
            return
        }
        let isRight = PasswordHash.verify(Array(password.utf8), encoded: user?.passwordHash, cost: .standard, by: derive)
        guard isRight, let user, user.isEnabled else {
            budget.recordFailure(email, now: request.now.instant)
            completion(.refuse(.loginFailed))
            return
        }
        // Tokens count by whole seconds: one made in the second of a new password is taken for an older one.
        let now = max(request.now.wall, user.tokensValidFrom)
        let wait = now.nanoseconds &- WallClock.now().nanoseconds
        guard wait > 0 else {
            signIn(user, realm, request, login.terms, at: now, completion: completion)
            return
        }
        pool.later(min(wait, Self.longestWait)) {
            self.signIn(user, realm, request, login.terms, at: now, completion: completion)
        }
    }

    private func signIn(
        _ user: StoredUser, _ realm: String?, _ request: ActionRequest, _ terms: TokenTerms, at now: WallTime,
        completion: @escaping @Sendable (ActionOutcome) -> Void
    ) {
        var order = TokenIssuer.Order(
            terms: terms, party: TokenParty(subject: user.id, scopes: user.scopes),
            grant: TokenGrant(scopes: user.scopes, terms: terms), client: request.client,
            realm: realm, now: now, requester: request.requester, email: user.email, name: user.name)
        guard let refresh = terms.refreshTokens else {
            issuer.issue(order, completion: completion)
            return
        }
        let fresh = RefreshTokenText()
        let end = refresh.end(from: now, begun: now, of: order.party)
        order.refreshToken = fresh.text
        order.refreshEndsAt = end
        let signedIn = order
        let family = TokenFamily(
            id: fresh.family, issuer: terms.keySet.value, subject: user.id, key: nil, realm: realm,
            scopes: user.scopes, current: fresh.digest, createdAt: now, expiresAt: end)
        registry.change(for: request.requester) { index throws(ActionRefusal) in
            // Disabled or given another password while the hash was computed.
            guard let current = index.users[user.id], current.isEnabled, current.passwordHash == user.passwordHash else {
                throw ActionRefusal(.loginFailed)
            }
            return (index.changes(beginning: family, at: now), ())
        } completion: { [issuer] outcome in
            switch outcome {
            case .success: issuer.issue(signedIn, completion: completion)
            case .failure(let refusal): completion(refusal.outcome)
            }
        }
    }
}
