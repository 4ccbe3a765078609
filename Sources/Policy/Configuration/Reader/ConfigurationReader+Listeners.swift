import Core

/// Where clients and operators connect.
extension ConfigurationReader {
    mutating func readListeners(_ node: LocatedNode?) {
        for element in filledList(node, of: "listeners") ?? [] {
            guard let members = object(element, .listener) else { continue }
            let proxyProtocol = proxyProtocol(members["proxy_protocol"])
            let tls = listenerTLS(members["tls"])
            let protocols = wireProtocols(members["protocols"])
            let redirect = redirect(members["redirect_to_https"])
            if redirect != nil, members["tls"] != nil, let place = members["redirect_to_https"] {
                report(
                    .membersExclusive, at: place,
                    "a listener with \"tls\" serves https itself; redirect from a listener in clear")
            }
            guard let addressNode = members["address"], let address = endpoint(addressNode) else { continue }
            // Port 0 stands for a free port, a new one for each listener.
            if address.port != 0, configuration.listeners.contains(where: { $0.address == address }) {
                report(.endpointDuplicate, at: addressNode, "another listener has the address \(address) already")
            }
            var listener = ListenerConfiguration(
                address: address, proxyProtocol: proxyProtocol, position: element.position)
            listener.tls = tls
            listener.protocols = protocols ?? listener.protocols
            listener.redirect = redirect
            // A socket finds its terms by the address: those of one listener in clear must not hold for another with TLS.
            if address.port == 0, configuration.listeners.contains(where: { $0.address == address && !$0.isAlike(listener) }) {
                report(
                    .endpointDuplicate, at: addressNode,
                    "another listener has the address \(address) with other terms; give one of them a port, or another address")
            }
            configuration.listeners.append(listener)
        }
    }

    private mutating func proxyProtocol(_ node: LocatedNode?) -> ProxyProtocolConfiguration? {
        guard let members = object(node, .proxyProtocol) else { return nil }
        let required = boolean(members["required"]) ?? true
        return ProxyProtocolConfiguration(from: filledBlocks(members["from"]), required: required)
    }

    /// Versions of HTTP, HTTP/2 first: whoever can speak it does.
    mutating func wireProtocols(_ node: LocatedNode?) -> [WireProtocol]? {
        guard let elements = filledList(node, of: "protocols") else { return nil }
        var found: Set<WireProtocol> = []
        for element in elements {
            guard let version = choice(element, of: WireProtocol.self) else { continue }
            if !found.insert(version).inserted {
                report(.valueDuplicate, at: element, "\(quoted(version.rawValue)) stands in the list twice")
            }
        }
        return WireProtocol.allCases.filter(found.contains)
    }

    /// `true`, a port, or a host with or without a port. `false` is no redirect.
    private mutating func redirect(_ node: LocatedNode?) -> HTTPSRedirect? {
        guard let node else { return nil }
        switch node.value {
        case .bool(let isOn): return isOn ? HTTPSRedirect(host: nil, port: 443) : nil
        case .number:
            return integer(node, in: 1...65_535).map { HTTPSRedirect(host: nil, port: UInt16(truncatingIfNeeded: $0)) }
        case .string(let text):
            let lowered = text.lowercasedASCII
            guard let (host, port) = Self.hostAndPort(Substring(lowered)), port != 0 else { break }
            return HTTPSRedirect(host: host.contains(":") ? "[\(host)]" : host, port: port ?? 443)
        case .null, .array, .object: break
        }
        report(
            .hostInvalid, at: node,
            "expected true, a port, or a host such as \"www.example.com\" or \"www.example.com:8443\"")
        return nil
    }

    mutating func readAdmin(_ node: LocatedNode?) {
        guard let node, let members = object(node, .admin) else { return }
        let (hosts, tls) = (adminHosts(members["hosts"]), listenerTLS(members["tls"]))
        let token = locatedSecret(members["token"])
        let probes = probes(members["probes"])
        let readyWhen = choice(members["ready_when"], of: ReadyWhen.self)
        guard let addressNode = members["address"], let address = endpoint(addressNode) else { return }
        checkFree(address, at: addressNode)
        if let probes, address.port != 0, probes.address == address, let place = members["probes"] {
            report(.endpointDuplicate, at: place, "the admin listener has the address \(address) already")
        }
        var admin = AdminConfiguration(address: address, token: token, position: node.position)
        admin.hosts = hosts
        admin.tls = tls
        admin.probes = probes
        admin.readyWhen = readyWhen ?? admin.readyWhen
        configuration.admin = admin
    }

    private mutating func probes(_ node: LocatedNode?) -> ProbesConfiguration? {
        guard let members = object(node, .probes) else { return nil }
        let showsMetrics = boolean(members["metrics"]) ?? false
        guard let addressNode = members["address"], let address = endpoint(addressNode) else { return nil }
        checkFree(address, at: addressNode)
        var probes = ProbesConfiguration(address: address)
        probes.showsMetrics = showsMetrics
        return probes
    }

    /// Names as `match.hosts` has them, without wildcards: each is a name that a browser may be led to.
    private mutating func adminHosts(_ node: LocatedNode?) -> [String] {
        guard let node, filledList(node, of: "hosts") != nil else { return [] }
        var hosts: [String] = []
        for host in strings(node, of: "hosts") {
            guard let name = hostPattern(host) else { continue }
            if name.hasPrefix("*.") {
                report(.hostInvalid, at: host.position, path: host.path, "list each name of the admin listener by itself")
            } else if hosts.contains(name) {
                report(.valueDuplicate, at: host.position, path: host.path, "\(quoted(host.value)) stands in the list twice")
            } else {
                hosts.append(name)
            }
        }
        return hosts
    }

    private mutating func checkFree(_ address: SocketEndpoint, at node: LocatedNode) {
        if address.port != 0, configuration.listeners.contains(where: { $0.address == address }) {
            report(.endpointDuplicate, at: node, "a listener has the address \(address) already")
        }
    }
}
