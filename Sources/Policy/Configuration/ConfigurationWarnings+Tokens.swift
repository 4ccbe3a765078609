import Core

extension ConfigurationWarnings {
    /// Whose tokens an authenticator of tokens takes beyond those that are meant for it.
    mutating func review(_ jwt: JWTAuthenticatorConfiguration, at position: SourcePosition, path: String) {
        let isOwn = takesOwnTokensOnly(jwt)
        if jwt.audiences.isEmpty, !jwt.refusesAudiences {
            if !isOwn {
                warn(
                    .audienceMissing, at: position, path: path,
                    "tokens that are meant for another service are accepted: name the accepted values of \"aud\" in \"audiences\", "
                        + "or write \"none\" where tokens have no \"aud\"")
            } else if let route = routeThatWrites("aud", into: jwt.keySet.value) {
                warn(
                    .audienceMissing, at: position, path: path,
                    "routes[\(route)] writes \"aud\" into tokens of this key set, and it is not checked here: "
                        + "name the accepted values in \"audiences\"")
            }
        }
        if jwt.issuers.isEmpty, !jwt.takesAnyIssuer {
            if !isOwn {
                warn(
                    .issuerMissing, at: position, path: path,
                    "tokens of every issuer that signs with these keys are accepted: name the accepted values of \"iss\" in "
                        + "\"issuer\", or write \"any\" where all of them are meant")
            } else if let route = routeThatWrites("iss", into: jwt.keySet.value) {
                warn(
                    .issuerMissing, at: position, path: path,
                    "routes[\(route)] writes \"iss\" into tokens of this key set, and it is not checked here: "
                        + "name the accepted values in \"issuer\"")
            }
        }
        // A longest lifetime refuses tokens without an end.
        if !jwt.requiresExpiry, jwt.maxLifetime == nil {
            let end =
                switch jwt.derivedFrom?.source {
                case nil: "never expire"
                case .keys: "are valid as long as the key that they are derived from"
                case .users: "are valid as long as the user that they are derived from"
                }
            warn(.expiryNotRequired, at: position, path: path, "tokens without \"exp\" \(end)")
        }
    }

    /// Tokens of other services cannot be meant: the gateway alone has the keys that sign, or a token has to name the secret of
    /// one of its API keys.
    private func takesOwnTokensOnly(_ jwt: JWTAuthenticatorConfiguration) -> Bool {
        if case .keys? = jwt.derivedFrom?.source { return true }
        guard configuration.keySets[jwt.keySet.value]?.source.isStored == true else { return false }
        // Callers that manage JWT keys bring keys of their own, or see the gateway's.
        return !configuration.routes.contains { route in
            guard case .manage(let management)? = route.action else { return false }
            return management.keySet?.value == jwt.keySet.value
        }
    }

    /// The first route whose action puts a claim into tokens that it signs with a key set.
    private func routeThatWrites(_ claim: String, into keySet: String) -> Int? {
        configuration.routes.firstIndex { route in
            guard let terms = route.action?.terms, terms.keySet.value == keySet, case .object(let members) = terms.claims else {
                return false
            }
            return members.contains { $0.name == claim }
        }
    }
}
