import Core

/// The actions that make tokens.
extension ConfigurationReader {
    /// The longest life of a token or refresh token that a file may set.
    private static let lifetimes: ClosedRange<Nanoseconds> = .seconds(1)...(.seconds(3653 * 86_400))

    mutating func mintToken(_ node: LocatedNode) -> MintTokenConfiguration? {
        guard let members = object(node, .mintToken), let base = inherited(members, by: node) else { return nil }
        var addresses = base.addresses
        if let place = members["addresses"] { addresses = base.terms != nil && place.isNull ? nil : tokenAddresses(place) }
        return tokenTerms(members, lifetime: .seconds(86_400), like: base.terms).map {
            MintTokenConfiguration(terms: $0, addresses: addresses)
        }
    }

    mutating func refreshToken(_ node: LocatedNode) -> RefreshTokenConfiguration? {
        guard let members = object(node, .refreshToken), let base = inherited(members, by: node) else { return nil }
        return tokenTerms(members, lifetime: .seconds(3600), like: base.terms).map { RefreshTokenConfiguration(terms: $0) }
    }

    mutating func login(_ node: LocatedNode) -> LoginConfiguration? {
        guard let members = object(node, .login) else { return nil }
        var attempts = FailureBudgetConfiguration.accountAttempts
        if let place = members["attempts"] { attempts = failureBudget(place) ?? attempts }
        return tokenTerms(members, lifetime: .seconds(3600), like: nil).map { LoginConfiguration(terms: $0, attempts: attempts) }
    }

    mutating func publishKeys(_ node: LocatedNode) -> ActionConfiguration? {
        guard let members = object(node, .publishKeys) else { return nil }
        let x5c = members["x5c"].map { choice($0, of: PublishedX5C.self) != nil } ?? false
        guard let keySet = reference(members["key_set"], to: .keySet) else { return nil }
        var publication = PublishKeysConfiguration(keySet: keySet)
        publication.hasPublicKeyInX5C = x5c
        return .publishKeys(publication)
    }

    /// What an action has from the one that it is like: nothing where it is like none, nil after an error.
    private mutating func inherited(
        _ members: ObjectMembers, by action: LocatedNode
    ) -> (terms: TokenTerms?, addresses: TokenAddressTerms?)? {
        guard let place = members[ActionInheritance.member] else {
            if members["key_set"] == nil {
                report(.memberMissing, at: action, "the member \"key_set\" is missing, or \"like\" with the name of a route")
            }
            return (nil, nil)
        }
        guard let name = string(place, expected: "the name of a route") else { return nil }
        let inheritance = ActionInheritance(routes: routeNodes.map(\.node))
        let base: ActionInheritance.Base
        do throws(ActionInheritance.Fault) { base = try inheritance.base(named: name.value, for: action.node) } catch {
            switch error {
            case .routeUnknown:
                let hint = Suggestion.phrase(for: name.value, among: inheritance.names)
                report(.referenceUnknown, at: place, "no route named \(quoted(name.value))\(hint)")
            case .itself: report(.referenceUnknown, at: place, "a route cannot be like itself")
            case .withoutTokens:
                report(.referenceUnknown, at: place, "the route \(quoted(name.value)) has no action \"login\" or \"mint_token\"")
            case .chained(let other):
                report(.referenceUnknown, at: place, "the route \(quoted(name.value)) is itself like \(quoted(other)): name that one")
            }
            return nil
        }
        // What is wrong there is reported there.
        var other = self
        let path = LocatedNode.path(LocatedNode.path(routeNodes[base.route].path, member: "action"), member: base.kind.rawValue)
        let node = LocatedNode(node: base.node, path: path)
        var terms: TokenTerms?
        var addresses: TokenAddressTerms?
        switch base.kind {
        case .login: terms = other.login(node)?.terms
        case .mintToken:
            let mint = other.mintToken(node)
            terms = mint?.terms
            addresses = mint?.addresses
        }
        guard var terms else { return nil }
        terms.keySet = Located(terms.keySet.value, at: place.position, path: place.path)
        return (terms, addresses)
    }

    /// - Parameters:
    ///   - lifetime: of tokens where the action says nothing of it.
    ///   - base: the terms of the action that this one is like: its own members replace them, and null drops them.
    private mutating func tokenTerms(_ members: ObjectMembers, lifetime: Nanoseconds, like base: TokenTerms?) -> TokenTerms? {
        let own = { (name: String) in members[name].flatMap { base != nil && $0.isNull ? nil : $0 } }
        let inherited = { (name: String) in members[name] == nil ? base : nil }
        let claims = tokenTemplate(own("claims"), isClaims: true) ?? inherited("claims")?.claims ?? .standardClaims
        let answer = tokenTemplate(own("answer"), isClaims: false) ?? inherited("answer")?.answer ?? .standardAnswer
        let algorithm = signingAlgorithm(own("algorithm"))
        let maximum = duration(own("max_lifetime"), in: Self.lifetimes)
        let refreshTokens = refreshTokenTerms(own("refresh_tokens"))
        guard let keySet = keySet(members, like: base) else { return nil }
        var terms = TokenTerms(keySet: keySet, claims: claims, answer: answer)
        terms.algorithm = algorithm ?? inherited("algorithm")?.algorithm
        terms.namesKey = boolean(own("kid")) ?? inherited("kid")?.namesKey ?? terms.namesKey
        terms.maximumLifetime = maximum ?? inherited("max_lifetime")?.maximumLifetime
        terms.lifetime =
            duration(own("lifetime"), in: Self.lifetimes) ?? inherited("lifetime")?.lifetime
            ?? min(lifetime, terms.maximumLifetime ?? lifetime)
        if let maximum = terms.maximumLifetime, terms.lifetime > maximum, let place = own("lifetime") ?? own("max_lifetime") {
            report(.valueOutOfRange, at: place, "\"lifetime\" is longer than \"max_lifetime\"")
        }
        if claims.path(of: .expiresAt) == nil, let place = own("claims") {
            report(.memberMissing, at: place, "a token ends: one of the claims is \"{expires_at}\"")
        }
        terms.refreshTokens = refreshTokens ?? inherited("refresh_tokens")?.refreshTokens
        return terms
    }

    /// The key set that signs; a sign-in without one is reported with its other members.
    private mutating func keySet(_ members: ObjectMembers, like base: TokenTerms?) -> Located<String>? {
        if let place = members["key_set"] { return reference(place, to: .keySet) }
        return base?.keySet
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

/// What the member `x5c` of published keys has.
private enum PublishedX5C: String, CaseIterable {
    case publicKey = "public_key"
}
