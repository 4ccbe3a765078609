import Core

/// The actions that make tokens.
extension ConfigurationReader {
    /// The longest life of a token or refresh token that a file may set.
    private static let lifetimes: ClosedRange<Nanoseconds> = .seconds(1)...(.seconds(3653 * 86_400))

    mutating func mintToken(_ node: LocatedNode) -> MintTokenConfiguration? {
        guard let members = object(node, .mintToken) else { return nil }
        let addresses = tokenAddresses(members["addresses"])
        return tokenTerms(members, lifetime: .seconds(86_400)).map {
            MintTokenConfiguration(terms: $0, addresses: addresses)
        }
    }

    mutating func refreshToken(_ node: LocatedNode) -> RefreshTokenConfiguration? {
        guard let members = object(node, .refreshToken) else { return nil }
        return tokenTerms(members, lifetime: .seconds(3600)).map { RefreshTokenConfiguration(terms: $0) }
    }

    mutating func login(_ node: LocatedNode) -> LoginConfiguration? {
        guard let members = object(node, .login) else { return nil }
        var attempts = FailureBudgetConfiguration.accountAttempts
        if let place = members["attempts"] { attempts = failureBudget(place) ?? attempts }
        return tokenTerms(members, lifetime: .seconds(3600)).map { LoginConfiguration(terms: $0, attempts: attempts) }
    }

    mutating func publishKeys(_ node: LocatedNode) -> ActionConfiguration? {
        guard let members = object(node, .publishKeys) else { return nil }
        return reference(members["key_set"], to: .keySet).map { .publishKeys(keySet: $0) }
    }

    private mutating func tokenTerms(_ members: ObjectMembers, lifetime: Nanoseconds) -> TokenTerms? {
        let claims = tokenTemplate(members["claims"], isClaims: true) ?? .standardClaims
        let answer = tokenTemplate(members["answer"], isClaims: false) ?? .standardAnswer
        guard let keySet = reference(members["key_set"], to: .keySet) else { return nil }
        var terms = TokenTerms(keySet: keySet, claims: claims, answer: answer)
        terms.algorithm = signingAlgorithm(members["algorithm"])
        terms.namesKey = boolean(members["kid"]) ?? terms.namesKey
        terms.maximumLifetime = duration(members["max_lifetime"], in: Self.lifetimes)
        terms.lifetime = duration(members["lifetime"], in: Self.lifetimes) ?? min(lifetime, terms.maximumLifetime ?? lifetime)
        if let maximum = terms.maximumLifetime, terms.lifetime > maximum, let place = members["lifetime"] {
            report(.valueOutOfRange, at: place, "\"lifetime\" is longer than \"max_lifetime\"")
        }
        if claims.path(of: .expiresAt) == nil, let place = members["claims"] {
            report(.memberMissing, at: place, "a token ends: one of the claims is \"{expires_at}\"")
        }
        terms.refreshTokens = refreshTokenTerms(members["refresh_tokens"])
        return terms
    }

    private mutating func refreshTokenTerms(_ node: LocatedNode?) -> RefreshTokenTerms? {
        guard let members = object(node, .refreshTokens) else { return nil }
        let family = duration(members["family_lifetime"], in: Self.lifetimes)
        guard let lifetime = duration(members["lifetime"], in: Self.lifetimes) else { return nil }
        return RefreshTokenTerms(lifetime: lifetime, familyLifetime: family)
    }

    private mutating func tokenAddresses(_ node: LocatedNode?) -> TokenAddressTerms? {
        guard let members = object(node, .tokenAddresses) else { return nil }
        var terms = TokenAddressTerms()
        terms.isProtected = boolean(members["protect"]) ?? terms.isProtected
        terms.valueLimit = integer(members["values"], in: 1...TokenIdentity.addressLimit) ?? terms.valueLimit
        terms.addressLimit =
            integer(members["addresses"], in: 1...4_294_967_296).map { UInt64(clamping: $0) } ?? terms.addressLimit
        return terms
    }

    /// An algorithm the gateway signs with.
    private mutating func signingAlgorithm(_ node: LocatedNode?) -> SignatureAlgorithm? {
        guard let node, let algorithm = choice(node, of: SignatureAlgorithm.self) else { return nil }
        switch algorithm {
        case .hs256, .hs384, .hs512, .rs256: return algorithm
        case .rs384, .rs512, .ps256, .ps384, .ps512, .es256, .es384, .es512, .eddsa:
            report(.valueUnknown, at: node, "tokens are signed with HS256, HS384, HS512 or RS256")
            return nil
        }
    }

    private mutating func tokenTemplate(_ node: LocatedNode?, isClaims: Bool) -> TokenTemplate? {
        guard let node else { return nil }
        guard case .object = node.value else {
            report(.typeWrong, at: node, "expected an object of claims or members, found \(node.value.phrase)")
            return nil
        }
        do throws(TokenTemplate.Fault) { return try TokenTemplate(node.node, isClaims: isClaims) } catch {
            switch error {
            case .unknownPlaceholder(let name):
                let hint = Suggestion.phrase(for: name, among: TokenPlaceholder.allCases.map(\.rawValue))
                report(.templateInvalid, at: node, "no placeholder named \(quoted(name))\(hint); write \"{{\" for a brace")
            case .notInClaims(let placeholder):
                report(
                    .templateInvalid, at: node,
                    "\(quoted(placeholder.rawValue)) is there only once the token is made: it belongs to \"answer\"")
            }
            return nil
        }
    }

    /// Once everything has been read: actions sign with, and publish, keys that the gateway makes itself.
    mutating func checkActionKeySets() {
        for route in configuration.routes {
            guard let action = route.action, let name = action.keySet, let keySet = configuration.keySets[name.value] else {
                continue
            }
            guard case .stored(let algorithms) = keySet.source else {
                report(
                    .valueUnknown, at: name.position, path: name.path,
                    "the key set \(quoted(name.value)) is not \"stored\": the gateway has no keys of it to sign with")
                continue
            }
            guard let algorithm = action.terms?.algorithm, !algorithms.contains(algorithm) else { continue }
            report(
                .valueUnknown, at: name.position, path: name.path,
                "\(quoted(algorithm.rawValue)) is not one of the algorithms of the key set \(quoted(name.value))")
        }
    }

    /// What a route with an action asks of its callers fits the action.
    mutating func checkAction(_ action: ActionConfiguration, of route: RouteConfiguration, at node: LocatedNode) {
        switch action {
        case .mintToken:
            if route.admitsStrangers {
                report(
                    .authenticationMissing, at: node,
                    "\"mint_token\" makes tokens for callers: \"authenticate\" is a list of authenticators")
            }
        case .refreshToken(let refresh):
            if route.admitsStrangers, refresh.terms.refreshTokens == nil {
                report(
                    .authenticationMissing, at: node,
                    "\"refresh_token\" takes the caller's token, or has \"refresh_tokens\" and takes those")
            }
        case .login, .manage, .publishKeys, .notFound: return
        }
    }
}

extension RouteConfiguration {
    /// Requests without any credential are let in.
    var admitsStrangers: Bool {
        switch requirement {
        case .none, .optional: true
        case .anyOf, .allOf: false
        }
    }
}
