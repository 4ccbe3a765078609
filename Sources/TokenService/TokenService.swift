package import Core
package import Crypto
package import Policy
package import Store
import Synchronization

/// Issues tokens and manages what the store keeps: the actions of routes. Works on queues of its own.
package final class TokenService: ActionPerformer {
    /// What a store is made from, and how the service tells the rest of the gateway.
    package struct Environment: Sendable {
        /// Opens the store; nil for a policy without one.
        package var open: (@Sendable () throws(StoreFault) -> any CredentialStore)?
        package var directory: DirectoryCell
        package var cryptography: any Cryptography
        package var clock: @Sendable () -> ClockReading
        /// A line for the operator.
        package var report: @Sendable (String) -> Void
        /// Processors; half as many threads hash passwords and make keys.
        package var processors: Int
        package var seed: HashSeed
        package var timing = RegistryTiming()
        /// Computes the hashes of passwords that people sign in with.
        package var derive: Scrypt.Derivation = Scrypt.derive

        package init(
            open: (@Sendable () throws(StoreFault) -> any CredentialStore)?, directory: DirectoryCell,
            cryptography: any Cryptography, clock: @escaping @Sendable () -> ClockReading,
            report: @escaping @Sendable (String) -> Void, processors: Int, seed: HashSeed
        ) {
            self.open = open
            self.directory = directory
            self.cryptography = cryptography
            self.clock = clock
            self.report = report
            self.processors = processors
            self.seed = seed
        }
    }

    /// Nil for a gateway without a store.
    package let registry: Registry?
    private let publisher: RegistryPublisher
    private let actions: TokenActions?
    private let login: LoginAction?
    /// Nil for a gateway without a store.
    package let management: ManagementService?
    /// Where changes are told.
    package let audit: AuditTrail
    /// The policy in force, for how keys are made; nil until the start.
    private let policy: PolicyHolder
    private let seed: HashSeed
    /// Of each route with a login, by its name.
    private let budgets = Mutex<[String: AccountBudget]>([:])

    package init(_ environment: Environment) {
        let keyring = SigningKeyring()
        let publisher = RegistryPublisher(
            cell: environment.directory, keyring: keyring, cryptography: environment.cryptography,
            clock: environment.clock, report: environment.report)
        self.publisher = publisher
        seed = environment.seed
        let clock = environment.clock
        audit = AuditTrail(clock: { clock().wall })
        let policy = PolicyHolder()
        self.policy = policy
        guard let open = environment.open else {
            registry = nil
            management = nil
            actions = nil
            login = nil
            return
        }
        let registry = Registry(
            open: open, publish: { publisher.publish($0, $1) }, report: environment.report, timing: environment.timing)
        // One pool for all that takes long, so that it bounds the cores that are spent on hashes and keys.
        let pool = WorkPool(width: max(1, environment.processors / 2))
        let maker = SigningKeyMaker(keyring: keyring, registry: registry, audit: audit, pool: pool)
        let issuer = TokenIssuer(keyring: keyring, maker: maker, audit: audit, width: max(1, environment.processors))
        self.registry = registry
        actions = TokenActions(registry: registry, issuer: issuer)
        management = ManagementService(
            registry: registry, audit: audit, material: .standard, pool: pool, seed: environment.seed,
            instant: { clock().instant }, keyMaker: { policy.keyMaker($0) })
        login = LoginAction(registry: registry, issuer: issuer, pool: pool, derive: environment.derive)
    }

    /// Opens the store, reads and publishes it; blocks until that has worked or failed.
    package func start(_ snapshot: Snapshot) {
        _ = follow(snapshot)
        let audit = self.audit
        registry?.start(maintenance: Registry.Maintenance(round: StoreMaintenance.round) { audit.record($0) })
    }

    /// Writes what is left to write.
    package func stop() { registry?.stop() }

    /// Follows a new policy. Its store is that of the start.
    package func adopt(_ snapshot: Snapshot) {
        registry?.republish(keySets: follow(snapshot))
    }

    /// - Returns: the stored key sets of the policy.
    private func follow(_ snapshot: Snapshot) -> Set<String> {
        policy.hold(snapshot)
        let configuration = snapshot.configuration
        let stored = configuration.keySets.filter { $0.value.source.isStored }
        publisher.adopt(snapshot.keySets.values.filter { stored[$0.name] != nil })
        actions?.issuer.adopt(stored.mapValues(\.source.storedAlgorithms))
        for route in snapshot.routes {
            guard case .login(let login) = route.action else { continue }
            budgets.withLock { budgets in
                if let known = budgets[route.name] {
                    known.adopt(login.attempts)
                } else {
                    budgets[route.name] = AccountBudget(login.attempts, seed: seed)
                }
            }
        }
        return Set(stored.keys)
    }

    package func perform(_ request: ActionRequest, completion: @escaping @Sendable (ActionOutcome) -> Void) {
        guard let actions, let login, let management else {
            completion(.refuse(.storeUnavailable))
            return
        }
        switch request.action {
        case .mintToken(let mint): actions.mint(request, mint, completion: completion)
        case .refreshToken(let refresh): actions.refresh(request, refresh, completion: completion)
        case .login(let configuration):
            guard let budget = budgets.withLock({ $0[request.route.name] }) else {
                completion(.refuse(.overloaded))
                return
            }
            login.perform(request, configuration, budget: budget, completion: completion)
        case .publishKeys(let publication): completion(actions.publish(publication))
        // No request is granted to it.
        case .notFound: completion(.refuse(.routeNotFound))
        case .manage(let configuration):
            do throws(ActionRefusal) {
                management.perform(try ManagementCall(request, configuration), completion: completion)
            } catch { completion(error.outcome) }
        }
    }
}

extension KeySetConfiguration.Source {
    /// Of new keys; none where the keys are not kept in the store.
    fileprivate var storedAlgorithms: [SignatureAlgorithm] {
        switch self {
        case .stored(let algorithms): algorithms
        case .url, .discovery, .file, .pem, .inline: []
        }
    }
}
