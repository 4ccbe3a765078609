import Core
import IO
import Policy

/// A named upstream as one loop sees it: its servers, and the choice between them.
final class UpstreamGroup {
    let name: String
    private(set) var servers: [UpstreamServer]
    let counters: UpstreamCounters
    private var rotation = 0

    /// Servers that stand in `previous` with the same address and security keep their connections.
    init(_ upstream: CompiledPolicy.Upstream, previous: UpstreamGroup?, counters: UpstreamCounters) {
        name = upstream.name
        self.counters = counters
        let configuration = upstream.configuration
        servers = []
        for (index, entry) in upstream.servers.enumerated() {
            let kept = previous?.servers.first { $0.isConnected(like: entry, of: upstream) }
            let server = kept ?? UpstreamServer(entry, of: upstream, counters: counters)
            server.configure(configuration, index: index)
            servers.append(server)
        }
    }

    /// A connection to the server with the fewest requests under way that is not `excluded` (a set of server bits), or a
    /// stream of one: of a kept one, or of a new one on its way. Nil when no server can be tried. `forTunnel` asks for HTTP/1.1
    /// wherever it is spoken; servers that speak HTTP/2 alone are passed over unless the tunnel's is a WebSocket.
    func connection(
        excluding excluded: UInt64, worker: Worker, forTunnel offer: UpgradeOffer? = nil
    ) -> (any UpstreamStream)? {
        var excluded = excluded
        while let server = leastBusy(excluding: excluded) {
            if server.speaksHTTP1 || offer != nil && server.protocols.contains(.http11) {
                if let own = http1Connection(to: server, worker) { return own }
            } else if let offer, !offer.isWebSocket {
                // No other protocol is tunnelled over HTTP/2.
            } else if let shared = server.openShared() {
                counters.values.reused &+= 1
                return HTTP2UpstreamStream(shared)
            } else if let fresh = open(to: server, { () throws(SystemError) in
                try HTTP2UpstreamConnection(worker: worker, server: server)
            }) {
                server.share(fresh)
                return HTTP2UpstreamStream(fresh)
            }
            excluded |= server.bit
        }
        return nil
    }

    private func http1Connection(to server: UpstreamServer, _ worker: Worker) -> HTTP1UpstreamConnection? {
        if let kept = server.takeIdle() {
            counters.values.reused &+= 1
            return kept
        }
        return open(to: server) { () throws(SystemError) in try HTTP1UpstreamConnection(worker: worker, server: server) }
    }

    /// Counts a connection that `connect` begins to make; nil when there are too many or it fails at once.
    private func open<Connection>(
        to server: UpstreamServer, _ connect: () throws(SystemError) -> Connection
    ) -> Connection? {
        guard server.open < server.openLimit else { return nil }
        do throws(SystemError) {
            let fresh = try connect()
            server.open &+= 1
            counters.values.opened &+= 1
            counters.values.open += 1
            return fresh
        } catch {
            server.noteFailed(at: EventLoop.readClocks().wall)
            return nil
        }
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

extension UpstreamGroup? {
    /// Why no server can be tried.
    var nothingToTry: Denial { self?.servers.isEmpty ?? false ? .upstreamUnresolved : .noServerAvailable }
}
