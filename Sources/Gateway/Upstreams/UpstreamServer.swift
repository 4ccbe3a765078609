import Core
import IO
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
    /// This server's bit in the set of servers an exchange has tried.
    fileprivate(set) var bit: UInt64 = 0
    fileprivate(set) var timeouts: Timeouts
    fileprivate(set) var idleLimit: Int
    fileprivate(set) var openLimit: Int
    let counters: UpstreamCounters
    /// Requests under way.
    var active = 0
    /// Connections, busy and idle.
    var open = 0
    private var idle: [HTTP1UpstreamConnection] = []
    /// No route leads here any more: connections go when their exchange is over.
    private var isRetired = false

    init(
        endpoint: SocketEndpoint, hostField: [UInt8], configuration: UpstreamConfiguration, counters: UpstreamCounters
    ) {
        self.counters = counters
        self.endpoint = endpoint
        self.hostField = hostField
        name = String(decoding: hostField, as: UTF8.self)
        timeouts = Timeouts(configuration)
        idleLimit = configuration.idleConnectionLimit
        openLimit = configuration.connectionLimit
    }

    fileprivate func configure(_ configuration: UpstreamConfiguration, index: Int) {
        bit = 1 << UInt64(index & 63)
        timeouts = Timeouts(configuration)
        idleLimit = configuration.idleConnectionLimit
        openLimit = configuration.connectionLimit
        isRetired = false
    }

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

    /// Closes what is idle and keeps nothing from now on.
    func retire() {
        isRetired = true
        while let connection = idle.last { connection.close() }
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

/// A named upstream as one loop sees it: its servers, and the choice between them.
final class UpstreamGroup {
    let name: String
    private(set) var servers: [UpstreamServer]
    let counters: UpstreamCounters
    private var rotation = 0

    /// Servers that stand in `previous` with the same address keep their connections.
    init(_ upstream: CompiledPolicy.Upstream, previous: UpstreamGroup?, counters: UpstreamCounters) {
        name = upstream.name
        self.counters = counters
        let configuration = upstream.configuration
        servers = []
        for (index, entry) in upstream.servers.enumerated() {
            let kept = previous?.servers.first {
                $0.endpoint == entry.endpoint && $0.hostField == entry.hostField
            }
            let server =
                kept
                ?? UpstreamServer(
                    endpoint: entry.endpoint, hostField: entry.hostField, configuration: configuration,
                    counters: counters)
            server.configure(configuration, index: index)
            servers.append(server)
        }
    }

    /// A connection to the server with the fewest requests under way that is not `excluded` (a set of server bits): a kept
    /// one, or a new one on its way. Nil when no server can be tried.
    func connection(excluding excluded: UInt64, worker: Worker) -> HTTP1UpstreamConnection? {
        var excluded = excluded
        while let server = leastBusy(excluding: excluded) {
            if let kept = server.takeIdle() {
                counters.values.reused &+= 1
                return kept
            }
            if server.open < server.openLimit {
                do throws(SystemError) {
                    let fresh = try HTTP1UpstreamConnection(worker: worker, server: server)
                    server.open &+= 1
                    counters.values.opened &+= 1
                    counters.values.open += 1
                    return fresh
                } catch {
                    counters.values.failed &+= 1
                }
            }
            excluded |= server.bit
        }
        return nil
    }

    /// Ties go round.
    private func leastBusy(excluding excluded: UInt64) -> UpstreamServer? {
        if servers.count == 1 { return servers[0].bit & excluded == 0 ? servers[0] : nil }
        rotation &+= 1
        var best: UpstreamServer?
        for offset in 0..<servers.count {
            let server = servers[(rotation &+ offset) % servers.count]
            guard server.bit & excluded == 0 else { continue }
            if let current = best, current.active <= server.active { continue }
            best = server
        }
        return best
    }
}
