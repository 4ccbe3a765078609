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
        guard let node, let members = object(node, .admin), let addressNode = members["address"],
            let address = endpoint(addressNode)
        else { return }
        if address.port != 0, configuration.listeners.contains(where: { $0.address == address }) {
            report(.endpointDuplicate, at: addressNode, "a listener has the address \(address) already")
        }
        configuration.admin = AdminConfiguration(
            address: address, token: locatedSecret(members["token"]), position: node.position)
    }
}
