import Core
import Crypto
import IO
import Policy
import Store
import Synchronization
import TokenService

/// What all loops share: the exact limits, the failure budget, key sets, the logs. Each part guards itself.
final class SharedState: Sendable {
    let buckets: BucketTable
    let failureBudget: FailureBudget
    let connections: ConnectionLedger
    /// Those of the operator's listeners, which full traffic listeners do not close.
    private let adminConnections = ConnectionLedger(
        total: FixedBounds.operatorConnections, perAddress: FixedBounds.operatorConnectionsPerAddress)
    private let probeConnections = ConnectionLedger(
        total: FixedBounds.operatorConnections, perAddress: FixedBounds.operatorConnectionsPerAddress)
    /// Traffic connections with this descriptor or a higher one are closed at once.
    let trafficDescriptorLimit: Int32
    /// Guesses at the admin token.
    let adminGuard: AdminGuard
    let buffers: BufferLedger
    let seed: HashSeed
    /// What decisions know of the store.
    let directory = DirectoryCell()
    let keySets: KeySetFetcher
    let log: OperatorLog
    let credentials: CredentialVault
    let logWriter: LogWriter
    let reloads = ReloadHistory()
    /// What carries out the actions of routes.
    let tokens: TokenService
    /// How its audit events leave the process.
    let audit: AuditOutlet
    /// SHA-256 of what opens the management on the admin listener; nil keeps it closed.
    private let adminTokenHeld: Mutex<Digest256?>
    /// Listeners are open and a policy is in force; false again once the gateway drains.
    let isReady = Atomic(false)
    private let hadAllKeys = Atomic(false)
    /// The certificates of the policy in force.
    private let shownCertificates: Mutex<[CertificateExpiry]>
    /// Servers of the policy in force whose names have no addresses.
    private let unresolvedServers = Mutex<[UnresolvedServer]>([])
    /// The policy in force, to be asked why.
    private let explained: Mutex<ExplainablePolicy>
    /// Every loop, for what is asked of all of them. Set once, before the loops start.
    private let roster = Mutex<[Worker]>([])

    init(policy: CompiledPolicy, log: OperatorLog) {
        let configuration = policy.snapshot.configuration
        seed = HashSeed(SecureRandom.word(), SecureRandom.word())
        let bucketLimit = configuration.bounds.bucketLimit
        buckets = BucketTable(bucketLimit: bucketLimit, seed: seed) {
            log.warning(
                "bounds.buckets: \(bucketLimit) callers are counted, as many as may be; from now on those that lose least are "
                    + "forgotten for new ones (portcullis_buckets_evicted_total)")
        }
        failureBudget = FailureBudget(configuration.failureBudget, seed: seed)
        adminGuard = AdminGuard(seed: seed)
        Process.raiseDescriptorLimit()
        trafficDescriptorLimit = Process.trafficDescriptorLimit
        connections = ConnectionLedger(most: Int(trafficDescriptorLimit))
        Self.warnOfDescriptors(trafficDescriptorLimit, configuration.bounds, log: log)
        buffers = BufferLedger(
            limit: Self.bufferLimit(of: configuration.bounds, log: log), loops: configuration.loops ?? Process.processorCount)
        keySets = KeySetFetcher(log: log)
        shownCertificates = Mutex(policy.certificates)
        var open: (@Sendable () throws(StoreFault) -> any CredentialStore)?
        if let store = policy.store { open = { () throws(StoreFault) in try store.open() } }
        tokens = TokenService(
            TokenService.Environment(
                open: open, directory: directory, cryptography: OpenSSLCryptography(), clock: EventLoop.readClocks,
                report: { log.warning($0) }, processors: Process.processorCount, seed: seed))
        explained = Mutex(ExplainablePolicy(policy))
        credentials = CredentialVault(archive: tokens.registry, log: log)
        credentials.adopt(security: policy.refreshSecurity.mapValues(\.context))
        self.log = log
        audit = AuditOutlet(log: log)
        adminTokenHeld = Mutex(policy.adminToken)
        audit.adopt(policy.audit, trail: tokens.audit)
        logWriter = LogWriter(destination: configuration.accessLog, log: log)
    }

    /// Every fetched key set had keys at one moment since the start. That stays so: a gateway that serves is not taken away from its
    /// clients because a later policy names an issuer that does not answer.
    func hasHadKeys() -> Bool {
        if hadAllKeys.load(ordering: .relaxed) { return true }
        guard keySets.hasAllKeys() else { return false }
        hadAllKeys.store(true, ordering: .relaxed)
        return true
    }

    /// Where the connections of a listener are counted.
    func ledger(of role: ListenerRole) -> ConnectionLedger {
        switch role {
        case .traffic: connections
        case .admin: adminConnections
        case .probes: probeConnections
        }
    }

    var certificates: [CertificateExpiry] { shownCertificates.withLock { $0 } }

    var unresolved: [UnresolvedServer] { unresolvedServers.withLock { $0 } }

    /// Follows what is known of the names of upstream servers.
    func tell(unresolvedNames policy: CompiledPolicy) {
        let unresolved = UpstreamResolution.unresolved(in: policy.upstreams, answers: policy.names).map(UnresolvedServer.init)
        unresolvedServers.withLock { $0 = unresolved }
    }

    var adminToken: Digest256? { adminTokenHeld.withLock { $0 } }

    var explainable: ExplainablePolicy { explained.withLock { $0 } }

    var workers: [Worker] { roster.withLock { $0 } }

    func enlist(_ workers: [Worker]) {
        roster.withLock { $0 = workers }
        keySets.whenKeysChange { self.reviewTunnels() }
        buffers.whenChanged { self.followBuffers() }
        directory.whenPublished { self.reviewTunnels() }
    }

    /// The bound on what is held for messages under way: a quarter of the memory there is, unless the policy says it.
    private static func bufferLimit(of bounds: Bounds, log: OperatorLog) -> Int {
        if let limit = bounds.bufferedByteLimit { return limit }
        // Without a word of the system a gigabyte is supposed.
        let available = AvailableMemory.bytes ?? 1_073_741_824
        let limit = max(available / 4, 1_048_576)
        log.info("bounds.buffered_bytes: \(limit / 1_048_576) MiB, a quarter of \(available / 1_048_576) MiB of memory")
        return limit
    }

    /// Has every loop look whether memory is scarce.
    /// Each client takes a descriptor, and mostly one of an upstream beside it.
    private static func warnOfDescriptors(_ limit: Int32, _ bounds: Bounds, log: OperatorLog) {
        guard bounds.connectionLimit > limit else { return }
        log.warning(
            "bounds.connections is \(bounds.connectionLimit), and the process may open too few files for that: it takes \(limit) "
                + "connections, those to upstreams included; raise the limit of open files (LimitNOFILE=, ulimit -n)")
    }

    private func followBuffers() {
        for worker in workers {
            worker.loop.submit { worker.loop.round { worker.followBuffers() } }
        }
    }

    /// Asks on every loop whether what changed its protocol may go on.
    private func reviewTunnels() {
        for worker in workers {
            worker.loop.submit { worker.loop.round { worker.tunnels.reviewAll(of: worker) } }
        }
    }

    /// Follows a new policy in what outlives it.
    func adopt(_ policy: CompiledPolicy) {
        let configuration = policy.snapshot.configuration
        failureBudget.adopt(configuration.failureBudget)
        Self.warnOfDescriptors(trafficDescriptorLimit, configuration.bounds, log: log)
        buffers.adopt(limit: Self.bufferLimit(of: configuration.bounds, log: log))
        keySets.adopt(policy.keySets)
        tokens.adopt(policy.snapshot)
        audit.adopt(policy.audit, trail: tokens.audit)
        adminTokenHeld.withLock { $0 = policy.adminToken }
        credentials.adopt(security: policy.refreshSecurity.mapValues(\.context))
        shownCertificates.withLock { $0 = policy.certificates }
        tell(unresolvedNames: policy)
        explained.withLock { $0 = ExplainablePolicy(policy) }
        logWriter.adopt(configuration.accessLog)
    }
}
