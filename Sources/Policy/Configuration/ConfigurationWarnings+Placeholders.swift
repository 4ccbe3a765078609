import Core

/// What was taken over from documentation and from other programs' files.
extension ConfigurationWarnings {
    /// A key whose secret everyone can guess.
    mutating func reviewDigests(of key: APIKeyConfiguration, path: String) {
        guard key.isEnabled, key.secrets.contains(where: { WellKnownSecrets.contain($0.digest) }) else { return }
        warn(
            .keyWellKnown, at: key.position, path: path,
            "the key \(quoted(key.id)) has the digest of a well-known word such as \"test\": everyone can use it; "
                + "make one with \"portcullis key new\"")
    }

    /// Segments that are captures elsewhere. OData's own names begin with "$".
    mutating func reviewSegments(of route: RouteConfiguration) {
        let names: Set = ["$metadata", "$batch", "$count", "$ref", "$value", "$entity", "$all", "$links", "$query"]
        for segment in route.path.value.split(separator: "/") where segment.hasPrefix(":") || segment.hasPrefix("$") {
            let name = segment.dropFirst().filter { $0 != "{" && $0 != "}" }
            guard !names.contains(String(segment)), !name.isEmpty else { continue }
            warn(
                .pathSegmentLiteral, at: route.path.position, path: route.path.path,
                "\(quoted(String(segment))) is matched letter by letter; a segment of any text is written \"{\(name)}\"")
        }
    }

    /// Words of examples in issuers, URLs and servers.
    mutating func reviewPlaceholders() {
        func review(_ text: String, at position: SourcePosition, path: String) {
            guard let word = Placeholder.word(in: text) else { return }
            warn(
                .placeholderLeft, at: position, path: path,
                "\(quoted(word)) looks like a placeholder that was not replaced")
        }
        for (name, authenticator) in configuration.authenticators {
            guard case .jwt(let jwt) = authenticator.kind else { continue }
            for issuer in jwt.issuers {
                review(issuer, at: authenticator.position, path: LocatedNode.path("authenticators", member: name))
            }
        }
        for (name, keySet) in configuration.keySets {
            guard case .url(let url) = keySet.source else { continue }
            review(url.value, at: url.position, path: LocatedNode.path("key_sets", member: name))
        }
        for upstream in configuration.upstreams.values {
            for server in upstream.servers { review(server.value.host, at: server.position, path: server.path) }
        }
    }
}
