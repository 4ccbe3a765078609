import Core

extension ConfigurationReader {
    mutating func readUpstreams(_ node: LocatedNode?) {
        let entries = map(node, of: "upstreams by name")
        if let node, entries.isEmpty, case .object = node.value {
            report(.valueEmpty, at: node, "there is no upstream; a gateway needs at least one")
        }
        for entry in entries {
            guard checkName(entry.name, at: entry.namePosition, path: entry.node.path),
                let members = object(entry.node, .upstream)
            else { continue }
            configuration.upstreams[entry.name] = upstream(members)
        }
    }

    private mutating func upstream(_ members: ObjectMembers) -> UpstreamConfiguration {
        let (servers, scheme) = servers(members["servers"])
        var upstream = UpstreamConfiguration(servers: servers, position: members.position)
        upstream.connectTimeout = duration(members["connect_timeout"], in: Self.timeouts) ?? upstream.connectTimeout
        upstream.responseTimeout = duration(members["response_timeout"], in: Self.timeouts) ?? upstream.responseTimeout
        upstream.bodyTimeout = duration(members["body_timeout"], in: Self.timeouts) ?? upstream.bodyTimeout
        upstream.idleTimeout = duration(members["idle_timeout"], in: Self.timeouts) ?? upstream.idleTimeout
        upstream.keepAlivePing = duration(members["keep_alive_ping"], in: .seconds(1)...(.seconds(3600)))
        upstream.isLenient = boolean(members["lenient"]) ?? false
        upstream.idleConnectionLimit =
            integer(members["idle_connections"], in: 0...100_000) ?? upstream.idleConnectionLimit
        upstream.connectionLimit = integer(members["connections"], in: 1...1_000_000) ?? upstream.connectionLimit
        upstream.retryByteLimit = size(members["retry_buffer"], in: 0...1_048_576) ?? upstream.retryByteLimit
        upstream.host = hostPolicy(members["host"]) ?? upstream.host
        let protocols = wireProtocols(members["protocols"])
        let tls = members["tls"].map { upstreamTLS($0) }
        if let scheme { settle(scheme, protocols, tls, of: &upstream, members) }
        return upstream
    }

    /// Fits the members that only some schemes have to the scheme of the servers.
    private mutating func settle(
        _ scheme: UpstreamConfiguration.Scheme, _ protocols: [WireProtocol]?, _ tls: UpstreamTLSConfiguration?,
        of upstream: inout UpstreamConfiguration, _ members: ObjectMembers
    ) {
        upstream.scheme = scheme
        switch scheme {
        case .http: upstream.protocols = [.http11]
        case .https: upstream.protocols = protocols ?? WireProtocol.allCases
        case .h2c, .h2: upstream.protocols = [.http2]
        }
        if scheme.isSecure { upstream.tls = tls ?? UpstreamTLSConfiguration() }
        if let place = members["tls"], !scheme.isSecure {
            report(.membersExclusive, at: place, "the servers are spoken with in clear; write \"https://\" or \"h2://\"")
        }
        if let place = members["protocols"], scheme != .https {
            report(
                .membersExclusive, at: place,
                "\"\(scheme.rawValue)://\" names the protocol; it is chosen with servers of \"https://\" only")
        }
        if let place = members["lenient"], !upstream.protocols.contains(.http11) {
            report(.membersExclusive, at: place, "answers over HTTP/2 have no lines to be lenient about; HTTP/1.1 is not spoken here")
        }
        if let place = members["keep_alive_ping"], !upstream.protocols.contains(.http2) {
            report(.membersExclusive, at: place, "connections of HTTP/1.1 have no PING; HTTP/2 is not spoken here")
        }
    }

    /// The servers and their one scheme; the scheme is nil when there is no valid server.
    private mutating func servers(
        _ node: LocatedNode?
    ) -> (servers: [Located<UpstreamConfiguration.Server>], scheme: UpstreamConfiguration.Scheme?) {
        var servers: [Located<UpstreamConfiguration.Server>] = []
        var common: UpstreamConfiguration.Scheme?
        for element in filledList(node, of: "servers") ?? [] {
            guard let (scheme, server) = server(element) else { continue }
            if let common, scheme != common {
                report(
                    .serverInvalid, at: element,
                    "the servers of an upstream are all spoken with in one way; those before this one are "
                        + "\"\(common.rawValue)://\"")
            } else if servers.contains(where: { $0.value == server.value }) {
                report(.valueDuplicate, at: element, "the server stands in the list twice")
            } else {
                common = scheme
                servers.append(server)
            }
        }
        return (servers, common)
    }

    private mutating func hostPolicy(_ node: LocatedNode?) -> UpstreamConfiguration.HostPolicy? {
        guard let node, let text = string(node, expected: "\"keep\", \"server\" or a host") else { return nil }
        switch text.value {
        case "keep": return .keep
        case "server": return .server
        default:
            guard Authority.isValidAuthority(text.value.utf8.span) else {
                report(
                    .hostInvalid, at: node,
                    "expected \"keep\", \"server\" or a host such as \"api.internal\", found \(quoted(text.value))")
                return nil
            }
            return .literal(text.value)
        }
    }
}
