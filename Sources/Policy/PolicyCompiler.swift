import Core

/// Turns a configuration into a snapshot: follows every reference, compiles routes, templates and profiles, loads keys.
/// Goes on after an error, so that all of them are told at once.
struct PolicyCompiler<Environment: CompileEnvironment> {
    let configuration: Configuration
    let environment: Environment
    var diagnostics = DiagnosticList()
    var keySets: [String: KeySetCell] = [:]
    var keyAuthenticators: [String: KeyAuthenticator] = [:]
    var storedKeys: [StoredKeyRules] = []
    var verifiers: [String: JWTVerifier] = [:]
    var certificateAuthenticators: [String: CertificateAuthenticator] = [:]
    var storedCredentials: [String: StoredCredentialRule] = [:]
    var limits: [String: Limit] = [:]
    var profiles: [String: AnswerProfile] = ["problem": .problem]
    var filters: RequestFilters

    init(_ configuration: Configuration, environment: Environment) {
        self.configuration = configuration
        self.environment = environment
        filters = RequestFilters(configuration)
    }

    /// Nil after at least one error was noted.
    mutating func compile() -> Snapshot? {
        for (name, limit) in configuration.limits.sorted(by: { $0.key < $1.key }) { compile(limit: limit, named: name) }
        for name in configuration.profiles.keys.sorted() { compile(profileNamed: name) }
        compileAuthenticators()
        for (name, credential) in configuration.storedCredentials.sorted(by: { $0.key < $1.key }) {
            compile(storedCredential: credential, named: name)
        }
        let upstreamNames = configuration.upstreams.keys.sorted()
        var patterns: [PathPattern] = []
        var routes: [Route] = []
        for (index, route) in configuration.routes.enumerated() {
            guard let pattern = pattern(of: route) else { continue }
            patterns.append(pattern)
            if let route = compile(route, at: index, pattern: pattern, upstreamNames: upstreamNames) {
                routes.append(route)
            }
        }
        guard patterns.count == configuration.routes.count else { return nil }
        let builder = RouteTableBuilder(configuration.routes, patterns: patterns)
        for tie in builder.ties { report(tie) }
        guard let profile = profiles[configuration.responses] else {
            fail(.referenceUnknown, nil, "responses", "no profile named \(quoted(configuration.responses))")
            return nil
        }
        guard routes.count == patterns.count, !diagnostics.hasErrors else {
            return nil
        }
        let table = builder.table(seed: environment.hashSeed)
        let readings = PathReadings(
            configuration.routes.map { PathReadingSet(($0.paths ?? configuration.paths).readings) }, table: table,
            configuration.routes, patterns: patterns, seed: environment.hashSeed)
        return Snapshot(
            Snapshot.Parts(
                configuration: configuration, routes: routes, upstreamNames: upstreamNames, keySets: keySets,
                storedKeys: storedKeys,
                usesDirectory: !storedKeys.isEmpty || verifiers.values.contains(where: \.usesDirectory)
                    || routes.contains(where: \.usesUser),
                table: table, readings: readings, profile: profile, cors: corsRule(),
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
        let fallback = compile(profile.fallback)
        var answers: [ResponseProfileConfiguration.Place: AnswerProfile.Answer] = [:]
        for place in profile.places {
            let answer = profile.answer(at: place)
            if answer != profile.fallback { answers[place] = compile(answer) }
        }
        profiles[name] = AnswerProfile(name: name, fallback: fallback, answers: answers, of: profile)
    }

    private mutating func compile(_ answer: AnswerConfiguration) -> AnswerProfile.Answer {
        var result = AnswerProfile.Answer()
        result.status = answer.status
        result.challenge = answer.challenge?.value
        if let body = answer.body {
            let type = answer.contentType
            let guessed = body.value.utf8.first == 0x7B || body.value.utf8.first == 0x5B
            let contentType = type ?? (guessed ? "application/json" : "text/plain; charset=utf-8")
            result.contentType = Array(contentType.utf8)
            result.body = answerBody(body, AnswerEscaping(contentType: contentType))
        }
        for header in answer.headers {
            guard let value = answerBody(header.template, AnswerEscaping(field: header.name)) else { continue }
            result.headers.append((Array(header.name.utf8), value))
            let name = header.name.lowercasedASCII
            if name == "x-content-type-options" { result.forbidsSniffing = false }
            if name == "www-authenticate" { result.replacesChallenge = true }
        }
        if result.body?.escaping.mayBeSniffed != true { result.forbidsSniffing = false }
        return result
    }

    private mutating func answerBody(_ text: Located<String>, _ escaping: AnswerEscaping) -> AnswerBody? {
        do throws(TemplateError) { return AnswerBody(try AnswerTemplate.parse(text.value), escaping) } catch {
            fail(.templateInvalid, text.position, text.path, error.message)
            return nil
        }
    }
}
