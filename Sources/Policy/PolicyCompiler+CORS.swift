import Core

/// What answers say to pages of other origins.
extension PolicyCompiler {
    /// The rule of answers to requests that have no route.
    func corsRule() -> CORSRule? {
        guard let setting = configuration.cors else { return nil }
        let names = configuration.authenticators.keys.sorted().flatMap { requestFields(of: $0) }
        return corsRule(setting, read: names, rates: configuration.rateHeaders)
    }

    /// The rule of a route; nil where none applies.
    func corsRule(of route: RouteConfiguration, rates: RateHeaderStyle) -> CORSRule? {
        let setting: CORSSetting
        switch route.cors {
        case .dropped: return nil
        case .set(let own): setting = own
        case .inherited:
            guard let top = configuration.cors else { return nil }
            // An action has no upstream whose word could count, and its answers are not for every page.
            if top == .upstream, route.action != nil { return nil }
            setting = top
        }
        let names = route.requirement.authenticators.flatMap { requestFields(of: $0.value) }
            + [route.realm?.header].compactMap(\.self) + route.headers.map(\.name)
        return corsRule(setting, read: names, rates: rates)
    }

    /// With `"upstream"` the gateway's own answers may be read by the origins of the top-level `cors`; where that lists none,
    /// by every page, without credentials: they hold nothing of the API.
    private func corsRule(_ setting: CORSSetting, read names: [String], rates: RateHeaderStyle) -> CORSRule {
        var terms = CORSConfiguration()
        var leavesUpstream = false
        switch (setting, configuration.cors) {
        case (.own(let own), _): terms = own
        case (.upstream, .own(let top)): (terms, leavesUpstream) = (top, true)
        case (.upstream, .upstream), (.upstream, nil): leavesUpstream = true
        }
        var read: [String] = []
        for name in ["Authorization", "Content-Type"] + names where !read.contains(where: { $0.lowercasedASCII == name.lowercasedASCII }) {
            read.append(name)
        }
        return CORSRule(terms, leavesUpstream: leavesUpstream, read: read, rates: rates)
    }

    /// The request fields that an authenticator reads, beside cookies, which no page sets.
    private func requestFields(of authenticator: String) -> [String] {
        let sources: [CredentialSource]
        switch configuration.authenticators[authenticator]?.kind {
        case .apiKey(let keys): sources = keys.sources
        case .jwt(let tokens): sources = tokens.sources
        case .certificate, nil: sources = []
        }
        return sources.compactMap { source in
            switch source {
            case .header(let name): name
            case .bearer: "Authorization"
            case .query, .cookie: nil
            }
        }
    }
}
