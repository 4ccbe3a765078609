package import Core
import Crypto
package import Policy

/// Finds the addresses of an upstream's servers: when a policy is loaded, and again now and then while it is in force, since
/// the address behind a name may change. Blocks, so never on a loop's queue.
package struct UpstreamResolution: Sendable {
    package typealias Resolver = @Sendable (_ host: String, _ port: UInt16) throws(NameResolution.Failure) -> [SocketEndpoint]

    /// A server whose name could not be resolved.
    struct Failure {
        var server: Located<UpstreamConfiguration.Server>
        var message: String
        /// Addresses it had before, which stay.
        var kept: [CompiledPolicy.Server]
    }

    let resolver: Resolver

    package init(resolver: @escaping Resolver = { host, port throws(NameResolution.Failure) in
        try NameResolution.endpoints(of: host, port: port)
    }) {
        self.resolver = resolver
    }

    /// The addresses of an upstream's servers in the order of the file. A resolver that is down for a moment does not undo
    /// addresses that are `known`.
    func servers(
        of configuration: UpstreamConfiguration, known: [CompiledPolicy.Server], failed: (Failure) -> Void
    ) -> [CompiledPolicy.Server] {
        var servers: [CompiledPolicy.Server] = []
        for server in configuration.servers {
            let (host, port) = (server.value.host, server.value.port)
            let hostField = Array("\(host.contains(":") ? "[\(host)]" : host):\(port)".utf8)
            let name = configuration.tls.map { TLSServerName($0.serverName ?? host) }
            var found: [CompiledPolicy.Server]
            do throws(NameResolution.Failure) {
                found = try resolver(host, port).map {
                    CompiledPolicy.Server(endpoint: $0, hostField: hostField, tlsName: name)
                }
            } catch {
                found = known.filter { $0.hostField == hostField }
                for index in found.indices { found[index].tlsName = name }
                failed(Failure(server: server, message: error.message, kept: found))
            }
            servers += found.filter { !servers.contains($0) }
        }
        return servers
    }

    /// The upstreams of a policy with the addresses their names have now; nil when none has changed. A name that cannot be
    /// resolved keeps its addresses.
    package func renewed(_ upstreams: [CompiledPolicy.Upstream]) -> [CompiledPolicy.Upstream]? {
        var renewed = upstreams
        for index in renewed.indices where Self.hasNames(renewed[index].configuration) {
            let now = servers(of: renewed[index].configuration, known: renewed[index].servers) { _ in }
            // Resolvers turn the order round; only another set of addresses is news.
            if Set(now) != Set(renewed[index].servers), !now.isEmpty { renewed[index].servers = now }
        }
        return zip(renewed, upstreams).contains { $0.servers != $1.servers } ? renewed : nil
    }

    /// One of the servers is a name and not an address.
    package static func hasNames(_ configuration: UpstreamConfiguration) -> Bool {
        configuration.servers.contains { IPAddress($0.value.host) == nil }
    }
}
