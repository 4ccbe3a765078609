import Core

extension ConfigurationReader {
    mutating func readKeySets(_ node: LocatedNode?) {
        for entry in map(node, of: "key sets by name") {
            guard checkName(entry.name, at: entry.namePosition, path: entry.node.path),
                let members = object(entry.node, .keySet)
            else { continue }
            checkSourceMembers(of: members, at: entry.node)
            guard let source = keySetSource(members) else { continue }
            configuration.keySets[entry.name] = keySet(source, members)
        }
    }

    private mutating func keySet(_ source: KeySetConfiguration.Source, _ members: ObjectMembers) -> KeySetConfiguration
    {
        var keySet = KeySetConfiguration(source: source, position: members.position)
        keySet.allowsShortSecrets = boolean(members["allow_short_secrets"]) ?? keySet.allowsShortSecrets
        if members["file"] == nil, members["keys"] == nil, let place = members["allow_short_secrets"] {
            report(
                .membersExclusive, at: place,
                "\"allow_short_secrets\" belongs to a key set with \"file\" or \"keys\"; others have no shared secrets of yours")
        }
        keySet.ca = contentReference(members["ca"], of: "the authority's certificate")
        let periods: ClosedRange<Nanoseconds> = .seconds(1)...(.seconds(30 * 86_400))
        let refresh = duration(members["refresh"], in: periods)
        let minimum = duration(members["minimum_refresh"], in: periods)
        let maximum = duration(members["maximum_refresh"], in: periods)
        // A refresh outside of the default bounds moves the bound that is not written down.
        keySet.refresh = refresh ?? keySet.refresh
        keySet.minimumRefresh = minimum ?? min(keySet.minimumRefresh, keySet.refresh)
        keySet.maximumRefresh = maximum ?? max(keySet.maximumRefresh, keySet.refresh)
        if keySet.minimumRefresh > keySet.maximumRefresh, let place = members["minimum_refresh"] {
            report(.valueOutOfRange, at: place, "\"minimum_refresh\" is longer than \"maximum_refresh\"")
        }
        keySet.cooldown = duration(members["cooldown"], in: .milliseconds(100)...(.seconds(3600))) ?? keySet.cooldown
        keySet.staleLimit = duration(members["stale_limit"], in: .seconds(0)...periods.upperBound) ?? keySet.staleLimit
        keySet.fetchTimeout =
            duration(members["fetch_timeout"], in: .milliseconds(100)...(.seconds(60))) ?? keySet.fetchTimeout
        return keySet
    }

    private static let sourceMembers = ["url", "issuer", "file", "pem", "keys", "stored"]

    private mutating func checkSourceMembers(of members: ObjectMembers, at node: LocatedNode) {
        let sources = Self.sourceMembers.filter { members[$0] != nil }
        if sources.isEmpty {
            report(.memberMissing, at: node, "a key set has one of \"url\", \"issuer\", \"file\", \"pem\", \"keys\" and \"stored\"")
        }
        if sources.count > 1, let place = members[sources[1]] {
            report(
                .membersExclusive, at: place, "a key set has \(quoted(sources[0])) or \(quoted(sources[1])), not both")
        }
        for name in ["kid", "algorithm"] where members["pem"] == nil {
            guard let place = members[name] else { continue }
            report(
                .membersExclusive, at: place, "\(quoted(name)) belongs to a key set with \"pem\"; a JWK carries its own"
            )
        }
        if members["stored"] == nil, let place = members["algorithms"] {
            report(
                .membersExclusive, at: place,
                "\"algorithms\" belongs to a key set with \"stored\"; others have the algorithms of their keys")
        }
        let fetching = [
            "refresh", "minimum_refresh", "maximum_refresh", "cooldown", "stale_limit", "fetch_timeout", "ca",
        ]
        for name in fetching where members["url"] == nil && members["issuer"] == nil && !sources.isEmpty {
            guard let place = members[name] else { continue }
            report(
                .membersExclusive, at: place,
                "\(quoted(name)) belongs to a key set with \"url\" or \"issuer\"; nothing is fetched here")
        }
    }

    private mutating func keySetSource(_ members: ObjectMembers) -> KeySetConfiguration.Source? {
        if let node = members["url"] { return keySetURL(node).map { .url($0) } }
        if let node = members["issuer"] { return issuerURL(node).map { .discovery(issuer: $0) } }
        if let node = members["file"] { return filePath(node).map { .file($0) } }
        if let node = members["pem"] {
            let kid = string(members["kid"])
            let algorithm = signatureAlgorithm(members["algorithm"])
            return filePath(node).map { .pem(file: $0, kid: kid?.value, algorithm: algorithm) }
        }
        if let node = members["stored"] {
            guard stored(node) else { return nil }
            let algorithms = signingAlgorithms(members["algorithms"])
            return .stored(algorithms: algorithms.isEmpty ? [.hs256] : algorithms)
        }
        if let node = members["keys"] {
            guard let keys = filledList(node, of: "JSON Web Keys") else { return nil }
            for key in keys { _ = map(key, of: "members of a JSON Web Key") }
            var text: [UInt8] = []
            text.append("{\"keys\":")
            text.append(json: node.node)
            text.append("}")
            return .inline(json: String(decoding: text, as: UTF8.self), position: node.position)
        }
        return nil
    }

    /// A path, relative to the directory of the file; not followed here.
    mutating func filePath(_ node: LocatedNode?) -> Located<String>? {
        guard let node, let path = string(node, expected: "a path") else { return nil }
        guard !path.value.contains("\0") else {
            report(.valueUnknown, at: node, "a path has no NUL character")
            return nil
        }
        return path
    }
}
