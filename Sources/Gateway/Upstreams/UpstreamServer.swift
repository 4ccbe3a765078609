import Core
import Crypto
import Policy

/// One server of an upstream as one loop sees it: its address, its idle connections (last in, first out, so that few stay
/// warm and the rest age out), and how many requests it carries.
final class UpstreamServer {
    struct Timeouts: Equatable {
        var connect: Nanoseconds
        var response: Nanoseconds
        var body: Nanoseconds
        var idle: Nanoseconds
    }

    let endpoint: SocketEndpoint
    /// `host:port` as configured: the Host field where the upstream asks for its own.
    let hostField: [UInt8]
    /// The same as text, for the access log.
    let name: String
    /// Nil in clear.
    let security: UpstreamSecurity?
    /// The versions of HTTP that may be spoken; ALPN chooses where there are two.
    let protocols: [WireProtocol]
    /// HTTP/1.1 is spoken because nothing else may be, or because ALPN chose it once.
    private(set) var speaksHTTP1: Bool
    /// This server's bit in the set of servers an exchange has tried.
    private(set) var bit: UInt64 = 0
    private(set) var timeouts: Timeouts
    private(set) var idleLimit: Int
    private(set) var openLimit: Int
    /// Time between PING frames on connections of HTTP/2; nil for none.
    private(set) var keepAlivePing: Nanoseconds?
    /// Answers over HTTP/1.1 may be written as old servers do (`LenientSection`).
    private(set) var isLenient: Bool
    /// Content of a request kept so that it can be sent again, in bytes.
    private(set) var retryByteLimit: Int
    let counters: UpstreamCounters
    /// Requests under way.
    var active = 0
    /// Connections, busy and idle.
    var open = 0
    /// About how long its longer answers are of late, up to `FixedBounds.longAnswerWindowBytes`: over HTTP/2 such an answer gets a
    /// window for all of it together with the request.
    private(set) var usualAnswerBytes = 0
    private var idle: [HTTP1UpstreamConnection] = []
    /// Connections of HTTP/2, also those that are being made and may turn out to be none.
    private var shared: [HTTP2UpstreamConnection] = []
    /// No route leads here any more: connections go when their exchange is over.
    private(set) var isRetired = false
    private var handshakeComplainedAt: Instant?
    /// Connections that could not be made, or died.
    private var failures: UInt64 = 0
    private var lastFailedAt: WallTime?
    /// The last attempt to connect failed.
    private var isFailing = false

    /// At most one line about failed handshakes with a server in this span.
    private static let complaintInterval: Nanoseconds = .seconds(10)

    init(
        _ entry: CompiledPolicy.Server, of upstream: CompiledPolicy.Upstream, counters: UpstreamCounters
    ) {
        let configuration = upstream.configuration
        self.counters = counters
        endpoint = entry.endpoint
        hostField = entry.hostField
        name = String(decoding: hostField, as: UTF8.self)
        security = UpstreamSecurity(upstream.security, name: entry.tlsName)
        protocols = configuration.protocols
        speaksHTTP1 = configuration.protocols == [.http11]
        keepAlivePing = configuration.keepAlivePing
        isLenient = configuration.isLenient
        retryByteLimit = configuration.retryByteLimit
        timeouts = Timeouts(configuration)
        idleLimit = configuration.idleConnectionLimit
        openLimit = configuration.connectionLimit
    }

    /// Connections to `entry` would be made as those of this server are, so that they may stay.
    func isConnected(like entry: CompiledPolicy.Server, of upstream: CompiledPolicy.Upstream) -> Bool {
        guard endpoint == entry.endpoint, hostField == entry.hostField, protocols == upstream.configuration.protocols
        else { return false }
        let next = UpstreamSecurity(upstream.security, name: entry.tlsName)
        guard let security, let next else { return self.security == nil && next == nil }
        return security.isSame(as: next)
    }

    func configure(_ configuration: UpstreamConfiguration, index: Int) {
        bit = 1 << UInt64(index & 63)
        timeouts = Timeouts(configuration)
        idleLimit = configuration.idleConnectionLimit
        openLimit = configuration.connectionLimit
        keepAlivePing = configuration.keepAlivePing
        isLenient = configuration.isLenient
        retryByteLimit = configuration.retryByteLimit
        isRetired = false
    }

    // MARK: HTTP/2

    /// An answer is whole. Short ones let the long ones be forgotten slowly.
    func noteAnswer(of count: Int) {
        usualAnswerBytes = max(min(count, FixedBounds.longAnswerWindowBytes), usualAnswerBytes &- usualAnswerBytes &>> 3)
    }

    /// A connection that takes another stream, or nil. The first that does, so that few are busy and the rest age out.
    func openShared() -> HTTP2UpstreamConnection? { shared.first { $0.takesStreams } }

    func share(_ connection: HTTP2UpstreamConnection) { shared.append(connection) }

    func forget(_ connection: HTTP2UpstreamConnection) {
        if let index = shared.firstIndex(where: { $0 === connection }) { shared.remove(at: index) }
    }

    /// ALPN chose HTTP/1.1, and is not asked again as long as the server is reached in the same way.
    func noteHTTP1() { speaksHTTP1 = true }

    // MARK: HTTP/1

    /// A kept connection, or nil.
    func takeIdle() -> HTTP1UpstreamConnection? { idle.popLast() }

    /// Takes a connection into the pool; false when it must be closed instead.
    func keep(_ connection: HTTP1UpstreamConnection) -> Bool {
        guard !isRetired, idle.count < idleLimit else { return false }
        idle.append(connection)
        return true
    }

    /// An idle connection closed. The oldest goes first, so the search is short.
    func forget(_ connection: HTTP1UpstreamConnection) {
        if let index = idle.firstIndex(where: { $0 === connection }) { idle.remove(at: index) }
    }

    /// A connection could not be made, or died.
    func noteFailed(at now: WallTime) {
        counters.values.failed &+= 1
        failures &+= 1
        lastFailedAt = now
        isFailing = true
    }

    func noteConnected() { isFailing = false }

    /// How it goes, for operators.
    var state: ServerState {
        ServerState(
            upstream: counters.name, server: name, endpoint: endpoint, active: active, open: open, failures: failures,
            lastFailedAt: lastFailedAt, isFailing: isFailing)
    }

    /// A handshake with the server failed: counts it, and says why now and then.
    func noteHandshakeFailed(_ fault: TLSFault, at now: ClockReading, log: OperatorLog) {
        noteFailed(at: now.wall)
        if let last = handshakeComplainedAt, now.instant < last.advanced(by: Self.complaintInterval) { return }
        handshakeComplainedAt = now.instant
        log.warning("upstream \(counters.name): no secure connection to \(OneLine.plain(name)): \(fault)")
    }

    /// Closes what is idle and keeps nothing from now on.
    func retire() {
        isRetired = true
        while let connection = idle.last { connection.close() }
        // They close, and so leave the list.
        for connection in shared { connection.closeIfUnused() }
    }
}

extension UpstreamServer.Timeouts {
    init(_ configuration: UpstreamConfiguration) {
        connect = configuration.connectTimeout
        response = configuration.responseTimeout
        body = configuration.bodyTimeout
        idle = configuration.idleTimeout
    }
}
