import Core

extension ConfigurationReader {
    private enum AuthenticatorType: String, CaseIterable {
        case apiKey = "api_key"
        case jwt = "jwt"
        case certificate = "certificate"
    }

    mutating func readAuthenticators(_ node: LocatedNode?) {
        for entry in map(node, of: "authenticators by name") {
            guard checkName(entry.name, at: entry.namePosition, path: entry.node.path) else { continue }
            guard case .object(let members) = entry.node.value else {
                _ = object(entry.node, .apiKeyAuthenticator)
                continue
            }
            let all = ObjectMembers(position: entry.node.position, path: entry.node.path, members: members)
            guard let typeNode = all["type"] else {
                report(.memberMissing, at: entry.node, "the member \"type\" is missing: \"api_key\", \"jwt\" or \"certificate\"")
                continue
            }
            guard let type = choice(typeNode, of: AuthenticatorType.self) else { continue }
            let kind: AuthenticatorConfiguration.Kind? =
                switch type {
                case .apiKey: apiKeyAuthenticator(entry.node).map { .apiKey($0) }
                case .jwt: jwtAuthenticator(entry.node).map { .jwt($0) }
                case .certificate: certificateAuthenticator(entry.node).map { .certificate($0) }
                }
            guard let kind else { continue }
            configuration.authenticators[entry.name] = AuthenticatorConfiguration(
                name: entry.name, kind: kind, position: entry.node.position)
        }
    }

    private mutating func apiKeyAuthenticator(_ node: LocatedNode) -> APIKeyAuthenticatorConfiguration? {
        guard let members = object(node, .apiKeyAuthenticator) else { return nil }
        let allowsQuery = boolean(members["allow_query"]) ?? false
        let pepper = secretReference(members["pepper"])
        let keys = apiKeys(members["keys"], isPeppered: members["pepper"] != nil)
        let keysFile = filePath(members["keys_file"])
        let isStored = stored(members["stored"])
        if members["keys"] == nil, members["keys_file"] == nil, !isStored {
            report(
                .memberMissing, at: node,
                "an authenticator of API keys has \"keys\", \"keys_file\" or \"stored\": true, or several of them")
        }
        var authenticator = APIKeyAuthenticatorConfiguration(
            sources: sources(members["from"], allowsQuery: allowsQuery), pepper: pepper, keys: keys, keysFile: keysFile)
        authenticator.isStored = isStored
        authenticator.format = keyFormat(members["format"]) ?? .standard
        authenticator.takesRealmSuffix = boolean(members["realm_suffix"]) ?? false
        return authenticator
    }

    private mutating func apiKeys(_ node: LocatedNode?, isPeppered: Bool) -> [APIKeyConfiguration] {
        let parser = APIKeyRecordParser(digestMember: isPeppered ? .hmacSHA256 : .sha256)
        var keys: [APIKeyConfiguration] = []
        for element in list(node, of: "key records") ?? [] {
            var errors: [APIKeyRecordError] = []
            if let key = parser.parse(element.node, path: element.path, errors: &errors) {
                references += key.limits.map { (.limit, $0) }
                keys.append(key)
            }
            for error in errors { report(error.code, at: error.position, path: error.path, error.message) }
        }
        return keys
    }

    private mutating func jwtAuthenticator(_ node: LocatedNode) -> JWTAuthenticatorConfiguration? {
        guard let members = object(node, .jwtAuthenticator) else { return nil }
        let takesAnyIssuer = members["issuer"]?.isText("any") ?? false
        let issuers = takesAnyIssuer ? [] : stringOrStrings(members["issuer"], of: "issuers")
        for issuer in issuers { checkPlaceholder(issuer, .fieldValueInvalid, "an issuer") }
        let keySet =
            members["key_set"] == nil
            ? discoveredKeySet(of: issuers, hasIssuer: members["issuer"] != nil && !takesAnyIssuer, at: node)
            : reference(members["key_set"], to: .keySet)
        var jwt = JWTAuthenticatorConfiguration(keySet: keySet ?? Located("", at: node.position, path: node.path))
        if let from = members["from"] { jwt.sources = sources(from, allowsQuery: nil) }
        jwt.issuers = issuers.map(\.value)
        jwt.takesAnyIssuer = takesAnyIssuer
        if let audiences = members["audiences"] {
            jwt.refusesAudiences = audiences.isText("none")
            if !jwt.refusesAudiences { jwt.audiences = stringOrStrings(audiences, of: "audiences").map(\.value) }
        }
        var isEd25519Named = false
        for element in filledList(members["algorithms"], of: "algorithms") ?? [] {
            guard let algorithm = signatureAlgorithm(element) else { continue }
            if jwt.algorithms.contains(algorithm) {
                // Issuers in the middle of the change have tokens with either name of the one algorithm.
                if algorithm == .eddsa, element.isText(SignatureAlgorithm.ed25519Name) != isEd25519Named { continue }
                report(.valueDuplicate, at: element, "\(quoted(algorithm.rawValue)) stands in the list twice")
            } else {
                jwt.algorithms.append(algorithm)
                if algorithm == .eddsa { isEd25519Named = element.isText(SignatureAlgorithm.ed25519Name) }
            }
        }
        jwt.leeway = duration(members["leeway"], in: 0...(.seconds(300))) ?? jwt.leeway
        jwt.requiresExpiry = boolean(members["require_exp"]) ?? jwt.requiresExpiry
        jwt.maxLifetime = duration(members["max_lifetime"], in: .seconds(1)...(.seconds(3660 * 86_400)))
        jwt.types = strings(members["types"], of: "token types").map(\.value)
        jwt.requiredClaims = requiredClaims(members["required_claims"])
        jwt.subjectClaim = pointer(members["subject_claim"]) ?? jwt.subjectClaim
        jwt.scopesClaim = pointer(members["scopes_claim"])
        jwt.addressesClaim = pointer(members["addresses_claim"]) ?? jwt.addressesClaim
        jwt.derivedFrom = derivation(members["derived_from"])
        if let bytes = byteSize(members["token_bytes"], in: 256...65_536) {
            jwt.tokenByteLimit = Int(exactly: bytes) ?? jwt.tokenByteLimit
        }
        return jwt
    }

    /// The key set of an authenticator that names none: where its one issuer's metadata say. It has the issuer's name, which
    /// no key set of the file can have, so that authenticators of one issuer share it.
    private mutating func discoveredKeySet(
        of issuers: [Located<String>], hasIssuer: Bool, at node: LocatedNode
    ) -> Located<String>? {
        guard let issuer = issuers.first else {
            // An issuer that is wrong in itself has been reported.
            if !hasIssuer {
                report(
                    .memberMissing, at: node,
                    "the member \"key_set\" is missing; only keys of an \"issuer\" that is a URL are found without it")
            }
            return nil
        }
        guard issuers.count == 1 else {
            report(
                .issuerAmbiguous, at: issuers[1].position, path: issuers[1].path,
                "without \"key_set\" the keys of one issuer are found; give each its own authenticator")
            return nil
        }
        guard Self.isIssuerURL(issuer.value) else {
            report(
                .urlInvalid, at: issuer.position, path: issuer.path,
                "\(quoted(issuer.value)) is no URL at which keys could be found; name their \"key_set\"")
            return nil
        }
        if configuration.keySets[issuer.value] == nil {
            configuration.keySets[issuer.value] = KeySetConfiguration(
                source: .discovery(issuer: issuer), position: issuer.position)
        }
        return issuer
    }

    private mutating func requiredClaims(_ node: LocatedNode?) -> [(pointer: Located<String>, value: String?)] {
        var claims: [(pointer: Located<String>, value: String?)] = []
        for entry in map(node, of: "claims by JSON Pointer") {
            guard checkPointer(entry.name, at: entry.namePosition, path: entry.node.path) else { continue }
            let pointer = Located(entry.name, at: entry.namePosition, path: entry.node.path)
            if case .bool(true) = entry.node.value {
                claims.append((pointer, nil))
            } else if let value = string(entry.node, expected: "the value of the claim, or true where any will do") {
                claims.append((pointer, value.value))
            }
        }
        return claims
    }

    mutating func pointer(_ node: LocatedNode?) -> String? {
        guard let node, let text = string(node, expected: "a JSON Pointer such as \"/sub\"") else { return nil }
        return checkPointer(text.value, at: node.position, path: node.path) ? text.value : nil
    }

    mutating func checkPointer(_ text: String, at position: SourcePosition, path: String) -> Bool {
        if TemplateSyntax.isPointer(text) { return true }
        report(
            .pointerInvalid, at: position, path: path,
            "\(quoted(text)) is no JSON Pointer to a claim; write \"/name\" or \"/outer/inner\"")
        return false
    }

    /// Credential sources. `allowsQuery` is nil where no setting could allow a query parameter.
    private mutating func sources(_ node: LocatedNode?, allowsQuery: Bool?) -> [CredentialSource] {
        var sources: [CredentialSource] = []
        for element in filledList(node, of: "sources") ?? [] {
            guard let text = string(element, expected: "a source such as \"header:X-API-Key\"") else { continue }
            guard let source = Self.source(text.value) else {
                report(
                    .sourceInvalid, at: element,
                    "\(quoted(text.value)) is no source of credentials; write \"header:NAME\", \"bearer\", "
                        + "\"bearer:PREFIX\", \"cookie:NAME\" or \"query:NAME\""
                )
                continue
            }
            if case .header(let name) = source, name.lowercasedASCII == "sec-websocket-protocol" {
                report(
                    .sourceInvalid, at: element,
                    "a list of subprotocols is not a credential: let clients that can set no field send a cookie (\"cookie:NAME\"), "
                        + "or a short-lived key in the query (\"query:NAME\")")
            }
            if case .query = source, allowsQuery != true {
                report(
                    .querySourceNotAllowed, at: element,
                    allowsQuery == nil
                        ? "a token is not taken from the query, where it ends up in logs and histories"
                        : "a key in the query ends up in logs and histories; say \"allow_query\": true if it has to be")
            }
            if sources.contains(source) {
                report(.valueDuplicate, at: element, "\(quoted(text.value)) stands in the list twice")
            } else {
                sources.append(source)
            }
        }
        return sources
    }

    private static func source(_ text: String) -> CredentialSource? {
        if text == "bearer" { return .bearer(prefix: "") }
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let argument = String(text[text.index(after: colon)...])
        guard (1...128).contains(argument.utf8.count) else { return nil }
        switch text[..<colon] {
        case "bearer":
            // The characters of token68 but "=", which only ends one (RFC 9110 §11.2).
            let isPrefix = argument.utf8.allSatisfy {
                $0.isLetterOrDigit || [0x2D, 0x2E, 0x5F, 0x7E, 0x2B, 0x2F].contains($0)
            }
            return isPrefix ? .bearer(prefix: argument) : nil
        case "header":
            let isOther =
                !HeaderRule.isOwned(argument) && !["authorization", "cookie"].contains(argument.lowercasedASCII)
            return argument.isToken && isOther ? .header(argument) : nil
        case "cookie": return argument.isToken ? .cookie(argument) : nil
        case "query":
            let isName = argument.utf8.allSatisfy { $0.isLetterOrDigit || [0x2D, 0x2E, 0x5F, 0x7E].contains($0) }
            return isName ? .query(argument) : nil
        default: return nil
        }
    }
}
