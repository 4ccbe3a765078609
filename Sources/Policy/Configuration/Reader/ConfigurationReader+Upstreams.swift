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
        var upstream = UpstreamConfiguration(servers: servers(members["servers"]), position: members.position)
        upstream.connectTimeout = duration(members["connect_timeout"], in: Self.timeouts) ?? upstream.connectTimeout
        upstream.responseTimeout = duration(members["response_timeout"], in: Self.timeouts) ?? upstream.responseTimeout
        upstream.bodyTimeout = duration(members["body_timeout"], in: Self.timeouts) ?? upstream.bodyTimeout
        upstream.idleTimeout = duration(members["idle_timeout"], in: Self.timeouts) ?? upstream.idleTimeout
        upstream.idleConnectionLimit =
            integer(members["idle_connections"], in: 0...100_000) ?? upstream.idleConnectionLimit
        upstream.connectionLimit = integer(members["connections"], in: 1...1_000_000) ?? upstream.connectionLimit
        upstream.host = hostPolicy(members["host"]) ?? upstream.host
        return upstream
    }

    private mutating func servers(_ node: LocatedNode?) -> [Located<UpstreamConfiguration.Server>] {
        var servers: [Located<UpstreamConfiguration.Server>] = []
        for element in filledList(node, of: "servers") ?? [] {
            guard let server = server(element) else { continue }
            if servers.contains(where: { $0.value == server.value }) {
                report(.valueDuplicate, at: element, "the server stands in the list twice")
            } else {
                servers.append(server)
            }
        }
        return servers
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
