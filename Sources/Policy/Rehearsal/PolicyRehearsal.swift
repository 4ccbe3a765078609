package import Core

/// A policy put to its own tests: a snapshot of its own, in which keys are shown by their ids and tokens are signed by a
/// key that is thrown away. The decisions are those of the gateway.
package final class PolicyRehearsal {
    /// Reads the head of a request, as the gateway's listeners do; the denial of one that is none.
    package typealias HeadReader = (_ bytes: Span<UInt8>, _ bounds: Bounds, _ head: inout RequestHead) -> Denial?

    let snapshot: Snapshot
    let trial: Trial
    let tokens: RehearsalToken
    let readHead: HeadReader
    /// The authenticators of API keys that routes use, by name.
    let keyAuthenticators: [String: KeyAuthenticator]
    /// The secrets that tests may show, by authenticator and id.
    let records: [String: [String: [APIKeyTable.Record]]]
    /// The secrets of logged requests, by authenticator.
    private(set) lazy var fingerprints = keyAuthenticators.mapValues { FingerprintIndex($0.table) }
    /// A test's result goes where logs go. Made once, since it asks every route.
    private lazy var masking = Masking(snapshot)
    /// What the store is supposed to hold.
    let directory = DirectoryCell()
    private var isDirectoryEmpty = true

    private init(
        _ snapshot: Snapshot, key: RehearsalKey, kid: String, ids: Set<String>, readHead: @escaping HeadReader
    ) {
        self.snapshot = snapshot
        self.readHead = readHead
        trial = Trial(snapshot, directory: directory)
        tokens = RehearsalToken(key: key, kid: kid)
        var authenticators: [String: KeyAuthenticator] = [:]
        for judge in snapshot.routes.lazy.flatMap(\.credentials.groups).joined().flatMap(\.judges) {
            for authenticator in judge.keys { authenticators[authenticator.name] = authenticator }
            for verifier in judge.tokens?.verifiers ?? [] {
                if case .keys(let parent)? = verifier.derivation?.source { authenticators[parent.name] = parent }
            }
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
        let ids = Set(tests.flatMap { [$0.key?.id, $0.token?.key?.id].compactMap { $0 } })
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
        var configuration = configuration
        configuration.takeDescribedKeys()
        guard let snapshot = Snapshot.compile(configuration, environment: environment).snapshot else { return nil }
        return PolicyRehearsal(
            snapshot, key: environment.key, kid: type(of: environment).kid, ids: ids, readHead: readHead)
    }

    /// What a policy makes of a request.
    package struct Reply: Sendable, Equatable {
        /// To an upstream, or to an action.
        package var isAllowed: Bool
        package var status: Int?
        package var reason: String?
        package var route: String?
        /// Where another reading of the path leads: of requests refused with `path_ambiguous`.
        package var otherRoute: String?
        package var upstream: String?
    }

    private func connection(
        of request: RehearsalRequest, _ test: PolicyTestConfiguration, _ clock: ClockReading
    ) -> ConnectionFacts {
        ConnectionFacts(
            peer: test.client ?? PolicyTestConfiguration.defaultClient, peerPort: 50_000, localPort: request.port,
            isSecure: request.isSecure, waited: true,
            clientCertificate: test.certificate.map { Self.certificate($0, now: clock.wall) })
    }

    /// The monotonic clock stands still: what a test counts, it counts at one moment.
    static func reading(at time: WallTime) -> ClockReading {
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
        let check = ExpectationCheck(trial: trial, outcome: outcome, now: clock, masking: masking)
        result.mismatches = check.mismatches(test.expectation)
        return result
    }

    private func request(
        of test: PolicyTestConfiguration, at clock: ClockReading
    ) throws(RehearsalFault) -> RehearsalRequest {
        var request = RehearsalRequest()
        var store = RehearsalStore(user: test.user)
        if let key = test.key { try show(key, of: test, in: &request, &store, now: clock.wall) }
        if let token = test.token { try show(token, of: test, in: &request, &store, now: clock.wall) }
        request.write(test)
        if !store.isEmpty || !isDirectoryEmpty {
            directory.publish(try store.directory(for: test))
            isDirectoryEmpty = store.isEmpty
        }
        return request
    }

    /// What becomes of the last of the test's requests.
    private func outcome(
        of request: RehearsalRequest, _ test: PolicyTestConfiguration, _ clock: ClockReading
    ) -> TrialOutcome {
        var connection = connection(of: request, test, clock)
        trial.forget()
        // Only a test that says by which port it comes is judged by a listener.
        let entrance = request.isWholeURL ? entrance(port: request.port, isSecure: request.isSecure) : nil
        if let entrance, !entrance.asksForCertificates { connection.clientCertificate = nil }
        func make(_ number: Int) -> TrialOutcome {
            let bytes = request.bytes(ofRepetition: number)
            return trial.make(
                by: entrance, connection.clientCertificate == nil ? .none : .good, content: test.content?.bytes,
                connection: connection, now: clock
            ) { readHead(bytes.span, snapshot.configuration.bounds, &$0) }
        }
        var outcome = make(1)
        for number in 1..<max(1, test.repetitions) { outcome = make(number + 1) }
        return outcome
    }

    private func entrance(port: UInt16, isSecure: Bool) -> Entrance? {
        let entrance = Entrance(snapshot.configuration.listeners, port: port, isSecure: isSecure)
        return entrance?.isExact == true ? entrance : nil
    }
}

extension Configuration {
    /// Has every authenticator of API keys look among the keys that tests describe, which come as a store's would.
    fileprivate mutating func takeDescribedKeys() {
        for (name, authenticator) in authenticators {
            guard case .apiKey(var keys) = authenticator.kind else { continue }
            keys.isStored = true
            authenticators[name]?.kind = .apiKey(keys)
        }
    }
}
