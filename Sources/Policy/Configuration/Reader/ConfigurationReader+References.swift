import Core

/// What is checked once everything has been read.
extension ConfigurationReader {
    /// A name that must be defined elsewhere in the file.
    mutating func reference(_ node: LocatedNode?, to kind: ReferenceKind) -> Located<String>? {
        guard
            let name = string(
                node,
                expected: "the name of \(kind == .upstream || kind == .authenticator ? "an" : "a") \(kind.rawValue)")
        else { return nil }
        references.append((kind, name))
        return name
    }

    mutating func checkReferences() {
        for (kind, name) in references {
            let defined = definedNames[kind, default: []]
            if defined.contains(name.value) { continue }
            let hint = Suggestion.phrase(for: name.value, among: defined)
            report(
                .referenceUnknown, at: name.position, path: name.path,
                "no \(kind.rawValue) named \(quoted(name.value))\(hint)")
        }
    }

    /// `{path.NAME}` in a route's templates names a capture of its own pattern.
    mutating func checkCaptures(of route: RouteConfiguration) {
        guard let captures = try? PathPattern(route.path.value).captures else { return }
        let templates =
            (route.setRequestHeaders + route.setQueryParameters + route.setContentMembers)
            .map(\.template) + route.authorizations.flatMap(\.templates) + [route.upstreamPath].compactMap(\.self)
        for template in templates {
            checkCaptures(in: template, among: captures, of: "the path \(quoted(route.path.value))")
        }
    }

    /// Identity headers belong to every route: a capture they name must be one of some route, and routes without it go
    /// without the header.
    mutating func checkTemplatesAcrossRoutes() {
        let captures = Set(configuration.routes.flatMap { (try? PathPattern($0.path.value).captures) ?? [] })
        for header in configuration.identityHeaders {
            checkCaptures(in: header.template, among: captures, of: "any route's path")
        }
    }

    private mutating func checkCaptures(
        in template: Located<String>, among captures: some Sequence<String>, of what: String
    ) {
        for capture in TemplateSyntax.captures(in: template.value) where !captures.contains(capture) {
            let hint = Suggestion.phrase(for: capture, among: captures)
            report(
                .captureUnknown, at: template.position, path: template.path,
                "there is no capture {\(capture)} in \(what)\(hint)")
        }
    }

    /// Two authenticators of one route that read tokens from one place are told apart by the issuer alone.
    mutating func checkIssuers() {
        for route in configuration.routes {
            let names: [Located<String>]
            switch route.requirement {
            case .none, .allOf: continue
            case .anyOf(let list), .optional(let list): names = list
            }
            var seen: [String: String] = [:]
            for name in names {
                guard case .jwt(let jwt) = configuration.authenticators[name.value]?.kind else { continue }
                for issuer in jwt.issuers.isEmpty ? [""] : jwt.issuers {
                    guard let other = seen.updateValue(name.value, forKey: issuer) else { continue }
                    let whose = issuer.isEmpty ? "tokens of any issuer" : "tokens of \(quoted(issuer))"
                    report(
                        .issuerAmbiguous, at: name.position, path: name.path,
                        "\(quoted(other)) and \(quoted(name.value)) both take \(whose) on route \(quoted(route.name))"
                    )
                }
            }
        }
    }
}
