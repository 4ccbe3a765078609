import Core

/// The members at the top of the file.
extension ConfigurationReader {
    mutating func readDocument(_ node: LocatedNode) {
        guard let members = object(node, .document) else { return }
        defaults = RouteDefaults(node.node)
        noteDefinedNames(members)
        if let schema = members["$schema"] { _ = string(schema) }
        configuration.loops = integer(members["loops"], in: 1...1024)
        readListeners(members["listeners"])
        readAdmin(members["admin"])
        configuration.trustedProxies = blocks(members["trusted_proxies"])
        configuration.forwardedFields = choice(members["forwarded"], of: ForwardedFields.self) ?? .xForwarded
        readVia(members["via"])
        readBounds(members["bounds"])
        configuration.paths = pathRules(members["paths"], basedOn: PathRules()) ?? PathRules()
        configuration.accessLog = logDestination(members["access_log"]) ?? .standardOutput
        readAudit(members["audit"])
        readStore(members["store"])
        readUpstreams(members["upstreams"])
        readKeySets(members["key_sets"])
        readLimits(members["limits"])
        readFailureBudget(members["failure_budget"])
        configuration.rateHeaders = rateHeaders(members["rate_headers"]) ?? RateHeaderStyle()
        readAuthenticators(members["authenticators"])
        readStoredCredentials(members["stored_credentials"])
        readIdentityHeaders(members["identity_headers"])
        readProfiles(members["profiles"])
        if let profile = reference(members["responses"], to: .profile) { configuration.responses = profile.value }
        configuration.challengeRealm = challengeRealm(members["challenge_realm"]) ?? configuration.challengeRealm
        configuration.httpsOnly = boolean(members["https_only"]) ?? false
        configuration.overrideHeaders = choice(members["override_headers"], of: OverrideHeaders.self) ?? .drop
        configuration.cors = members["cors"].flatMap { cors($0) }
        readDefaults(members["defaults"])
        readRoutes(members["routes"])
        configuration.tests = tests(members["tests"])
        configuration.testsFile = filePath(members["tests_file"])
        checkStore(members)
        for member in members.members {
            configuration.positions[LocatedNode.path("", member: member.name)] = member.node.position
        }
    }

    private mutating func noteDefinedNames(_ members: ObjectMembers) {
        let places: [(String, ReferenceKind)] = [
            ("upstreams", .upstream), ("limits", .limit), ("authenticators", .authenticator), ("key_sets", .keySet),
            ("profiles", .profile), ("stored_credentials", .storedCredential),
        ]
        definedNames[.profile] = [Configuration.builtInProfile]
        for (member, kind) in places {
            guard case .object(let entries) = members[member]?.value else { continue }
            definedNames[kind, default: []].formUnion(entries.map(\.name))
        }
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
        bounds.lingerTimeout = duration(members["linger_timeout"], in: Self.timeouts) ?? bounds.lingerTimeout
        bounds.drainDelay = duration(members["drain_delay"], in: 0...(.seconds(3600))) ?? bounds.drainDelay
        bounds.drainTimeout = duration(members["drain_timeout"], in: Self.timeouts) ?? bounds.drainTimeout
        // Less than a megabyte is used up by a few hundred requests under way.
        bounds.bufferedByteLimit = size(members["buffered_bytes"], in: 1_048_576...1_099_511_627_776)
        bounds.bucketLimit = integer(members["buckets"], in: 1024...100_000_000) ?? bounds.bucketLimit
        bounds.http2 = http2Bounds(members["http2"])
        configuration.bounds = bounds
    }

    private mutating func http2Bounds(_ node: LocatedNode?) -> Bounds.HTTP2 {
        var bounds = Bounds.HTTP2()
        guard let members = object(node, .http2Bounds) else { return bounds }
        bounds.streamLimit = integer(members["streams"], in: 1...10_000) ?? bounds.streamLimit
        // Below 65,535 the client's first bytes may be on their way before it hears of the window (RFC 9113 §6.9.2).
        let stream = size(members["stream_window"], in: 65_536...16_777_216)
        let connection = size(members["connection_window"], in: 65_536...268_435_456)
        // A window outside of the other one's default moves the one that is not written down.
        bounds.streamWindowBytes = stream ?? min(bounds.streamWindowBytes, connection ?? .max)
        bounds.connectionWindowBytes = connection ?? max(bounds.connectionWindowBytes, bounds.streamWindowBytes)
        if let place = members["connection_window"], bounds.connectionWindowBytes < bounds.streamWindowBytes {
            report(
                .valueOutOfRange, at: place,
                "the window of a connection cannot be smaller than that of a stream (\(bounds.streamWindowBytes)B)")
        }
        bounds.headerTableBytes = size(members["header_table"], in: 0...65_536) ?? bounds.headerTableBytes
        // Each stream has a share of what is queued, whatever the others hold.
        let queued = size(members["queued_bytes"], in: 65_536...1_073_741_824)
        bounds.queuedBytes = queued ?? max(bounds.queuedBytes, bounds.streamLimit &* Bounds.HTTP2.usualQueuedBytes)
        if let queued, let place = members["queued_bytes"], queued / Bounds.HTTP2.leastQueuedBytes < bounds.streamLimit {
            report(
                .valueOutOfRange, at: place,
                "\(bounds.streamLimit) streams need \(bounds.streamLimit &* Bounds.HTTP2.leastQueuedBytes)B at least: "
                    + "\(Bounds.HTTP2.leastQueuedBytes)B for each; raise it, or lower \"streams\"")
        }
        return bounds
    }

    /// What a timeout may be: from 1 ms to a day.
    static let timeouts: ClosedRange<Nanoseconds> = .milliseconds(1)...(.seconds(86_400))

    mutating func size(_ node: LocatedNode?, in range: ClosedRange<UInt64>) -> Int? {
        byteSize(node, in: range).flatMap { Int(exactly: $0) }
    }

    /// The rules of a `paths`; what it leaves out is as in `base`.
    mutating func pathRules(_ node: LocatedNode?, basedOn base: PathRules) -> PathRules? {
        guard let members = object(node, .paths) else { return nil }
        var rules = base
        rules.dotSegments = choice(members["dot_segments"], of: PathRules.DotSegments.self) ?? rules.dotSegments
        rules.encodedSlash = choice(members["encoded_slash"], of: PathRules.EncodedSlash.self) ?? rules.encodedSlash
        rules.emptySegments = choice(members["empty_segments"], of: PathRules.EmptySegments.self) ?? rules.emptySegments
        rules.invalidUTF8 = choice(members["invalid_utf8"], of: PathRules.InvalidUTF8.self) ?? rules.invalidUTF8
        if let readings = list(members["readings"], of: "readings of a path") {
            rules.readings = []
            for element in readings {
                guard let reading = choice(element, of: PathReading.self) else { continue }
                if !rules.readings.insert(reading).inserted {
                    report(.valueDuplicate, at: element, "\(quoted(reading.rawValue)) stands in the list twice")
                }
            }
        }
        return rules
    }

    /// `"off"`, `"stdout"` or `"file:PATH"`.
    mutating func logDestination(_ node: LocatedNode?) -> AccessLogDestination? {
        guard let node, let text = string(node, expected: "\"off\", \"stdout\" or \"file:PATH\"") else { return nil }
        switch text.value {
        case "off": return .off
        case "stdout": return .standardOutput
        default:
            let path = text.value.dropFirst("file:".count)
            if text.value.hasPrefix("file:"), !path.isEmpty, !path.contains("\0") { return .file(String(path)) }
            let hint = Suggestion.phrase(for: text.value, among: ["off", "stdout"])
            report(
                .valueUnknown, at: node, "expected \"off\", \"stdout\" or \"file:PATH\", found \(quoted(text.value))\(hint)")
            return nil
        }
    }
}
