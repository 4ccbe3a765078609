import Core

/// Routes: their headers, what they ask of a caller, and their references.
extension PolicyCompiler {
    mutating func pattern(of route: RouteConfiguration) -> PathPattern? {
        do throws(PathPatternError) { return try PathPattern(route.path.value) } catch {
            fail(.pathPatternInvalid, route.path.position, route.path.path, error.message)
            return nil
        }
    }

    mutating func compile(
        _ route: RouteConfiguration, at index: Int, pattern: PathPattern, upstreamNames: [String]
    ) -> Route? {
        let errorCount = diagnostics.count
        diagnostics.route = route.name
        defer { diagnostics.route = nil }
        var hostPolicy = UpstreamConfiguration.HostPolicy.keep
        var upstreamIndex = 0
        if let name = route.upstream {
            if let place = upstreamNames.firstIndex(of: name.value), let upstream = configuration.upstreams[name.value] {
                upstreamIndex = place
                hostPolicy = upstream.host
            } else {
                fail(.referenceUnknown, name.position, name.path, "no upstream named \(quoted(name.value))")
            }
        }
        let credentials = credentialPlan(route, at: index)
        let limits = limitList(route.limits)
        if let credentials, let limits { checkCount(of: limits, credentials, route, at: index) }
        let profile = profiles[route.responses?.value ?? configuration.responses]
        if let responses = route.responses, profile == nil {
            fail(.referenceUnknown, responses.position, responses.path, "no profile named \(quoted(responses.value))")
        }
        let authorization = authorization(route.authorization, pattern)
        let shadowRules = route.shadowAuthorizations.map { rule in
            ShadowRule(name: rule.name, authorization: self.authorization(rule, pattern))
        }
        let storedCredential = storedCredential(of: route)
        let query = route.setQueryParameters.compactMap { parameter($0, pattern) }
        let content = contentRules(of: route, pattern)
        let upstreamPath = upstreamPath(of: route, pattern)
        let sent = requestFields(route, pattern)
        let style = route.rateHeaders ?? configuration.rateHeaders
        let cors = corsRule(of: route, rates: style)
        let returned = route.setResponseHeaders
            // A browser takes an answer with two of these for one without.
            .filter { cors?.leavesUpstream ?? true || !CORSRule.isCORSField($0.name.utf8.span) }
            .compactMap { field($0, pattern, allowsPath: false) }
        guard diagnostics.count == errorCount, let credentials, let limits, let profile else { return nil }
        return Route(
            Route.Parts(
                captures: Self.captures(of: pattern), rest: pattern.tail == .rest ? pattern.segments.count : nil,
                hostPolicy: hostPolicy, credentials: credentials,
                authorization: authorization, limits: limits, shadowRules: shadowRules,
                rateStyle: style,
                request: RequestRules(
                    route, filters: &filters, keepsOverrides: (route.overrideHeaders ?? configuration.overrideHeaders) == .keep,
                    added: sent, query: query, content: content, upstreamPath: upstreamPath,
                    credentials: credentials),
                content: content,
                response: ResponseRules(route, added: returned, keepsRateFields: style.keepsUpstream), profile: profile,
                cors: cors,
                storedCredential: storedCredential, isHTTPSOnly: route.httpsOnly ?? configuration.httpsOnly,
                paths: route.paths ?? configuration.paths,
                bodyByteLimit: configuration.bounds.bodyByteLimit),
            index: index, configuration: route, upstreamIndex: upstreamIndex)
    }

    /// Where a route asks for all of several credentials, a limit by identity or key counts each of them.
    private mutating func checkCount(
        of limits: LimitList, _ credentials: CredentialPlan, _ route: RouteConfiguration, at index: Int
    ) {
        let groups = credentials.groups.count
        let count = limits.indices.reduce(0) { count, place in
            count + (limits[place].parts.contains { $0 == .identity || $0 == .key } ? groups : 1)
        }
        guard groups > 1, count > LimitList.capacity else { return }
        fail(
            .valueOutOfRange, route.limits.first?.position, route.path(of: "limits", at: index),
            "at most \(LimitList.capacity) limits apply to one request; with \"all_of\" each by identity or key counts for "
                + "every credential: together \(count)")
    }

    private static func captures(of pattern: PathPattern) -> [(name: String, segment: Int)] {
        pattern.segments.enumerated().compactMap { index, segment in
            switch segment {
            case .literal: nil
            case .capture(let name): (name, index)
            }
        }
    }

    /// The identity headers, but those the route sets itself, then what the route sets.
    private mutating func requestFields(_ route: RouteConfiguration, _ pattern: PathPattern) -> [FieldTemplate] {
        let identity = configuration.identityHeaders.filter { header in
            // The header is every route's, its capture perhaps only some routes': the others go without it.
            TemplateSyntax.captures(in: header.template.value).allSatisfy(pattern.captures.contains)
                && !route.setRequestHeaders.contains { FieldFilter.areSame($0.name, header.name) }
        }
        var fields: [FieldTemplate] = []
        for header in identity + route.setRequestHeaders {
            if let compiled = field(header, pattern, allowsPath: true) { fields.append(compiled) }
        }
        return fields
    }

    /// The path that requests of the route go on with; nil for their own, and after an error was noted.
    private mutating func upstreamPath(of route: RouteConfiguration, _ pattern: PathPattern) -> UpstreamPath? {
        guard let text = route.upstreamPath else { return nil }
        do throws(UpstreamPathPattern.Fault) {
            if let path = UpstreamPath(try UpstreamPathPattern(text.value), matched: pattern) { return path }
            fail(.captureUnknown, text.position, text.path, "the route's path has no such capture")
        } catch {
            fail(.pathPatternInvalid, text.position, text.path, error.message)
        }
        return nil
    }

    private mutating func field(_ header: HeaderTemplate, _ pattern: PathPattern, allowsPath: Bool) -> FieldTemplate? {
        guard let value = value(of: header, pattern) else { return nil }
        if value.usesPath, !allowsPath {
            fail(
                .captureUnknown, header.template.position, header.template.path,
                "a response header has no path captures")
            return nil
        }
        return FieldTemplate(name: header.name, value: value)
    }

    mutating func template(_ text: Located<String>, _ pattern: PathPattern) -> ValueTemplate? {
        do throws(TemplateError) {
            if let template = ValueTemplate(try TemplateSyntax.parse(text.value), pattern: pattern) { return template }
            fail(.captureUnknown, text.position, text.path, "the route's path has no such capture")
        } catch {
            fail(.templateInvalid, text.position, text.path, error.message)
        }
        return nil
    }

    private mutating func authorization(
        _ rules: RouteConfiguration.Authorization, _ pattern: PathPattern
    ) -> Authorization {
        var result = Authorization()
        result.scopes = rules.scopes
        if !rules.allowedAddresses.isEmpty { result.allowed = AddressSet(rules.allowedAddresses) }
        if !rules.deniedAddresses.isEmpty { result.denied = AddressSet(rules.deniedAddresses) }
        for (pointer, text) in rules.claims {
            guard let compiled = JSONPointer(pointer.value) else {
                fail(.pointerInvalid, pointer.position, pointer.path, "not a JSON Pointer: \(quoted(pointer.value))")
                continue
            }
            guard let template = template(text, pattern) else { continue }
            result.claims.append(Authorization.ClaimRule(pointer: compiled, template: template))
        }
        if let membership = rules.membership, let organization = template(membership.organization, pattern) {
            // A project whose template is wrong has been reported: no snapshot comes out.
            result.membership = MembershipRule(
                organization: organization, project: membership.project.flatMap { template($0, pattern) },
                roles: membership.roles)
        }
        return result
    }
}
