import Core

extension PolicyDocument {
    /// The rule by which requests to a route are refused with a reason, as far as the two tell; nil for reasons that
    /// come from no rule.
    /// - Parameters:
    ///   - configuration: what this text was read as.
    ///   - credential: the id of the key that was shown.
    ///   - fingerprint: the first 32 bits of the digest of what was shown; of keys that are known and refused, all that
    ///     is told.
    package func rule(
        for reason: String, route name: String?, credential: String?, fingerprint: UInt32? = nil,
        in configuration: Configuration
    ) -> RuleReference? {
        guard let denial = Denial.all.first(where: { $0.reason == reason }) else { return nil }
        let index = configuration.routes.firstIndex { $0.name == name }
        func ofRoute() -> RuleReference? { index.map { rule("routes", .element($0)) } }
        func ofRoute(_ member: String) -> RuleReference? {
            index.map { rule("routes", .element($0), .member(member)) }
        }
        func ofAuthorization(_ member: String) -> RuleReference? {
            index.map { authorizeRule($0, configuration.routes[$0].authorization, .member(member)) }
        }
        let key = credential.flatMap { keyRule($0, in: configuration) }
        return switch denial {
        case .scopeMissing: ofAuthorization("scopes")
        case .claimMismatch: ofAuthorization("claims")
        case .addressNotAllowed:
            index.map { !configuration.routes[$0].authorization.allowedAddresses.isEmpty } ?? false
                ? ofAuthorization("allow_ips") : key ?? ofRoute("authorize")
        case .keyDisabled, .keyExpired, .keyNotYetValid:
            key ?? fingerprint.flatMap { keyRule($0, denial, in: configuration) } ?? ofRoute("authenticate")
        case .rateLimited, .limitsUnavailable: ofRoute("limits")
        case .bodyTooLarge: ofRoute("body_bytes")
        case .routeNotFound:
            index.map { configuration.routes[$0].action?.isPartial ?? false } ?? false ? ofRoute("action") : rule("routes")
        case .methodNotAllowed: index.map { configuration.routes[$0].action?.isPartial ?? false } ?? false ? ofRoute("action") : ofRoute()
        default:
            switch denial.step {
            case .listener: rule("listeners")
            case .client: rule("trusted_proxies")
            case .path: rule("paths")
            case .transport: ofRoute("https_only")
            case .cors: corsRule(of: index)
            case .failureBudget: rule("failure_budget")
            case .credential, .identity: ofRoute("authenticate")
            case .authorization: ofRoute("authorize")
            case .upstream: ofRoute("upstream")
            case .request, .route, .limits, .forwarding: ofRoute()
            }
        }
    }

    /// The `cors` that applies to a route, or to no route: that of the top.
    func corsRule(of route: Int?) -> RuleReference {
        guard let route, has("routes", .element(route), "cors") else { return rule("cors") }
        return rule("routes", .element(route), "cors")
    }

    private func keyRule(_ id: String, in configuration: Configuration) -> RuleReference? {
        for name in configuration.authenticators.keys.sorted() {
            if let index = index(in: "authenticators", .member(name), "keys", where: "id", is: id) {
                return rule("authenticators", .member(name), "keys", .element(index))
            }
        }
        return nil
    }

    /// The member of a key's record that a denial comes from, the key known by its fingerprint.
    private func keyRule(_ fingerprint: UInt32, _ denial: Denial, in configuration: Configuration) -> RuleReference? {
        guard let member = denial.keyMember else { return nil }
        for name in configuration.authenticators.keys.sorted() {
            guard case .apiKey(let authenticator)? = configuration.authenticators[name]?.kind else { continue }
            for key in authenticator.keys {
                guard let secret = key.secrets.first(where: { $0.digest.fingerprint == fingerprint }) else { continue }
                let index = index(in: "authenticators", .member(name), "keys", where: "id", is: key.id)
                if let index { return keyRule(index, of: name, secret.digest, member) }
            }
        }
        return nil
    }
}
