import Core

/// Turns a configuration into a snapshot: follows every reference, compiles routes, templates and profiles, loads keys.
/// Goes on after an error, so that all of them are told at once.
struct PolicyCompiler<Environment: CompileEnvironment> {
    private let configuration: Configuration
    private let environment: Environment
    private(set) var diagnostics: [Diagnostic] = []
    private var keySets: [String: KeySetCell] = [:]
    private var keyAuthenticators: [String: KeyAuthenticator] = [:]
    private var verifiers: [String: JWTVerifier] = [:]
    private var limits: [String: Limit] = [:]
    private var profiles: [String: AnswerProfile] = ["problem": .problem]

    init(_ configuration: Configuration, environment: Environment) {
        self.configuration = configuration
        self.environment = environment
    }

    /// Nil after at least one error was noted.
    mutating func compile() -> Snapshot? {
        for (name, limit) in configuration.limits.sorted(by: { $0.key < $1.key }) { compile(limit: limit, named: name) }
        for name in configuration.profiles.keys.sorted() { compile(profileNamed: name) }
        for (name, authenticator) in configuration.authenticators.sorted(by: { $0.key < $1.key }) {
            compile(authenticator: authenticator, named: name)
        }
        let upstreamNames = configuration.upstreams.keys.sorted()
        var patterns: [PathPattern] = []
        var routes: [Route] = []
        for (index, route) in configuration.routes.enumerated() {
            guard let pattern = pattern(of: route) else { continue }
            patterns.append(pattern)
            if let route = compile(route, at: index, pattern: pattern, upstreamNames: upstreamNames) { routes.append(route) }
        }
        guard patterns.count == configuration.routes.count else { return nil }
        let builder = RouteTableBuilder(configuration.routes, patterns: patterns)
        for tie in builder.ties { report(tie) }
        guard let profile = profiles[configuration.responses] else {
            fail(.referenceUnknown, nil, "responses", "no profile named \(quoted(configuration.responses))")
            return nil
        }
        guard routes.count == patterns.count, !diagnostics.contains(where: { $0.severity == .error }) else { return nil }
        return Snapshot(
            Snapshot.Parts(
                configuration: configuration, routes: routes, upstreamNames: upstreamNames, keySets: keySets,
                table: builder.table(seed: environment.hashSeed), profile: profile,
                cryptography: environment.cryptography, seed: environment.hashSeed))
    }

    // MARK: Diagnostics

    mutating func fail(_ code: DiagnosticCode, _ position: SourcePosition?, _ path: String, _ message: String) {
        diagnostics.append(
            Diagnostic(.error, code, file: environment.fileName, position: position, path: path, message: message))
    }

    mutating func fail(_ fault: CompileFault, _ position: SourcePosition?, _ path: String) {
        diagnostics.append(
            Diagnostic(
                .error, fault.code, file: fault.file ?? environment.fileName,
                position: fault.file == nil ? fault.position ?? position : fault.position, path: path,
                message: fault.message))
    }

    private mutating func report(_ tie: RouteTableBuilder.Tie) {
        let (first, second) = (configuration.routes[tie.first], configuration.routes[tie.second])
        fail(
            .routesAmbiguous, second.position, "routes[\(tie.second)]",
            "ties with routes[\(tie.first)] (\(quoted(first.name)), line \(first.position.line)): both fit the same requests "
                + "and neither is more specific; tell them apart by path, host, methods or headers")
    }

    // MARK: Limits and profiles

    private mutating func compile(limit: LimitConfiguration, named name: String) {
        do throws(LimitError) { limits[name] = try Limit(name: name, limit) } catch {
            fail(.valueOutOfRange, limit.position, "limits.\(name)", error.message)
        }
    }

    private mutating func compile(profileNamed name: String) {
        guard let profile = configuration.profiles[name] else { return }
        var reasons: [String: AnswerProfile.Answer] = [:]
        for reason in profile.reasons.keys.sorted() {
            guard let answer = profile.reasons[reason] else { continue }
            reasons[reason] = compile(answer, fallback: profile.fallback)
        }
        profiles[name] = AnswerProfile(fallback: compile(profile.fallback, fallback: nil), reasons: reasons)
    }

    /// What one reason leaves out it takes from the profile's fallback.
    private mutating func compile(_ answer: AnswerConfiguration, fallback: AnswerConfiguration?) -> AnswerProfile.Answer {
        var result = AnswerProfile.Answer()
        result.status = answer.status ?? fallback?.status
        if let body = answer.body ?? fallback?.body {
            let type = answer.contentType ?? (answer.body == nil ? fallback?.contentType : nil)
            let guessed = body.value.utf8.first == 0x7B || body.value.utf8.first == 0x5B
            let contentType = type ?? (guessed ? "application/json" : "text/plain; charset=utf-8")
            result.contentType = Array(contentType.utf8)
            result.body = answerBody(body, isJSON: Self.isJSON(contentType))
        }
        for header in answer.headers.isEmpty ? fallback?.headers ?? [] : answer.headers {
            guard let value = answerBody(header.template, isJSON: false) else { continue }
            result.headers.append((Array(header.name.utf8), value))
        }
        return result
    }

    private mutating func answerBody(_ text: Located<String>, isJSON: Bool) -> AnswerBody? {
        do throws(TemplateError) { return AnswerBody(try AnswerTemplate.parse(text.value), isJSON: isJSON) } catch {
            fail(.templateInvalid, text.position, text.path, error.message)
            return nil
        }
    }

    /// `application/json`, `application/problem+json` and their like.
    private static func isJSON(_ contentType: String) -> Bool {
        let type = contentType.utf8.prefix { $0 != 0x3B }.map(\.lowercasedASCII).filter { !$0.isOptionalWhitespace }
        let text = String(decoding: type, as: UTF8.self)
        return text.hasSuffix("/json") || text.hasSuffix("+json")
    }

    // MARK: Authenticators

    private mutating func compile(authenticator: AuthenticatorConfiguration, named name: String) {
        let path = "authenticators.\(name)"
        switch authenticator.kind {
        case .apiKey(let keys): compile(keys, named: name, path, authenticator.position)
        case .jwt(let tokens):
            guard let cell = keySet(tokens.keySet) else { return }
            do throws(MalformedPointer) {
                verifiers[name] = try JWTVerifier(
                    name: name, configuration: tokens, keySet: cell, cryptography: environment.cryptography)
            } catch {
                fail(.pointerInvalid, authenticator.position, path, "not a JSON Pointer: \(quoted(error.text))")
            }
        }
    }

    private mutating func keySet(_ name: Located<String>) -> KeySetCell? {
        if let cell = keySets[name.value] { return cell }
        guard let keySet = configuration.keySets[name.value] else {
            fail(.referenceUnknown, name.position, name.path, "no key set named \(quoted(name.value))")
            return nil
        }
        do throws(CompileFault) {
            let cell = try environment.keySetCell(named: name.value, configuration: keySet)
            keySets[name.value] = cell
            return cell
        } catch {
            fail(error, keySet.position, "key_sets.\(name.value)")
            return nil
        }
    }

    private mutating func compile(
        _ keys: APIKeyAuthenticatorConfiguration, named name: String, _ path: String, _ position: SourcePosition
    ) {
        var builder = APIKeyTable.Builder()
        for (index, record) in keys.keys.enumerated() {
            do throws(APIKeyTableError) { try builder.add(record) } catch {
                fail(.keyDuplicate, record.position, "\(path).keys[\(index)]", error.message)
            }
        }
        var pepper: [UInt8]?
        if let reference = keys.pepper {
            do throws(CompileFault) { pepper = try environment.secret(reference) } catch {
                fail(error, position, "\(path).pepper")
                return
            }
        }
        if let file = keys.keysFile, !load(file, hasPepper: pepper != nil, into: &builder) { return }
        let table: APIKeyTable
        do throws(APIKeyTableError) { table = try builder.build() } catch {
            fail(.keyDuplicate, position, path, error.message)
            return
        }
        var lists: [LimitList] = []
        for names in table.limitLists {
            let located = names.names.map { Located($0, at: names.position, path: "\(path): key \(quoted(names.firstID))") }
            guard let list = limitList(located) else { return }
            lists.append(list)
        }
        keyAuthenticators[name] = KeyAuthenticator(
            name: name, table: table, pepper: pepper, cryptography: environment.cryptography, limitLists: lists)
    }

    private mutating func load(
        _ file: Located<String>, hasPepper: Bool, into builder: inout APIKeyTable.Builder
    ) -> Bool {
        var reader = KeysFile(digestMember: hasPepper ? .hmacSHA256 : .sha256)
        do throws(CompileFault) {
            try environment.read(file: file.value) { chunk throws(CompileFault) in
                do throws(APIKeyRecordError) { try reader.feed(chunk, into: &builder) } catch {
                    throw Self.fault(error, in: file.value)
                }
            }
            do throws(APIKeyRecordError) { try reader.finish(into: &builder) } catch {
                throw Self.fault(error, in: file.value)
            }
            return true
        } catch {
            fail(error, file.position, file.path)
            return false
        }
    }

    private static func fault(_ error: APIKeyRecordError, in file: String) -> CompileFault {
        let message = error.path.isEmpty ? error.message : "\(error.path): \(error.message)"
        return CompileFault(error.code, message, file: file, position: error.position)
    }

    /// Nil after an error was noted.
    private mutating func limitList(_ names: [Located<String>]) -> LimitList? {
        var list: [Limit] = []
        for name in names {
            guard let limit = limits[name.value] else {
                if configuration.limits[name.value] == nil {
                    fail(.referenceUnknown, name.position, name.path, "no limit named \(quoted(name.value))")
                }
                return nil
            }
            list.append(limit)
        }
        guard let result = LimitList(list) else {
            fail(
                .valueOutOfRange, names.first?.position, names.first?.path ?? "",
                "at most \(LimitList.capacity) limits apply to one request")
            return nil
        }
        return result
    }

    // MARK: Routes

    private mutating func pattern(of route: RouteConfiguration) -> PathPattern? {
        do throws(PathPatternError) { return try PathPattern(route.path.value) } catch {
            fail(.pathPatternInvalid, route.path.position, route.path.path, error.message)
            return nil
        }
    }

    private mutating func compile(
        _ route: RouteConfiguration, at index: Int, pattern: PathPattern, upstreamNames: [String]
    ) -> Route? {
        let errorCount = diagnostics.count
        let upstreamIndex = upstreamNames.firstIndex(of: route.upstream.value)
        let upstream = configuration.upstreams[route.upstream.value]
        if upstream == nil {
            fail(
                .referenceUnknown, route.upstream.position, route.upstream.path,
                "no upstream named \(quoted(route.upstream.value))")
        }
        let credentials = credentialPlan(route, at: index)
        let limits = limitList(route.limits)
        let profile = profiles[route.responses?.value ?? configuration.responses]
        if let responses = route.responses, profile == nil {
            fail(.referenceUnknown, responses.position, responses.path, "no profile named \(quoted(responses.value))")
        }
        let authorization = authorization(route, pattern)
        let sent = requestFields(route, pattern)
        let returned = route.setResponseHeaders.compactMap { field($0, pattern, allowsPath: false) }
        guard diagnostics.count == errorCount, let upstreamIndex, let upstream, let credentials, let limits, let profile
        else { return nil }
        let style = route.rateHeaders ?? configuration.rateHeaders
        return Route(
            Route.Parts(
                hostPolicy: upstream.host, credentials: credentials, authorization: authorization, limits: limits,
                rateStyle: style,
                request: RequestRules(
                    route, globalNames: Self.identityNames + configuration.identityHeaders.map(\.name), added: sent,
                    credentials: credentials),
                response: ResponseRules(route, added: returned, keepsRateFields: style.keepsUpstream), profile: profile),
            index: index, configuration: route, upstreamIndex: upstreamIndex)
    }

    /// The names no client may send to any route, whatever identity headers the policy has.
    private static var identityNames: [String] {
        ["X-Auth-Subject", "X-Auth-Method", "X-Auth-Credential", "X-Auth-Issuer", "X-Auth-Scopes"]
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

    private mutating func field(_ header: HeaderTemplate, _ pattern: PathPattern, allowsPath: Bool) -> FieldTemplate? {
        guard let value = template(header.template, pattern) else { return nil }
        if value.usesPath, !allowsPath {
            fail(.captureUnknown, header.template.position, header.template.path, "a response header has no path captures")
            return nil
        }
        return FieldTemplate(name: Array(header.name.utf8), value: value)
    }

    private mutating func template(_ text: Located<String>, _ pattern: PathPattern) -> ValueTemplate? {
        do throws(TemplateError) {
            if let template = ValueTemplate(try TemplateSyntax.parse(text.value), pattern: pattern) { return template }
            fail(.captureUnknown, text.position, text.path, "the route's path has no such capture")
        } catch {
            fail(.templateInvalid, text.position, text.path, error.message)
        }
        return nil
    }

    private mutating func authorization(_ route: RouteConfiguration, _ pattern: PathPattern) -> Authorization {
        let rules = route.authorization
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
        return result
    }

    // MARK: Credentials

    private mutating func credentialPlan(_ route: RouteConfiguration, at index: Int) -> CredentialPlan? {
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
            fail(.authenticationMissing, route.position, "routes[\(index)].authenticate", "names no authenticator")
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
            }
        }
        do throws(IssuerTable.Conflict) { return try collected.probes() } catch {
            fail(.issuerAmbiguous, route.position, "routes[\(index)].authenticate", error.message)
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
