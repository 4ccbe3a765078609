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
