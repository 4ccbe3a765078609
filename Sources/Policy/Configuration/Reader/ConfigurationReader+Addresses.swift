import Core

/// Addresses, hosts, servers and URLs.
extension ConfigurationReader {
    mutating func endpoint(_ node: LocatedNode?) -> SocketEndpoint? {
        if let node, case .number(let number) = node.value {
            report(
                .typeWrong, at: node, "expected an address and a port in quotation marks, found \(number.text.prefix(40)); "
                    + Self.endpointHint(String(number.text.prefix(40))))
            return nil
        }
        guard let node, let text = string(node, expected: "an address such as \"127.0.0.1:8080\"") else { return nil }
        guard let endpoint = SocketEndpoint(text.value) else {
            report(
                .endpointInvalid, at: node,
                "\(quoted(text.value)) is not an address and port; \(Self.endpointHint(text.value))"
            )
            return nil
        }
        return endpoint
    }

    /// What an address would be of which the author wrote a part.
    private static func endpointHint(_ text: String) -> String {
        let port = text.hasPrefix(":") || text.hasPrefix("*:") ? String(text.drop { $0 != ":" }.dropFirst()) : text
        if let number = Int(port), 1...65_535 ~= number, port == String(number) {
            return "write \"127.0.0.1:\(number)\" for this machine alone, or \"0.0.0.0:\(number)\" for every address"
        }
        if text.lowercasedASCII.hasPrefix("localhost:") {
            return "a name is not looked up here, write \"127.0.0.1\(text.dropFirst("localhost".count))\""
        }
        if text.contains("://") { return "write it without the scheme, as in \"127.0.0.1:8080\"" }
        if let colon = text.lastIndex(of: ":"), let number = Int(text[text.index(after: colon)...]), number > 65_535 {
            return "ports end at 65535"
        }
        if text.filter({ $0 == ":" }).count > 1, !text.hasPrefix("["), let colon = text.lastIndex(of: ":") {
            return "an IPv6 address is in brackets, as in \"[\(text[..<colon])]\(text[colon...])\""
        }
        return "write \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::1]:8080\""
    }

    mutating func blocks(_ node: LocatedNode?) -> [CIDRBlock] {
        var result: [CIDRBlock] = []
        for text in strings(node, of: "addresses") {
            do throws(CIDRError) {
                let block = try CIDRBlock.parse(text.value)
                if result.contains(block) {
                    report(
                        .valueDuplicate, at: text.position, path: text.path,
                        "\(quoted(text.value)) stands in the list twice")
                } else {
                    result.append(block)
                }
            } catch {
                report(.addressInvalid, at: text.position, path: text.path, "\(quoted(text.value)) \(error.phrase)")
            }
        }
        return result
    }

    /// A list that would allow everything by being empty, where the operator surely meant something.
    mutating func filledBlocks(_ node: LocatedNode?) -> [CIDRBlock] {
        guard filledList(node, of: "addresses") != nil else { return [] }
        return blocks(node)
    }

    private static func serverHint(_ text: String) -> String {
        if text.hasPrefix("unix:") { return "Unix sockets are not supported; " }
        guard text.contains("://"), let scheme = text.firstIndex(of: "/") else { return "the scheme is missing; " }
        return text[scheme...].dropFirst(2).contains("/") ? "a path belongs to the route, as its \"upstream_path\"; " : ""
    }

    mutating func server(
        _ node: LocatedNode
    ) -> (scheme: UpstreamConfiguration.Scheme, server: Located<UpstreamConfiguration.Server>)? {
        guard let text = string(node, expected: "a server such as \"http://127.0.0.1:9000\"") else { return nil }
        let lowered = text.value.lowercasedASCII
        let scheme = UpstreamConfiguration.Scheme.allCases.first { lowered.hasPrefix("\($0.rawValue)://") }
        guard let scheme, let (host, port) = Self.hostAndPort(lowered.dropFirst(scheme.rawValue.utf8.count + 3)),
            port != 0
        else {
            if checkPlaceholder(text, .serverInvalid, "a server") { return nil }
            report(
                .serverInvalid, at: node,
                "\(quoted(text.value)) is not a server; \(Self.serverHint(lowered))write \"http://host:port\", "
                    + "\"https://…\", \"h2://…\" or "
                    + "\"h2c://…\", without path and user name")
            return nil
        }
        let server = UpstreamConfiguration.Server(host: host, port: port ?? scheme.defaultPort)
        return (scheme, Located(server, at: node.position, path: node.path))
    }

    mutating func keySetURL(_ node: LocatedNode?) -> Located<String>? {
        guard let node, let text = string(node, expected: "a URL") else { return nil }
        guard Self.isFetchURL(text.value) else {
            report(
                .urlInvalid, at: node,
                "\(quoted(text.value)) is no URL of a key set; "
                    + "write \"https://issuer.example/jwks.json\", without user name and fragment"
            )
            return nil
        }
        return text
    }

    /// An http or https URL without user name and fragment.
    static func isFetchURL(_ text: String) -> Bool {
        let isPrintable = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && ![0x22, 0x23, 0x5C].contains($0) }
        let lowered = text.lowercasedASCII
        guard isPrintable, let scheme = ["http://", "https://"].first(where: { lowered.hasPrefix($0) }),
            let (_, port) = hostAndPort(lowered.dropFirst(scheme.utf8.count).prefix { $0 != "/" && $0 != "?" })
        else { return false }
        return port != 0
    }

    /// An issuer as OpenID Connect Discovery 1.0 §3 has it: a URL with neither query nor fragment.
    static func isIssuerURL(_ text: String) -> Bool {
        let lowered = text.lowercasedASCII
        guard let scheme = ["http://", "https://"].first(where: { lowered.hasPrefix($0) }),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && ![0x22, 0x23, 0x3F, 0x5C].contains($0) }),
            let (_, port) = hostAndPort(lowered.dropFirst(scheme.utf8.count).prefix { $0 != "/" })
        else { return false }
        return port != 0
    }

    mutating func issuerURL(_ node: LocatedNode?) -> Located<String>? {
        guard let node, let text = string(node, expected: "a URL") else { return nil }
        if Self.isIssuerURL(text.value) { return text }
        report(
            .urlInvalid, at: node,
            "\(quoted(text.value)) is no URL of an issuer; "
                + "write \"https://issuer.example\", without user name, query and fragment")
        return nil
    }

    /// Host (an address without brackets, or a name) and port of a `host[:port]` in lower case; nil when it is none.
    static func hostAndPort(_ authority: Substring) -> (host: String, port: UInt16?)? {
        var host = authority
        var port: UInt16?
        if let colon = authority.lastIndex(of: ":"), authority.last != "]" {
            let digits = authority[authority.index(after: colon)...]
            guard !digits.isEmpty, digits.utf8.allSatisfy(\.isDigit), let number = UInt16(digits) else { return nil }
            port = number
            host = authority[..<colon]
        }
        if host.first == "[", host.last == "]" {
            let inner = String(host.dropFirst().dropLast())
            guard let address = IPAddress(inner), inner.contains(":") else { return nil }
            return (address.description, port)
        }
        return isHostName(String(host)) ? (String(host), port) : nil
    }

    /// An IPv4 address or a name in lower case: labels of letters, digits, "-" and "_", 253 characters at most. A name
    /// that ends in digits is an address or wrong ("127.1", "0x7f.1"; WHATWG URL §3.5), so no resolver guesses.
    static func isHostName(_ text: String) -> Bool {
        if IPAddress(text)?.family == .v4 { return true }
        guard (1...253).contains(text.utf8.count) else { return false }
        let labels = text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard let last = labels.last, let lead = last.first else { return false }
        if last.allSatisfy(\.isDigit) || (lead == 0x30 && last.dropFirst().first == 0x78) { return false }
        return labels.allSatisfy { label in
            guard (1...63).contains(label.count), label.first != 0x2D, label.last != 0x2D else { return false }
            return label.allSatisfy { $0.isDigit || $0 &- 0x61 < 26 || $0 == 0x2D || $0 == 0x5F }
        }
    }

    /// A host of `match.hosts`: a name, an address, or "*." before a name. Lower case comes out.
    mutating func hostPattern(_ text: Located<String>) -> String? {
        do throws(HostPatternError) {
            return try Self.hostPattern(text.value.lowercasedASCII)
        } catch {
            report(.hostInvalid, at: text.position, path: text.path, error.message(for: text.value))
            return nil
        }
    }

    private static func hostPattern(_ host: String) throws(HostPatternError) -> String {
        if host == "*" { throw .everyHost }
        guard host.utf8.allSatisfy({ $0 < 0x80 }) else { throw .notASCII }
        let isWildcard = host.hasPrefix("*.")
        guard let (name, port) = hostAndPort(host.dropFirst(isWildcard ? 2 : 0)) else { throw .malformed }
        if port != nil { throw .port }
        guard let address = IPAddress(name) else { return host }
        if isWildcard { throw .malformed }
        return address.family == .v6 ? "[\(address)]" : host
    }
}

/// Why a host of `match.hosts` is refused.
private enum HostPatternError: Error {
    case everyHost, notASCII, port, malformed

    func message(for text: String) -> String {
        switch self {
        case .everyHost: "leave \"hosts\" out to match every host"
        case .notASCII: "write \(quoted(text)) in its ASCII form (\"xn--…\")"
        case .port: "\(quoted(text)) has a port; hosts are matched without it"
        case .malformed: "\(quoted(text)) is no host; write \"api.example.com\" or \"*.example.com\""
        }
    }
}

extension CIDRError {
    /// What is wrong with the block, to follow its text.
    fileprivate var phrase: String {
        switch self {
        case .malformed: "is no address; write \"10.0.0.1\", \"10.0.0.0/8\" or \"2001:db8::/32\""
        case .hostBitsSet(let network): "has bits set behind its prefix; did you mean \"\(network)\"?"
        case .mappedPrefix: "is a prefix of IPv4-mapped addresses; write the IPv4 block itself"
        }
    }
}
