import Core

extension ConfigurationWarnings {
    /// Fields of the CORS protocol that are written by hand where `cors` says them.
    mutating func reviewCORS() {
        var profiles: Set<String> = []
        if case .own = configuration.cors { profiles.insert(configuration.responses) }
        for route in configuration.routes where saysCORS(route) {
            profiles.insert(route.responses?.value ?? configuration.responses)
            warnings.route = route.name
            for header in route.setResponseHeaders { reviewCORSField(header) }
            warnings.route = nil
        }
        for name in profiles.sorted() {
            guard let profile = configuration.profiles[name] else { continue }
            let answers = [profile.fallback] + profile.kinds.values + profile.statuses.values + profile.reasons.values
            for answer in answers { for header in answer.headers { reviewCORSField(header) } }
        }
    }

    private func saysCORS(_ route: RouteConfiguration) -> Bool {
        switch (route.cors, configuration.cors) {
        case (.set(.own), _), (.inherited, .own): true
        case (.set(.upstream), _), (.dropped, _), (.inherited, .upstream), (.inherited, nil): false
        }
    }

    private mutating func reviewCORSField(_ header: HeaderTemplate) {
        guard CORSRule.isCORSField(header.name.utf8.span) else { return }
        warn(
            .corsFieldsSet, at: header.template.position, path: header.template.path,
            "left out, since \"cors\" says this: a browser takes no answer with two such fields")
    }
}
