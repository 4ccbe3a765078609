import Core

/// How a test's credentials come into its request.
extension PolicyRehearsal {
    /// Shows a key where its authenticator looks for it first.
    func show(
        _ key: PolicyTestConfiguration.Key, of test: PolicyTestConfiguration, in request: inout RehearsalRequest,
        _ store: inout RehearsalStore, now: WallTime
    ) throws(RehearsalFault) {
        let (name, digest) = try secret(of: key, authenticator: test.keyAuthenticator?.value, &store, now: now)
        guard case .apiKey(let keys) = snapshot.configuration.authenticators[name]?.kind, let source = keys.sources.first
        else { throw RehearsalFault("key", "an authenticator of type api_key", quoted(name), at: test.position) }
        var prefix = ""
        if case .bearer(let start) = source { prefix = start }
        request.show(RehearsalCryptography.value(for: digest, prefix: prefix), in: source)
    }

    /// The digest of a key's secret, and the authenticator that knows it.
    /// - Parameter wanted: the authenticator it has to be of; nil takes the only one that fits.
    private func secret(
        of key: PolicyTestConfiguration.Key, authenticator wanted: String?, _ store: inout RehearsalStore, now: WallTime
    ) throws(RehearsalFault) -> (authenticator: String, digest: Digest256) {
        switch key {
        case .named(let id):
            var names = records.keys.filter { records[$0]?[id.value] != nil }.sorted()
            if let wanted { names.removeAll { $0 != wanted } }
            guard let name = names.first, let table = keyAuthenticators[name]?.table, let found = records[name]?[id.value],
                let last = found.last
            else {
                throw RehearsalFault(
                    "key", "a key of a route's authenticator", "no key of the id \(quoted(id.value))", at: id.position)
            }
            guard names.count == 1 else {
                throw RehearsalFault(
                    "key", "one key of this id", "keys of \(names.joined(separator: " and ")); add \"key_authenticator\"",
                    at: id.position)
            }
            return (name, table.digest(of: found.first { table.fault(of: $0, now: now) == nil } ?? last))
        case .stored(let key):
            let names = keyAuthenticators.keys.sorted()
            let wanted = key.authenticator?.value ?? wanted ?? (names.count == 1 ? names[0] : nil)
            guard let wanted, names.contains(wanted) else {
                throw RehearsalFault(
                    "key.authenticator", "a route's authenticator of API keys",
                    wanted.map(quoted) ?? (names.isEmpty ? "none" : names.joined(separator: " or ")), at: key.position)
            }
            return (wanted, store.add(key, of: wanted))
        }
    }

    /// Shows a token where its authenticator looks for it first.
    func show(
        _ token: PolicyTestConfiguration.Token, of test: PolicyTestConfiguration, in request: inout RehearsalRequest,
        _ store: inout RehearsalStore, now: WallTime
    ) throws(RehearsalFault) {
        let names = snapshot.configuration.authenticators.filter { $0.value.takesTokens }.keys.sorted()
        let name = token.authenticator?.value ?? (names.count == 1 ? names[0] : nil)
        guard let name else {
            guard !names.isEmpty else {
                throw RehearsalFault("token", "an authenticator of type jwt in the policy", "none", at: test.position)
            }
            throw RehearsalFault(
                "token", "\"authenticator\" to say which of \(names.joined(separator: ", ")) the token is for",
                "a token without", at: test.position)
        }
        guard case .jwt(let authenticator) = snapshot.configuration.authenticators[name]?.kind,
            let source = authenticator.sources.first
        else {
            throw RehearsalFault(
                "token.authenticator", "an authenticator of type jwt", quoted(name),
                at: token.authenticator?.position ?? test.position)
        }
        var token = token
        if let claim = try parentClaim(of: token, of: test, for: authenticator, &store, now: now) {
            // What the test says itself comes before.
            if !token.claims.contains(where: { $0.name == claim.name }) { token.claims.append(claim) }
        }
        request.show(tokens.compact(token, for: authenticator, now: now), in: source)
    }

    /// The claim that names the key or the user which a token lives and dies with; nil where there is none to name.
    private func parentClaim(
        of token: PolicyTestConfiguration.Token, of test: PolicyTestConfiguration,
        for authenticator: JWTAuthenticatorConfiguration, _ store: inout RehearsalStore, now: WallTime
    ) throws(RehearsalFault) -> JSONMember? {
        guard let derivation = authenticator.derivedFrom else {
            if token.key == nil { return nil }
            throw RehearsalFault(
                "token.key", "an authenticator whose tokens are \"derived_from\" keys", "another one", at: test.position)
        }
        let text: String
        switch derivation.source {
        case .keys(let parent):
            guard let key = token.key else { return nil }
            text = KeyFamily(try secret(of: key, authenticator: parent.value, &store, now: now).digest).text
        case .users:
            guard let user = test.user else { return nil }
            text = user.id
        }
        guard let names = JSONPointer(derivation.claim.value)?.names, let first = names.first else { return nil }
        let nowhere = SourcePosition(line: 0, column: 0)
        var node = JSONNode(.string(text), at: nowhere)
        for name in names.dropFirst().reversed() {
            node = JSONNode(.object([JSONMember(name: name, namePosition: nowhere, node: node)]), at: nowhere)
        }
        return JSONMember(name: first, namePosition: nowhere, node: node)
    }

    static func certificate(
        _ parts: [CertificateAuthenticatorConfiguration.Part: [String]], now: WallTime
    ) -> ClientCertificate {
        let fingerprint = parts[.fingerprint]?.first.flatMap { Digest256(hex: $0) }
        var certificate = ClientCertificate.Parts(
            fingerprint: fingerprint ?? Digest256(0, 0, 0, 0), notAfter: now.advanced(by: .seconds(86_400)))
        certificate.subject = parts[.subject]?.first ?? ""
        certificate.commonName = parts[.commonName]?.first
        certificate.dnsNames = parts[.dnsName] ?? []
        certificate.uris = parts[.uri] ?? []
        certificate.emails = parts[.email] ?? []
        return ClientCertificate(certificate)
    }
}

extension PolicyTestConfiguration.Key {
    /// The id of a key of the policy's own.
    var id: String? {
        switch self {
        case .named(let id): id.value
        case .stored: nil
        }
    }
}

extension AuthenticatorConfiguration {
    fileprivate var takesTokens: Bool {
        switch kind {
        case .jwt: true
        case .apiKey, .certificate: false
        }
    }
}
