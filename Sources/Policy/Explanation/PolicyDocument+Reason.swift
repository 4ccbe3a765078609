import Core

extension PolicyDocument {
    /// The rule by which requests to a route are refused with a reason, as far as the two tell; nil for reasons that
    /// come from no rule.
    /// - Parameters:
    ///   - configuration: what this text was read as.
    ///   - credential: the id of the key that was shown.
    package func rule(
        for reason: String, route name: String?, credential: String?, in configuration: Configuration
    ) -> RuleReference? {
        guard let denial = Denial.all.first(where: { $0.reason == reason }) else { return nil }
        let index = configuration.routes.firstIndex { $0.name == name }
        func ofRoute(_ members: String...) -> RuleReference? {
            guard let index else { return nil }
            switch members.count {
            case 1: return rule("routes", .element(index), .member(members[0]))
            case 2: return rule("routes", .element(index), .member(members[0]), .member(members[1]))
            default: return rule("routes", .element(index))
            }
        }
        let key = credential.flatMap { keyRule($0, in: configuration) }
        return switch denial {
        case .scopeMissing: ofRoute("authorize", "scopes")
        case .claimMismatch: ofRoute("authorize", "claims")
        case .addressNotAllowed:
            index.map { has("routes", .element($0), "authorize", "allow_ips") } ?? false
                ? ofRoute("authorize", "allow_ips") : key ?? ofRoute("authorize")
        case .keyDisabled, .keyExpired, .keyNotYetValid: key ?? ofRoute("authenticate")
        case .rateLimited, .limitsUnavailable: ofRoute("limits")
        case .bodyTooLarge: ofRoute("body_bytes")
        case .routeNotFound: rule("routes")
        default:
            switch denial.step {
            case .client: rule("trusted_proxies")
            case .path: rule("paths")
            case .transport: ofRoute("https_only")
            case .failureBudget: rule("failure_budget")
            case .credential, .identity: ofRoute("authenticate")
            case .authorization: ofRoute("authorize")
            case .upstream: ofRoute("upstream")
            case .request, .route, .limits, .forwarding: ofRoute()
            }
        }
    }

    private func keyRule(_ id: String, in configuration: Configuration) -> RuleReference? {
        for name in configuration.authenticators.keys.sorted() {
            if let index = index(in: "authenticators", .member(name), "keys", where: "id", is: id) {
                return rule("authenticators", .member(name), "keys", .element(index))
            }
        }
        return nil
    }
}
