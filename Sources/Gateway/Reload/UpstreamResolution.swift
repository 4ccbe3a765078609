import Core
import Crypto
package import Policy

/// From names to the servers of upstreams: which names a policy has, and which servers follow from what is known of them.
package enum UpstreamResolution {
    /// A server whose name has no addresses.
    package struct Unresolved: Sendable {
        package var upstream: String
        package var server: Located<UpstreamConfiguration.Server>
        package var message: String
    }

    /// The names among the servers of upstreams, each once and sorted. Addresses are not among them.
    static func names(in upstreams: some Sequence<UpstreamConfiguration>) -> [String] {
        var names: Set<String> = []
        for upstream in upstreams {
            for server in upstream.servers where IPAddress(server.value.host) == nil { names.insert(server.value.host) }
        }
        return names.sorted()
    }

    /// The addresses of an upstream's servers in the order of the file, each once. A server whose name has none is left out.
    static func servers(of configuration: UpstreamConfiguration, answers: [String: NameAnswer]) -> [CompiledPolicy.Server] {
        var servers: [CompiledPolicy.Server] = []
        var known: Set<CompiledPolicy.Server> = []
        for server in configuration.servers {
            let (host, port) = (server.value.host, server.value.port)
            let hostField = Array("\(host.contains(":") ? "[\(host)]" : host):\(port)".utf8)
            let name = configuration.tls.map { TLSServerName($0.serverName ?? host) }
            let addresses = IPAddress(host).map { [$0] } ?? answers[host]?.addresses ?? []
            for address in addresses {
                let found = CompiledPolicy.Server(
                    endpoint: SocketEndpoint(address: address, port: port), hostField: hostField, tlsName: name)
                if known.insert(found).inserted { servers.append(found) }
            }
        }
        return servers
    }

    /// The upstreams with the servers that follow from `answers`.
    static func resolved(
        _ upstreams: [CompiledPolicy.Upstream], answers: [String: NameAnswer]
    ) -> [CompiledPolicy.Upstream] {
        upstreams.map { upstream in
            var upstream = upstream
            upstream.servers = servers(of: upstream.configuration, answers: answers)
            return upstream
        }
    }

    /// Every server whose name has no addresses, in the order of the upstreams.
    static func unresolved(in upstreams: [CompiledPolicy.Upstream], answers: [String: NameAnswer]) -> [Unresolved] {
        upstreams.flatMap { upstream in
            upstream.configuration.servers.compactMap { server in
                guard IPAddress(server.value.host) == nil, let answer = answers[server.value.host], answer.addresses.isEmpty
                else { return nil }
                return Unresolved(upstream: upstream.name, server: server, message: answer.failure ?? "not resolved yet")
            }
        }
    }
}
