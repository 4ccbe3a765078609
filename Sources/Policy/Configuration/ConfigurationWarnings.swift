package import Core

/// What is allowed in a policy file and probably not meant. A hole that shows only with the files at hand (a weak
/// shared secret, a world-readable file) is found where those are read.
package struct ConfigurationWarnings {
    let configuration: Configuration
    private let file: String
    private let now: WallTime
    var warnings = DiagnosticList()

    private init(_ configuration: Configuration, file: String, now: WallTime) {
        self.configuration = configuration
        self.file = file
        self.now = now
    }

    /// The warnings about a configuration, in the order of its text. `now` tells which keys have expired.
    package static func review(_ configuration: Configuration, file: String, now: WallTime) -> [Diagnostic] {
        var review = ConfigurationWarnings(configuration, file: file, now: now)
        review.reviewTop()
        review.reviewUse()
        review.reviewProfiles()
        review.reviewAuthenticators()
        review.reviewKeySets()
        review.reviewStoredCredentials()
        review.reviewUpstreams()
        review.reviewRoutes()
        review.reviewTemplates()
        review.reviewCORS()
        review.reviewPlaceholders()
        return review.warnings.all.enumerated().sorted { a, b in
            let nowhere = SourcePosition(line: 0, column: 0)
            let (first, second) = (a.element.position ?? nowhere, b.element.position ?? nowhere)
            return (first.line, first.column, a.offset) < (second.line, second.column, b.offset)
        }.map(\.element)
    }

    mutating func warn(_ code: DiagnosticCode, at position: SourcePosition?, path: String, _ message: String) {
        warnings.append(Diagnostic(.warning, code, file: file, position: position, path: path, message: message))
    }

    private mutating func reviewTop() {
        if AddressSet(configuration.trustedProxies).coversEverything {
            warn(
                .trustedProxiesCoverEverything, at: configuration.positions["trusted_proxies"], path: "trusted_proxies",
                "the list covers every address: any client can claim to come from anywhere")
        }
        if configuration.failureBudget == nil, takesCredentials {
            warn(
                .failureBudgetOff, at: configuration.positions["failure_budget"], path: "failure_budget",
                "keys and tokens may be guessed as fast as a client can send them")
        }
        reviewFailureBudget()
        if let admin = configuration.admin, !admin.address.address.isLoopback, admin.token == nil || admin.tls == nil {
            warn(
                .adminExposed, at: admin.position, path: "admin",
                configuration.admin?.token == nil
                    ? "the admin listener can be reached from other machines at \(admin.address), and refuses them without a \"token\""
                    : "the admin listener can be reached from other machines at \(admin.address): "
                        + "its token goes in plaintext without \"tls\"")
        }
    }

    /// Something in the policy can be guessed: a key, a token, a password.
    private var takesCredentials: Bool {
        !configuration.authenticators.isEmpty
            || configuration.routes.contains { route in
                if case .login? = route.action { true } else { false }
            }
    }

    /// A budget by address counts nothing useful where every client comes from the address of the same proxy. A list that is
    /// written, be it empty, says that this was thought of.
    private mutating func reviewFailureBudget() {
        guard configuration.failureBudget != nil, configuration.positions["trusted_proxies"] == nil,
            takesCredentials, let first = configuration.listeners.first,
            configuration.listeners.allSatisfy({ $0.proxyProtocol == nil && $0.address.address.isPrivate })
        else { return }
        warn(
            .failureBudgetShared, at: first.position, path: "listeners",
            "only peers of this machine or a private network can connect, and none is a trusted proxy: behind a proxy all clients "
                + "share one failure budget; name the proxies in \"trusted_proxies\", or write an empty list where there are none")
    }

    /// Definitions nothing refers to.
    private mutating func reviewUse() {
        var limits = Set(configuration.routes.flatMap { $0.limits.map(\.value) })
        var authenticators: Set<String> = []
        for route in configuration.routes { authenticators.formUnion(route.requirement.authenticators.map(\.value)) }
        let upstreams = Set(configuration.routes.compactMap(\.upstream?.value))
        var keySets = Set(configuration.routes.compactMap(\.action?.keySet?.value))
        // The records of a keys file and of a store may name any limit.
        var knowsEveryRecord = true
        for authenticator in configuration.authenticators.values {
            switch authenticator.kind {
            case .apiKey(let keys):
                limits.formUnion(keys.keys.flatMap { $0.limits.map(\.value) })
                if keys.keysFile != nil || keys.isStored { knowsEveryRecord = false }
            case .jwt(let jwt):
                keySets.insert(jwt.keySet.value)
                // Its tokens are checked against these keys, also where no route accepts the keys themselves.
                if case .keys(let name)? = jwt.derivedFrom?.source { authenticators.insert(name.value) }
            case .certificate(let certificates):
                limits.formUnion((certificates.entries ?? []).flatMap { $0.limits.map(\.value) })
            }
        }
        if knowsEveryRecord {
            for (name, limit) in configuration.limits where !limits.contains(name) {
                warnUnused(.limitUnused, "limits", name, at: limit.position, "no route and no key has this limit")
            }
        }
        for (name, upstream) in configuration.upstreams where !upstreams.contains(name) {
            warnUnused(.upstreamUnused, "upstreams", name, at: upstream.position, "no route leads to this upstream")
        }
        for (name, authenticator) in configuration.authenticators where !authenticators.contains(name) {
            warnUnused(
                .authenticatorUnused, "authenticators", name, at: authenticator.position,
                "no route asks this authenticator")
        }
        for (name, keySet) in configuration.keySets where !keySets.contains(name) {
            warnUnused(.keySetUnused, "key_sets", name, at: keySet.position, "no authenticator and no action has this key set")
        }
        for unused in configuration.unusedDefaults {
            warn(.defaultUnused, at: unused.position, path: unused.path, "no route inherits this")
        }
        let profiles = Set([configuration.responses] + configuration.routes.compactMap(\.responses?.value))
        for name in configuration.profiles.keys.sorted() where !profiles.contains(name) {
            warnUnused(
                .profileUnused, "profiles", name, at: configuration.positions["profiles"], "no answer has this profile")
        }
    }

    private mutating func warnUnused(
        _ code: DiagnosticCode, _ member: String, _ name: String, at position: SourcePosition?, _ message: String
    ) {
        warn(code, at: position, path: LocatedNode.path(member, member: name), message)
    }

    private mutating func reviewAuthenticators() {
        for (name, authenticator) in configuration.authenticators {
            let path = LocatedNode.path("authenticators", member: name)
            switch authenticator.kind {
            case .apiKey(let keys):
                for (index, key) in keys.keys.enumerated() {
                    review(key, path: "\(path).keys[\(index)]")
                    if keys.pepper == nil { reviewDigests(of: key, path: "\(path).keys[\(index)]") }
                }
            case .jwt(let jwt): review(jwt, at: authenticator.position, path: path)
            case .certificate(let certificates):
                review(certificates, at: authenticator.position, path: path)
            }
        }
    }

    private mutating func review(_ key: APIKeyConfiguration, path: String) {
        // A key that is disabled opens nothing.
        if key.isEnabled, key.secrets.contains(where: { $0.expiresAt == nil }) {
            warn(
                .keyWithoutExpiry, at: key.position, path: path,
                "the key \(quoted(key.id)) never expires; give it \"expires_at\"")
        } else if key.isEnabled, key.secrets.allSatisfy({ ($0.expiresAt ?? .distantFuture) <= now }) {
            warn(.keyExpired, at: key.position, path: path, "the key \(quoted(key.id)) has expired")
        }
        for scheme in ["bearer ", "basic ", "apikey ", "key "] where key.id.lowercasedASCII.hasPrefix(scheme) {
            warn(
                .keyIDWithScheme, at: key.position, path: path,
                "the id \(quoted(key.id)) begins with a scheme; if its digest was made of such a text, it never matches"
            )
        }
        if AddressSet(key.allowedAddresses).coversEverything {
            warn(.allowListCoversEverything, at: key.position, path: "\(path).allow_ips", Self.worldMessage)
        }
    }

    private mutating func review(
        _ certificates: CertificateAuthenticatorConfiguration, at position: SourcePosition, path: String
    ) {
        let isAsked = configuration.listeners.contains { $0.tls.map { $0.clientCertificates != .none } ?? false }
        if !isAsked {
            warn(
                .clientCertificatesNotAsked, at: position, path: path,
                "no listener asks clients for certificates; see \"client_ca\" of its \"tls\"")
        }
        for (index, entry) in (certificates.entries ?? []).enumerated()
        where AddressSet(entry.allowedAddresses).coversEverything {
            warn(
                .allowListCoversEverything, at: entry.position, path: "\(path).certificates[\(index)].allow_ips",
                Self.worldMessage)
        }
    }

    private mutating func reviewUpstreams() {
        for (name, upstream) in configuration.upstreams where upstream.tls?.verifies == false {
            // Nothing is between here and a server of this machine.
            if upstream.servers.allSatisfy({ Self.isThisMachine($0.value.host) }) { continue }
            warn(
                .upstreamUnverified, at: upstream.position, path: LocatedNode.path("upstreams", member: name),
                "whoever is between here and the servers can take their place; name their authority in \"ca\" instead")
        }
    }

    private static let worldMessage = "the list covers every IPv4 or every IPv6 address"

    private mutating func reviewKeySets() {
        for (name, keySet) in configuration.keySets {
            let path = LocatedNode.path("key_sets", member: name)
            switch keySet.source {
            case .url(let url), .discovery(let url): review(url)
            case .inline(let json, let position):
                // "k" is the secret of a symmetric key (RFC 7518 §6.4.1).
                guard let document = try? JSONNode.parse(json.utf8.span, dialect: .foreign),
                    case .array(let keys) = document["keys"]?.value
                else { continue }
                if keys.contains(where: { $0["k"] != nil }) {
                    warn(
                        .keySetHoldsSecret, at: position, path: "\(path).keys",
                        "a shared secret stands in the policy file; put the set into a file of its own")
                }
            case .file, .pem, .stored: continue
            }
        }
    }

    private mutating func reviewStoredCredentials() {
        let used = Set(configuration.routes.compactMap(\.storedCredential?.value))
        for (name, credential) in configuration.storedCredentials {
            if !used.contains(name) {
                warnUnused(
                    .storedCredentialUnused, "stored_credentials", name, at: credential.position,
                    "no route shows this credential")
            }
            if credential.refresh != nil, configuration.store == nil {
                warn(
                    .storedCredentialNotDurable, at: credential.position,
                    path: LocatedNode.path("stored_credentials", member: name),
                    "without a \"store\" refreshed credentials are lost when the gateway ends, and their users with them")
            }
            guard let url = credential.refresh?.url, let host = Self.distantHostInClear(url.value) else { continue }
            warn(
                .credentialRefreshOverHTTP, at: url.position, path: url.path,
                "whoever is between here and \(host) can read credentials that go over plain HTTP")
        }
    }

    /// The host of a URL that is asked in clear over a network; nil for https and for this machine.
    private static func distantHostInClear(_ url: String) -> String? {
        if url.lowercasedASCII.hasPrefix("https://") { return nil }
        let authority = url.dropFirst("http://".count).prefix { $0 != "/" && $0 != "?" }
        guard let (host, _) = ConfigurationReader.hostAndPort(Substring(String(authority).lowercasedASCII)) else {
            return nil
        }
        return isThisMachine(host) ? nil : host
    }

    private static func isThisMachine(_ host: String) -> Bool { host == "localhost" || IPAddress(host)?.isLoopback == true }

    private mutating func review(_ url: Located<String>) {
        guard let host = Self.distantHostInClear(url.value) else { return }
        warn(
            .keySetOverHTTP, at: url.position, path: url.path,
            "whoever is between here and \(host) can replace keys that come over plain HTTP")
    }

    private mutating func reviewRoutes() {
        // Behind a proxy that says so, and on a listener with TLS, a request can be one over https.
        let servesHTTPS =
            configuration.listeners.contains { $0.tls != nil }
            || !configuration.trustedProxies.isEmpty && configuration.forwardedFields != .none
        for (index, route) in configuration.routes.enumerated() {
            let path = "routes[\(index)]"
            warnings.route = route.name
            defer { warnings.route = nil }
            if route.httpsOnly ?? configuration.httpsOnly, !servesHTTPS {
                warn(
                    .httpsOnlyUnreachable, at: route.position, path: path,
                    "the route takes requests over https only, and none can come: no listener has \"tls\", "
                        + "and no proxy is trusted to say so")
            }
            reviewSegments(of: route)
            for rule in route.authorizations { review(rule, path: "\(path).\(rule.name)") }
            if route.mode == .shadow {
                warn(
                    .routeInShadow, at: route.position, path: path,
                    "the route is in shadow mode: whoever it would refuse is let through")
            }
            guard route.requirement == .none else { continue }
            let templates = (route.setRequestHeaders + route.setResponseHeaders).map(\.template)
            for template in templates {
                let parts = (try? TemplateSyntax.parse(template.value)) ?? []
                if parts.contains(where: \.needsIdentity) {
                    warn(
                        .identityTemplateWithoutIdentity, at: template.position, path: template.path,
                        "the route asks for no credential, so that its template has no identity to show")
                }
            }
            for limit in route.limits {
                let parts = configuration.limits[limit.value]?.by ?? []
                // Where nothing is said, counting by address on such a route is what the default means.
                let isSaid = configuration.positions["\(LocatedNode.path("limits", member: limit.value)).by"] != nil
                if isSaid, parts.contains(.identity) || parts.contains(.key) {
                    warn(
                        .limitByIdentityWithoutAuthentication, at: limit.position, path: limit.path,
                        "the route asks for no identity, so that the limit counts by address instead")
                }
            }
        }
    }

    private mutating func review(_ authorization: RouteConfiguration.Authorization, path: String) {
        let allowed = AddressSet(authorization.allowedAddresses)
        // One /0 alone is a way of saying "from anywhere"; with others beside it, it is a slip.
        if allowed.coversEverything, authorization.allowedAddresses.count > 1 {
            let path = "\(path).allow_ips"
            warn(.allowListCoversEverything, at: configuration.positions[path], path: path, Self.worldMessage)
        }
        if AddressSet(authorization.deniedAddresses).coversEverything {
            let path = "\(path).deny_ips"
            warn(
                .denyListCoversEverything, at: configuration.positions[path], path: path,
                "the list covers every IPv4 or every IPv6 address: nobody with one gets through")
        }
    }
}

extension RouteConfiguration.Requirement {
    /// The authenticators that are asked, in the order they are.
    package var authenticators: [Located<String>] {
        switch self {
        case .none: []
        case .anyOf(let names), .allOf(let names), .optional(let names): names
        }
    }
}
