import Core

/// The members at the top of the file.
extension ConfigurationReader {
    mutating func readDocument(_ node: LocatedNode) {
        guard let members = object(node, .document) else { return }
        noteDefinedNames(members)
        if let schema = members["$schema"] { _ = string(schema) }
        configuration.loops = integer(members["loops"], in: 1...1024)
        readListeners(members["listeners"])
        readAdmin(members["admin"])
        configuration.trustedProxies = blocks(members["trusted_proxies"])
        configuration.forwardedFields = choice(members["forwarded"], of: ForwardedFields.self) ?? .xForwarded
        readVia(members["via"])
        readBounds(members["bounds"])
        readPaths(members["paths"])
        readAccessLog(members["access_log"])
        readUpstreams(members["upstreams"])
        readKeySets(members["key_sets"])
        readLimits(members["limits"])
        readFailureBudget(members["failure_budget"])
        configuration.rateHeaders = rateHeaders(members["rate_headers"]) ?? RateHeaderStyle()
        readAuthenticators(members["authenticators"])
        readIdentityHeaders(members["identity_headers"])
        readProfiles(members["profiles"])
        if let profile = reference(members["responses"], to: .profile) { configuration.responses = profile.value }
        readRoutes(members["routes"])
        readTests(members["tests"])
        for member in members.members {
            configuration.positions[LocatedNode.path("", member: member.name)] = member.node.position
        }
    }

    private mutating func noteDefinedNames(_ members: ObjectMembers) {
        let places: [(String, ReferenceKind)] = [
            ("upstreams", .upstream), ("limits", .limit), ("authenticators", .authenticator), ("key_sets", .keySet),
            ("profiles", .profile),
        ]
        definedNames[.profile] = [Configuration.builtInProfile]
        for (member, kind) in places {
            guard case .object(let entries) = members[member]?.value else { continue }
            definedNames[kind, default: []].formUnion(entries.map(\.name))
        }
    }

    private mutating func readListeners(_ node: LocatedNode?) {
        for element in filledList(node, of: "listeners") ?? [] {
            guard let members = object(element, .listener) else { continue }
            let proxyProtocol = proxyProtocol(members["proxy_protocol"])
            guard let addressNode = members["address"], let address = endpoint(addressNode) else { continue }
            // Port 0 stands for a free port, a new one for each listener.
            if address.port != 0, configuration.listeners.contains(where: { $0.address == address }) {
                report(.endpointDuplicate, at: addressNode, "another listener has the address \(address) already")
            }
            configuration.listeners.append(
                ListenerConfiguration(address: address, proxyProtocol: proxyProtocol, position: element.position))
        }
    }

    private mutating func proxyProtocol(_ node: LocatedNode?) -> ProxyProtocolConfiguration? {
        guard let members = object(node, .proxyProtocol) else { return nil }
        let required = boolean(members["required"]) ?? true
        return ProxyProtocolConfiguration(from: filledBlocks(members["from"]), required: required)
    }

    private mutating func readAdmin(_ node: LocatedNode?) {
        guard let node, let members = object(node, .admin), let addressNode = members["address"],
            let address = endpoint(addressNode)
        else { return }
        if address.port != 0, configuration.listeners.contains(where: { $0.address == address }) {
            report(.endpointDuplicate, at: addressNode, "a listener has the address \(address) already")
        }
        configuration.admin = AdminConfiguration(address: address, position: node.position)
    }

    private mutating func readVia(_ node: LocatedNode?) {
        guard let node else { return }
        if case .bool(false) = node.value {
            configuration.via = nil
            return
        }
        guard let name = string(node, expected: "a name, or false") else { return }
        guard name.value.isToken else {
            report(
                .fieldValueInvalid, at: node,
                "\(quoted(name.value)) cannot stand in Via; use letters, digits, \"-\", \".\", \"_\"")
            return
        }
        configuration.via = name.value
    }

    private mutating func readBounds(_ node: LocatedNode?) {
        guard let members = object(node, .bounds) else { return }
        var bounds = Bounds()
        bounds.headByteLimit = size(members["head_bytes"], in: 1024...1_048_576) ?? bounds.headByteLimit
        let target = size(members["target_bytes"], in: 256...1_048_576)
        bounds.targetByteLimit = target ?? min(bounds.targetByteLimit, bounds.headByteLimit)
        if let target, target > bounds.headByteLimit, let place = members["target_bytes"] {
            report(
                .valueOutOfRange, at: place,
                "a target cannot be larger than the head it stands in (\(bounds.headByteLimit)B)")
        }
        bounds.fieldCountLimit = integer(members["header_fields"], in: 8...10_000) ?? bounds.fieldCountLimit
        bounds.bodyByteLimit = byteSize(members["body_bytes"], in: 0...UInt64(Int64.max)) ?? bounds.bodyByteLimit
        bounds.connectionLimit = integer(members["connections"], in: 1...10_000_000) ?? bounds.connectionLimit
        bounds.connectionLimitPerAddress =
            integer(members["connections_per_address"], in: 1...10_000_000) ?? bounds.connectionLimitPerAddress
        bounds.headTimeout = duration(members["head_timeout"], in: Self.timeouts) ?? bounds.headTimeout
        bounds.idleTimeout = duration(members["idle_timeout"], in: Self.timeouts) ?? bounds.idleTimeout
        bounds.bodyTimeout = duration(members["body_timeout"], in: Self.timeouts) ?? bounds.bodyTimeout
        bounds.halfCloseTimeout = duration(members["half_close_timeout"], in: Self.timeouts) ?? bounds.halfCloseTimeout
        bounds.drainTimeout = duration(members["drain_timeout"], in: Self.timeouts) ?? bounds.drainTimeout
        bounds.bucketLimit = integer(members["buckets"], in: 1024...100_000_000) ?? bounds.bucketLimit
        configuration.bounds = bounds
    }

    /// What a timeout may be: from 1 ms to a day.
    static let timeouts: ClosedRange<Nanoseconds> = .milliseconds(1)...(.seconds(86_400))

    private mutating func size(_ node: LocatedNode?, in range: ClosedRange<UInt64>) -> Int? {
        byteSize(node, in: range).flatMap { Int(exactly: $0) }
    }

    private mutating func readPaths(_ node: LocatedNode?) {
        guard let members = object(node, .paths) else { return }
        var rules = PathRules()
        rules.dotSegments = choice(members["dot_segments"], of: PathRules.DotSegments.self) ?? rules.dotSegments
        rules.encodedSlash = choice(members["encoded_slash"], of: PathRules.EncodedSlash.self) ?? rules.encodedSlash
        rules.emptySegments = choice(members["empty_segments"], of: PathRules.EmptySegments.self) ?? rules.emptySegments
        configuration.paths = rules
    }

    private mutating func readAccessLog(_ node: LocatedNode?) {
        guard let node, let text = string(node, expected: "\"off\", \"stdout\" or \"file:PATH\"") else { return }
        switch text.value {
        case "off": configuration.accessLog = .off
        case "stdout": configuration.accessLog = .standardOutput
        default:
            let path = text.value.dropFirst("file:".count)
            guard text.value.hasPrefix("file:"), !path.isEmpty, !path.contains("\0") else {
                let hint = Suggestion.phrase(for: text.value, among: ["off", "stdout"])
                report(
                    .valueUnknown, at: node,
                    "expected \"off\", \"stdout\" or \"file:PATH\", found \(quoted(text.value))\(hint)")
                return
            }
            configuration.accessLog = .file(String(path))
        }
    }
}
