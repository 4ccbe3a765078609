import Core

/// Where a route looks for credentials.
extension PolicyCompiler {
    mutating func credentialPlan(_ route: RouteConfiguration, at index: Int) -> CredentialPlan? {
        var plan = CredentialPlan()
        switch route.requirement {
        case .none: return plan
        case .anyOf(let names), .optional(let names):
            if case .optional = route.requirement { plan.isOptional = true }
            guard let group = group(names, route, at: index) else { return nil }
            plan.groups = [group]
        case .allOf(let names):
            for name in names {
                guard let group = group([name], route, at: index) else { return nil }
                plan.groups.append(group)
            }
        }
        guard !plan.groups.isEmpty, !plan.groups.contains(where: \.isEmpty) else {
            fail(.authenticationMissing, route.position, route.path(of: "authenticate", at: index), "names no authenticator")
            return nil
        }
        return plan
    }

    /// The places where some authenticators look, each place once, in the order of the configuration.
    private mutating func group(
        _ names: [Located<String>], _ route: RouteConfiguration, at index: Int
    ) -> [CredentialPlan.Probe]? {
        var collected = ProbeCollection()
        for name in names {
            guard let authenticator = configuration.authenticators[name.value] else {
                fail(.referenceUnknown, name.position, name.path, "no authenticator named \(quoted(name.value))")
                return nil
            }
            switch authenticator.kind {
            case .apiKey(let keys):
                guard let compiled = keyAuthenticators[name.value] else { return nil }
                for source in keys.sources { collected.add(source, keys: compiled) }
            case .jwt(let tokens):
                guard let compiled = verifiers[name.value] else { return nil }
                for source in tokens.sources { collected.add(source, tokens: compiled) }
            case .certificate:
                guard let compiled = certificateAuthenticators[name.value] else { return nil }
                collected.add(compiled)
            }
        }
        do throws(IssuerTable.Conflict) { return try collected.probes() } catch {
            fail(
                .issuerAmbiguous, names.first?.position ?? route.position, route.path(of: "authenticate", at: index),
                error.message)
            return nil
        }
    }
}

extension IssuerTable.Conflict {
    /// One line, for diagnostics.
    fileprivate var message: String {
        switch self {
        case .sameIssuer(let issuer, let first, let second):
            "\(quoted(first)) and \(quoted(second)) look at the same place for tokens of \(quoted(issuer))"
        case .anyIssuer(let first, let second):
            "\(quoted(first)) and \(quoted(second)) look at the same place and take tokens of any issuer"
        }
    }
}
