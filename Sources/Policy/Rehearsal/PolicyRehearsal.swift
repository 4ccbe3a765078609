package import Core

/// A policy put to its own tests: a snapshot of its own, in which keys are shown by their ids and tokens are signed by a
/// key that is thrown away. The decisions are those of the gateway.
package final class PolicyRehearsal {
    /// Reads the head of a request, as the gateway's listeners do; the denial of one that is none.
    package typealias HeadReader = (_ bytes: Span<UInt8>, _ bounds: Bounds, _ head: inout RequestHead) -> Denial?

    private let snapshot: Snapshot
    private let trial: Trial
    private let tokens: RehearsalToken
    private let readHead: HeadReader
    /// The authenticators of API keys that routes use, by name.
    private let keyAuthenticators: [String: KeyAuthenticator]
    /// The secrets that tests may show, by authenticator and id.
    private let records: [String: [String: [APIKeyTable.Record]]]

    private init(
        _ snapshot: Snapshot, key: RehearsalKey, kid: String, ids: Set<String>, readHead: @escaping HeadReader
    ) {
        self.snapshot = snapshot
        self.readHead = readHead
        trial = Trial(snapshot)
        tokens = RehearsalToken(key: key, kid: kid)
        var authenticators: [String: KeyAuthenticator] = [:]
        for judge in snapshot.routes.lazy.flatMap(\.credentials.groups).joined().flatMap(\.judges) {
            for authenticator in judge.keys { authenticators[authenticator.name] = authenticator }
        }
        keyAuthenticators = authenticators
        records = ids.isEmpty ? [:] : authenticators.mapValues { $0.table.records(ofIDs: ids) }
    }

    /// Runs tests in their order under a policy. Nil when the policy does not compile; compile it by itself to be told
    /// why.
    /// - Parameters:
    ///   - environment: gives the files of the policy; of key sets, those that are fetched are not asked for.
    ///   - now: the time of tests that name none.
    ///   - each: is given every result as it comes.
    package static func run(
        _ tests: [PolicyTestConfiguration], of configuration: Configuration, environment: some CompileEnvironment,
        now: WallTime, readHead: @escaping HeadReader, each: (PolicyTestResult) -> Void
    ) -> Bool {
        let ids = Set(tests.compactMap { $0.key?.value })
        guard
            let rehearsal = compile(
                configuration, environment: environment, showing: ids, now: now, readHead: readHead)
        else { return false }
        for test in tests { each(rehearsal.run(test, now: now)) }
        return true
    }

    /// A policy to be asked about requests. Nil when it does not compile.
    /// - Parameter ids: the keys that may be shown.
    package static func compile(
        _ configuration: Configuration, environment: some CompileEnvironment, showing ids: Set<String>, now: WallTime,
        readHead: @escaping HeadReader
    ) -> PolicyRehearsal? {
        let environment = RehearsalEnvironment(environment, now: reading(at: now))
        guard let snapshot = Snapshot.compile(configuration, environment: environment).snapshot else { return nil }
        return PolicyRehearsal(
            snapshot, key: environment.key, kid: type(of: environment).kid, ids: ids, readHead: readHead)
    }

    /// The scopes that a route asks for; none where there is no such route.
    package func scopes(ofRoute name: String?) -> [String] {
        snapshot.configuration.routes.first { $0.name == name }?.authorization.scopes ?? []
    }

    /// What a policy makes of a request.
    package struct Reply: Sendable, Equatable {
        /// To an upstream, or to an action.
        package var isAllowed: Bool
        package var status: Int?
        package var reason: String?
        package var route: String?
        package var upstream: String?
    }

    /// What becomes of a request, written as a test; nil when its credential cannot be shown to this policy.
    package func reply(to test: PolicyTestConfiguration, now: WallTime) -> Reply? {
        let clock = Self.reading(at: test.time ?? now)
        guard let request = try? request(of: test, at: clock) else { return nil }
        let outcome = outcome(of: request, test, clock)
        let route = outcome.grant?.route ?? outcome.refusal?.route
        let grant = outcome.grant
        return Reply(
            isAllowed: grant != nil, status: grant == nil ? trial.answer.status : nil,
            reason: outcome.refusal?.denial.reason, route: route?.name,
            upstream: grant.flatMap { $0.route.action == nil ? $0.route.upstreamName : nil })
    }

    /// The monotonic clock stands still: what a test counts, it counts at one moment.
    private static func reading(at time: WallTime) -> ClockReading {
        ClockReading(instant: Instant(nanoseconds: .seconds(1_000_000)), wall: time)
    }

    private func run(_ test: PolicyTestConfiguration, now: WallTime) -> PolicyTestResult {
        var result = PolicyTestResult(
            name: test.name, file: test.file, position: test.position, path: test.path, mismatches: [])
        let clock = Self.reading(at: test.time ?? now)
        let request: RehearsalRequest
        do throws(RehearsalFault) { request = try self.request(of: test, at: clock) } catch {
            result.mismatches = [
                .init(member: error.member, expected: error.expected, found: error.found, position: error.position)
            ]
            return result
        }
        let outcome = outcome(of: request, test, clock)
        result.mismatches = ExpectationCheck(trial: trial, outcome: outcome, now: clock).mismatches(test.expectation)
        return result
    }

    private func request(
        of test: PolicyTestConfiguration, at clock: ClockReading
    ) throws(RehearsalFault) -> RehearsalRequest {
        var request = RehearsalRequest()
        if let key = test.key { try show(key, of: test, in: &request, now: clock.wall) }
        if let token = test.token { try show(token, of: test, in: &request, now: clock.wall) }
        request.write(test)
        return request
    }

    /// What becomes of the last of the test's requests.
    private func outcome(
        of request: RehearsalRequest, _ test: PolicyTestConfiguration, _ clock: ClockReading
    ) -> TrialOutcome {
        let client = test.client ?? PolicyTestConfiguration.defaultClient
        let connection = ConnectionFacts(
            peer: client, peerPort: 50_000, localPort: request.port, isSecure: request.isSecure, waited: true,
            clientCertificate: test.certificate.map { certificate($0, now: clock.wall) })
        trial.forget()
        var head = RequestHead()
        if let denial = readHead(request.bytes.span, snapshot.configuration.bounds, &head) {
            return trial.refuse(malformed: denial, client: client, now: clock)
        }
        var outcome = trial.make(head, connection: connection, now: clock)
        for _ in 1..<max(1, test.repetitions) { outcome = trial.make(head, connection: connection, now: clock) }
        return outcome
    }

    // MARK: Credentials

    private func show(
        _ id: Located<String>, of test: PolicyTestConfiguration, in request: inout RehearsalRequest, now: WallTime
    ) throws(RehearsalFault) {
        var names = records.keys.filter { records[$0]?[id.value] != nil }.sorted()
        if let wanted = test.keyAuthenticator { names.removeAll { $0 != wanted.value } }
        guard let name = names.first, let authenticator = keyAuthenticators[name],
            let found = records[name]?[id.value], let last = found.last,
            case .apiKey(let keys) = snapshot.configuration.authenticators[name]?.kind, let source = keys.sources.first
        else { throw RehearsalFault("key", "a key of a route's authenticator", "no key of the id \(quoted(id.value))", id) }
        guard names.count == 1 else {
            throw RehearsalFault(
                "key", "one key of this id", "keys of \(names.joined(separator: " and ")); add \"key_authenticator\"", id)
        }
        let record = found.first { authenticator.table.fault(of: $0, now: now) == nil } ?? last
        var prefix = ""
        if case .bearer(let start) = source { prefix = start }
        let digest = authenticator.table.digest(of: record)
        request.show(RehearsalCryptography.value(for: digest, prefix: prefix), in: source)
    }

    private func show(
        _ token: PolicyTestConfiguration.Token, of test: PolicyTestConfiguration, in request: inout RehearsalRequest,
        now: WallTime
    ) throws(RehearsalFault) {
        let here = Located("", at: test.position, path: test.path)
        let names = snapshot.configuration.authenticators.filter { $0.value.takesTokens }.keys.sorted()
        let name = token.authenticator?.value ?? (names.count == 1 ? names[0] : nil)
        guard let name else {
            throw RehearsalFault(
                "token", "\"authenticator\" to say which of \(names.joined(separator: ", ")) the token is for",
                "a token without", here)
        }
        guard case .jwt(let authenticator) = snapshot.configuration.authenticators[name]?.kind,
            let source = authenticator.sources.first
        else {
            throw RehearsalFault(
                "token.authenticator", "an authenticator of type jwt", quoted(name), token.authenticator ?? here)
        }
        request.show(tokens.compact(token, for: authenticator, now: now), in: source)
    }

    private func certificate(
        _ parts: [CertificateAuthenticatorConfiguration.Part: [String]], now: WallTime
    ) -> ClientCertificate {
        let fingerprint = parts[.fingerprint]?.first.flatMap { Digest256(hex: $0) }
        var certificate = ClientCertificate.Parts(
            fingerprint: fingerprint ?? Digest256(0, 0, 0, 0), notAfter: now.advanced(by: .seconds(86_400)))
        certificate.subject = parts[.subject]?.first ?? ""
        certificate.commonName = parts[.commonName]?.first
        certificate.dnsNames = parts[.dnsName] ?? []
        certificate.uris = parts[.uri] ?? []
        certificate.emails = parts[.email] ?? []
        return ClientCertificate(certificate)
    }
}

extension AuthenticatorConfiguration {
    fileprivate var takesTokens: Bool {
        switch kind {
        case .jwt: true
        case .apiKey, .certificate: false
        }
    }
}

/// Why a test's request cannot be made.
private struct RehearsalFault: Error {
    let member: String
    let expected: String
    let found: String
    let position: SourcePosition

    init(_ member: String, _ expected: String, _ found: String, _ place: Located<String>) {
        self.member = member
        self.expected = expected
        self.found = found
        position = place.position
    }
}
