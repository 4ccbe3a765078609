import Core
import Crypto
import HTTP1
import HTTP2
import IO
import Policy
import TokenService

/// One event loop and everything that belongs to it: the policy in force, pools, free exchanges, counters, and the scratch
/// values that each request fills anew. Touched only on the loop's queue; other queues pass the reference to `loop.submit`.
final class Worker: @unchecked Sendable {
    let loop: EventLoop
    let shared: SharedState
    let memory: DecisionMemory
    let metrics: LoopMetrics
    private(set) var snapshot: Snapshot
    private(set) var bounds: Bounds
    /// What HTTP/2 peers may do, as `bounds` says it.
    private(set) var http2Limits: HTTP2Bounds
    /// What connections of HTTP/2 to upstreams are made with.
    private(set) var upstreamHTTP2Limits: HTTP2Bounds
    private(set) var isDraining = false
    /// The listeners close soon: clients of traffic learn with each answer that they are to go.
    private(set) var announcesEnd = false
    let tunnels = TunnelRegister()
    /// What this loop holds for messages under way.
    var buffers: LoopBuffers
    /// Connections that are not read while memory is scarce.
    private var heldBack: [HTTP2ClientConnection] = []
    /// A route of the policy in force takes WebSockets.
    private(set) var acceptsWebSockets = false
    /// Requests parked until a key set arrives.
    var waiting = 0
    /// Requests whose action is being carried out.
    var acting = 0

    // Scratch: filled and read within one step of one request.
    var requestHead = RequestHead()
    var responseHead = ResponseHead()
    var plan = UpstreamPlan()
    var answer = LocalAnswer()
    var lines = HeaderLines()
    var requestIDs: RequestIDGenerator
    /// Stands for the trailers of messages without any.
    var noTrailers = TrailerSection()

    private var keyUsage = KeyUsageTally()
    private var accessRecord = AccessRecord()
    let accessLog: AccessLog
    private var groups: [UpstreamGroup] = []
    private var listeners: [ListenerSocket] = []
    private var clients: [ObjectIdentifier: any ClientConnection] = [:]
    /// Those of the operator's listeners among them.
    private var operators = 0
    private var freeExchanges: [Exchange] = []
    private var freeStorage = ByteBufferPool(countLimit: 512, byteLimit: 262_144, totalByteLimit: 8_388_608)
    private var date: [UInt8] = []
    private var dateSecond: Int64 = .min
    private var drained: (@Sendable () -> Void)?
    private var operatorsDrained: (@Sendable () -> Void)?

    /// While draining, how long a kept connection may still bring one more request, so that a request already on its way
    /// is answered and not reset.
    let drainIdleGrace: Nanoseconds = .milliseconds(500)

    private static let freeListLimit = 512

    init(index: Int, policy: CompiledPolicy, shared: SharedState) throws(SystemError) {
        loop = try EventLoop(label: "portcullis.loop.\(index)")
        self.shared = shared
        buffers = LoopBuffers(shared.buffers)
        snapshot = policy.snapshot
        bounds = policy.snapshot.configuration.bounds
        http2Limits = HTTP2Bounds(bounds.http2)
        upstreamHTTP2Limits = .upstream(for: bounds.http2)
        memory = DecisionMemory(
            buckets: shared.buckets, failureBudget: shared.failureBudget, directory: shared.directory, seed: shared.seed)
        metrics = LoopMetrics(
            reasons: Denial.allReasons + ExchangeFault.allCases.map(\.rawValue)
                + RequestFault.allCases.map(\.reason.description) + FramingFault.allCases.map(\.reason.description))
        requestIDs = RequestIDGenerator(seed: (SecureRandom.word(), SecureRandom.word()))
        accessLog = AccessLog(writer: shared.logWriter, isOn: false, queue: loop.queue)
        install(policy)
    }

    // MARK: Policy

    /// Puts a policy in force: requests that begin from now on are decided by it.
    func adopt(_ policy: CompiledPolicy) {
        snapshot = policy.snapshot
        bounds = policy.snapshot.configuration.bounds
        http2Limits = HTTP2Bounds(bounds.http2)
        upstreamHTTP2Limits = .upstream(for: bounds.http2)
        memory.reset(for: policy.snapshot)
        buffers.enter()
        // They hold on to the policy they last served.
        freeExchanges.removeAll()
        install(policy)
        tunnels.reviewAll(of: self)
    }

    private func install(_ policy: CompiledPolicy) {
        for listener in listeners {
            if let terms = policy.terms(of: listener.role, at: listener.configured) { listener.adopt(terms) }
        }
        accessLog.isOn = policy.snapshot.configuration.accessLog != .off
        acceptsWebSockets = policy.snapshot.routes.contains { $0.upgrade?.admits("websocket".utf8.span) ?? false }
        metrics.adopt(routes: policy.snapshot.routes.map(\.name))
        adopt(policy.upstreams)
    }

    /// Puts other addresses of the same upstreams in force; connections to servers that stay are kept.
    func adopt(_ upstreams: [CompiledPolicy.Upstream]) {
        let previous = groups
        groups = upstreams.map { upstream in
            UpstreamGroup(
                upstream, previous: previous.first { $0.name == upstream.name },
                counters: metrics.upstream(named: upstream.name))
        }
        let kept = Set(groups.flatMap(\.servers).map(ObjectIdentifier.init))
        for server in previous.flatMap(\.servers) where !kept.contains(ObjectIdentifier(server)) { server.retire() }
        metrics.keepUpstreams { name in groups.contains { $0.name == name } }
    }

    /// The pool a route leads to. A request that began under an older policy finds its upstream by name.
    @inline(__always)
    func group(of route: Route, in snapshot: Snapshot) -> UpstreamGroup? {
        if snapshot === self.snapshot { return groups[route.upstreamIndex] }
        return groups.first { $0.name == route.upstreamName }
    }

    /// Has a key set fetched and calls back on this loop, in a round of its own, when that ended either way.
    func refetch(_ cell: KeySetCell, _ completion: @escaping () -> Void) {
        metrics.totals.keySetWaits &+= 1
        let bound = LoopBound(completion, on: loop.queue)
        let loop = self.loop
        shared.keySets.refetch(cell) {
            loop.submit { loop.round { bound.value() } }
        }
    }

    // MARK: Connections

    func add(_ listener: ListenerSocket) { listeners.append(listener) }

    /// Stops accepting on some listeners; their clients finish what is under way and are told to go (GOAWAY, Connection: close).
    func closeListeners(where isGone: (ListenerSocket) -> Bool) {
        for listener in listeners where isGone(listener) { listener.close() }
        listeners.removeAll(where: isGone)
        metrics.keepRejections(ofListeners: Set(listeners.map(\.endpoint.description)))
        for client in clients.values where client.listener.isClosed { client.drain() }
    }

    func accept(_ descriptor: Int32, from peer: SocketEndpoint, on listener: ListenerSocket) {
        let isInReserve = listener.role == .traffic && descriptor >= shared.trafficDescriptorLimit
        let refusal = isInReserve ? .descriptorLimit : shared.ledger(of: listener.role).enter(peer.address, bounds: bounds)
        if let refusal {
            if listener.role == .traffic { metrics.totals.connectionsRefused &+= 1 }
            rejected(refusal, from: peer.address, on: listener)
            Sockets.closeDescriptor(descriptor)
            return
        }
        let facts = ConnectionFacts(
            peer: peer.address, peerPort: peer.port, localPort: listener.endpoint.port, isSecure: false, waited: false)
        let proxyHeader = listener.proxyExpectation(of: peer.address)
        do throws(SystemError) {
            if proxyHeader == .never, listener.tls == nil {
                let client = HTTP1ClientConnection(
                    worker: self, descriptor: descriptor, facts: facts, listener: listener)
                try client.register()
                enlist(client)
                client.start()
            } else {
                let client = ClientOpening(
                    worker: self, descriptor: descriptor, facts: facts, listener: listener, expecting: proxyHeader)
                try client.register()
                enlist(client)
                client.start()
            }
        } catch {
            rejected(.systemLimit, from: peer.address, on: listener)
            Sockets.closeDescriptor(descriptor)
            shared.ledger(of: listener.role).leave(peer.address)
        }
    }

    /// Counts a connection that ended before its first request, and tells of it now and then.
    func rejected(_ rejection: ConnectionRejection, from peer: IPAddress, on listener: ListenerSocket) {
        let address = listener.endpoint.description
        metrics.countRejected(at: address, because: rejection.reason)
        shared.log.rejected(rejection, from: peer, at: address, now: loop.now.instant)
    }

    private func enlist(_ client: any ClientConnection) {
        clients[ObjectIdentifier(client)] = client
        // Operators who look at the counters do not count themselves.
        if client.listener.role == .traffic {
            metrics.totals.connectionsAccepted &+= 1
            metrics.totals.connectionsOpen += 1
        } else {
            operators += 1
        }
    }

    /// A connection is open for HTTP; a fault is answered before anything is read.
    func proceed(from opening: ClientOpening, with version: WireProtocol = .http11, refusing fault: RequestFault? = nil) {
        switch version {
        case .http2:
            let next = HTTP2ClientConnection(
                continuing: opening, from: opening.peerAddress, facts: opening.facts, listener: opening.listener)
            replace(opening, by: next)
            next.start()
        case .http11:
            let next = HTTP1ClientConnection(continuing: opening)
            replace(opening, by: next)
            if let fault { next.refuseMalformed(fault) } else { next.start() }
        }
    }

    /// A client in clear was found to speak HTTP/2.
    func proceed(from client: HTTP1ClientConnection) {
        let next = HTTP2ClientConnection(
            continuing: client, from: client.peerAddress, facts: client.facts, listener: client.listener)
        replace(client, by: next)
        next.start()
    }

    private func replace(_ client: any ClientConnection, by next: any ClientConnection) {
        clients.removeValue(forKey: ObjectIdentifier(client))
        clients[ObjectIdentifier(next)] = next
        if next.listener.isClosed { next.drain() }
    }

    func acceptFailed(_ error: SystemError) { shared.log.acceptFailed(error) }

    func clientClosed(_ client: any ClientConnection) {
        guard clients.removeValue(forKey: ObjectIdentifier(client)) != nil else { return }
        shared.ledger(of: client.listener.role).leave(client.peerAddress)
        if client.listener.role == .traffic { metrics.totals.connectionsOpen -= 1 } else { operators -= 1 }
        if isDraining { reportIfDrained() }
        reportIfOperatorsDrained()
    }

    /// The gateway drains soon. Everything is served as before, and with each answer its client is told to go.
    func announceEnd() { announcesEnd = true }

    /// Stops accepting traffic, lets exchanges finish, closes what is idle; `completion` when no client of traffic is left. Operators
    /// are served as before.
    func drain(_ completion: @escaping @Sendable () -> Void) {
        isDraining = true
        drained = completion
        closeListeners { $0.role == .traffic }
        tunnels.drain()
        reportIfDrained()
    }

    /// Ends every connection of traffic at once; `completion` when the access records of what was cut are on their way.
    func cut(_ completion: @escaping @Sendable () -> Void) {
        drained = nil
        for client in clients.values where client.listener.role == .traffic { client.cut() }
        accessLog.flush()
        completion()
    }

    /// The process ends: answers operators for the last time; `completion` when none is left. Those that keep a connection do not matter.
    func drainOperators(_ completion: @escaping @Sendable () -> Void) {
        operatorsDrained = completion
        closeListeners { _ in true }
        reportIfOperatorsDrained()
    }

    private func reportIfOperatorsDrained() {
        guard clients.isEmpty, let operatorsDrained else { return }
        self.operatorsDrained = nil
        operatorsDrained()
    }

    private func reportIfDrained() {
        guard clients.count == operators, let drained else { return }
        self.drained = nil
        accessLog.flush()
        drained()
    }

    // MARK: Memory in flight

    /// Memory has become scarce, or has stopped being so.
    func followBuffers() {
        buffers.enter()
        guard !buffers.isFull else { return }
        let waiting = heldBack
        heldBack = []
        for connection in waiting { connection.readAgain() }
    }

    /// Has a connection read again when memory has stopped being scarce. Called once for each time it is held back.
    func holdBack(_ connection: HTTP2ClientConnection) { heldBack.append(connection) }

    // MARK: What exchanges borrow

    @inline(__always)
    func takeExchange() -> Exchange { freeExchanges.popLast() ?? Exchange(worker: self) }

    @inline(__always)
    func giveBack(_ exchange: Exchange) {
        if freeExchanges.count < Self.freeListLimit, exchange.serves(snapshot) { freeExchanges.append(exchange) }
    }

    /// Gives an empty queue storage to write into.
    @inline(__always)
    func borrow(_ queue: inout ByteQueue) {
        // Where memory is scarce a queue grows with what is put into it: what the pool has may be many times as large.
        guard !buffers.isFull else { return }
        freeStorage.lend(to: &queue.bytes)
    }

    /// Takes a queue's storage back, so that what is idle holds none.
    @inline(__always)
    func recycle(_ queue: inout ByteQueue) {
        queue.removeAll()
        freeStorage.takeBack(&queue.bytes)
    }

    // MARK: Messages

    /// The request `plan` describes.
    func writeRequest(_ head: inout RequestHead, server: UpstreamServer, to out: inout ByteBuffer) {
        MessageText.append(requestTo: &out, head: &head, plan: plan, serverHost: server.hostField)
    }

    /// Opens a stream with the request `plan` describes; nil when none can be opened.
    func submitRequest(
        _ head: inout RequestHead, server: UpstreamServer, to session: HTTP2ClientSession, isWebSocket: Bool
    ) -> HTTP2Stream? {
        MessageText.submit(to: session, head: &head, plan: plan, server: server, isWebSocket: isWebSocket)
    }

    /// The head of the upstream's answer in `responseHead`, with `lines`.
    func writeResponse(framing: ResponseFraming, version: HTTPVersion, closes: Bool, to out: inout ByteBuffer) {
        refreshDate()
        MessageText.append(
            responseTo: &out, head: &responseHead, framing: framing, version: version, lines: lines, closes: closes,
            date: &date)
    }

    /// The gateway's own answer in `answer`.
    func writeAnswer(for head: inout RequestHead, closes: Bool, to out: inout ByteBuffer) {
        refreshDate()
        MessageText.append(answerTo: &out, answer, for: &head, closes: closes, date: &date)
    }

    /// The current second as an IMF-fixdate.
    func currentDate() -> [UInt8] {
        refreshDate()
        return date
    }

    /// Keeps `date` at the current second.
    private func refreshDate() {
        let second = loop.now.wall.seconds
        guard second != dateSecond else { return }
        dateSecond = second
        date.removeAll(keepingCapacity: true)
        date.append(httpDate: loop.now.wall)
    }

    // MARK: Records

    /// Tells the registry which stored keys were used.
    func tellKeyUsage() {
        let used = keyUsage.take()
        if !used.isEmpty { shared.tokens.registry?.record(used) }
    }

    /// The loop's counters, with those that its parts keep for themselves.
    func countedSoFar() -> MetricsSnapshot {
        metrics.totals.tokenCacheHits = memory.tokens.hits
        metrics.totals.tokenCacheMisses = memory.tokens.misses
        metrics.totals.refusedTokenCacheHits = memory.tokens.refusedHits
        metrics.totals.accessRecords = accessLog.appended
        metrics.totals.accessRecordsDropped = accessLog.dropped
        return metrics.snapshot()
    }

    /// The counters together with what takes a look at everything the loop remembers.
    func observed() -> MetricsSnapshot {
        var snapshot = countedSoFar()
        snapshot.servers = groups.flatMap { $0.servers.map(\.state) }
        snapshot.scarceBuckets = memory.scarceBuckets(now: loop.now.instant)
        return snapshot
    }

    /// Counts a finished exchange and writes its access record.
    func record(_ exchange: Exchange) {
        let outcome = exchange.outcome
        let counted = exchange.counted(outcome)
        if let refusal = exchange.refusal { metrics.credentials.count(refusal) }
        if let grant = exchange.grant, !grant.shadowRefusals.isEmpty { metrics.shadow.count(grant) }
        if let grant = exchange.grant, snapshot.usesDirectory {
            keyUsage.count(grant.identity, now: loop.now.wall)
            for other in grant.others { keyUsage.count(other, now: loop.now.wall) }
        }
        if let route = exchange.route {
            metrics.count(counted, route: route.index, named: route.name)
        } else {
            metrics.countUnrouted(counted)
        }
        guard accessLog.isOn else { return }
        accessRecord.removeAll()
        exchange.fill(&accessRecord, outcome: outcome)
        accessLog.append(accessRecord, head: exchange.head)
    }
}
