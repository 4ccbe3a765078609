import Core
import Crypto
import HTTP1
import Testing

@testable import Policy

/// A policy made for one test, and what becomes of requests under it.
final class PolicyFixture {
    static let peer = "192.0.2.7"
    static let requestID = "rq_0123456789abcdefghijkl"
    /// Good keys: id and secret.
    static let key = "key-of-ci"
    static let otherKey = "rbtk_another"

    let snapshot: Snapshot
    let memory: DecisionMemory
    let directory = DirectoryCell()
    let cell: KeySetCell
    var now = PolicyFixture.clock(0)

    /// `change` completes a configuration that has an upstream, two authenticators named `keys` and `jwt`, and no
    /// routes.
    init(bucketLimit: Int = 1000, keys: KeySet? = nil, _ change: (inout Configuration) -> Void) throws {
        var configuration = Self.configuration()
        change(&configuration)
        cell = Sample.cell(try keys ?? Sample.keySet(Sample.key()))
        let (snapshot, diagnostics) = Snapshot.compile(configuration, environment: TestEnvironment(cell: cell))
        #expect(diagnostics.map(\.description) == [])
        self.snapshot = try #require(snapshot)
        let seed = HashSeed(1, 2)
        memory = DecisionMemory(
            buckets: BucketTable(bucketLimit: bucketLimit, seed: seed),
            failureBudget: FailureBudget(configuration.failureBudget, seed: seed), directory: directory, seed: seed)
    }

    /// So many seconds into the life of `Sample.payload`. The monotonic clock begins elsewhere, as clocks do.
    static func clock(_ seconds: Int64) -> ClockReading {
        ClockReading(
            instant: Instant(nanoseconds: (5000 + seconds) * 1_000_000_000),
            wall: WallTime(seconds: 1_800_000_000 + seconds))
    }

    static func located(_ text: String) -> Located<String> {
        Located(text, at: SourcePosition(line: 7, column: 3), path: "test")
    }

    static func route(
        _ path: String, name: String? = nil, _ requirement: RouteConfiguration.Requirement = .none,
        _ change: (inout RouteConfiguration) -> Void = { _ in }
    ) -> RouteConfiguration {
        var route = RouteConfiguration(
            name: name ?? path, path: located(path), requirement: requirement, upstream: located("origin"),
            position: SourcePosition(line: 1, column: 1))
        change(&route)
        return route
    }

    static func anyOf(_ names: String...) -> RouteConfiguration.Requirement { .anyOf(names.map(located)) }
    static func optional(_ names: String...) -> RouteConfiguration.Requirement { .optional(names.map(located)) }
    static func allOf(_ names: String...) -> RouteConfiguration.Requirement { .allOf(names.map(located)) }

    static func record(_ id: String, secret: String, _ change: (inout APIKeyConfiguration) -> Void = { _ in })
        -> APIKeyConfiguration
    {
        let digest = Sample.cryptography.sha256(secret.utf8.span)
        var record = APIKeyConfiguration(
            id: id, subject: "\(id)@acme", secrets: [.init(digest: digest, notBefore: nil, expiresAt: nil)],
            position: SourcePosition(line: 1, column: 1))
        change(&record)
        return record
    }

    static func authenticator(_ name: String, _ kind: AuthenticatorConfiguration.Kind) -> AuthenticatorConfiguration {
        AuthenticatorConfiguration(name: name, kind: kind, position: SourcePosition(line: 1, column: 1))
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.upstreams["origin"] = UpstreamConfiguration(
            servers: [], position: SourcePosition(line: 1, column: 1))
        configuration.keySets["issuer"] = KeySetConfiguration(
            source: .url(located("http://issuer.test")), position: SourcePosition(line: 1, column: 1))
        configuration.authenticators["keys"] = authenticator(
            "keys",
            .apiKey(
                APIKeyAuthenticatorConfiguration(
                    sources: [.header("X-API-Key"), .bearer(prefix: "rbtk_")], pepper: nil,
                    keys: [
                        record("ci", secret: key) { $0.scopes = ["read", "write"] },
                        record("other", secret: otherKey),
                        record("off", secret: "key-that-is-off") { $0.isEnabled = false },
                        record("home", secret: "key-of-home") {
                            $0.allowedAddresses = [CIDRBlock("127.0.0.0/8")].compactMap(\.self)
                        },
                    ], keysFile: nil)))
        configuration.authenticators["jwt"] = authenticator("jwt", .jwt(Sample.configuration { $0.addressesClaim = "/ips" }))
        configuration.identityHeaders = [
            ("X-Auth-Subject", "{subject}"), ("X-Auth-Method", "{method}"), ("X-Auth-Credential", "{credential}"),
            ("X-Auth-Issuer", "{issuer}"), ("X-Auth-Scopes", "{scopes}"),
        ].map { HeaderTemplate(name: $0.0, template: located($0.1)) }
        return configuration
    }

    /// A request, a line of the head a line; `first` is method and target.
    static func head(_ first: String, _ fields: [String] = [], version: String = "HTTP/1.1") throws -> RequestHead {
        var head = RequestHead()
        var parser = RequestHeadParser()
        let host = fields.contains { $0.hasPrefix("Host:") } ? [] : ["Host: api.test"]
        let text = (["\(first) \(version)"] + host + fields).joined(separator: "\r\n") + "\r\n\r\n"
        let progress = parser.parse(Array(text.utf8).span, bounds: Bounds(), into: &head)
        guard case .complete = progress else {
            Issue.record("\(first) \(fields): \(progress)")
            throw FixtureError()
        }
        return head
    }

    struct FixtureError: Error {}

    func decide(
        _ first: String, _ fields: [String] = [], from peer: String = peer, waited: Bool = false
    ) throws -> Decision {
        var head = try Self.head(first, fields)
        return snapshot.decide(&head, connection: try Self.facts(peer, waited: waited), now: now, memory: memory)
    }

    static func facts(_ peer: String = peer, waited: Bool = false) throws -> ConnectionFacts {
        ConnectionFacts(
            peer: try #require(IPAddress(peer)), peerPort: 5000, localPort: 8080, isSecure: false, waited: waited)
    }

    /// The reason of a refusal; "forwarded", "waiting" or "answered" for other decisions.
    func outcome(_ first: String, _ fields: [String] = [], from peer: String = peer, waited: Bool = false) throws
        -> String
    {
        switch try decide(first, fields, from: peer, waited: waited) {
        case .forward: "forwarded"
        case .refuse(let refusal): refusal.denial.reason
        case .wait: "waiting"
        case .answer: "answered"
        }
    }

    /// The name of the route a request is forwarded by; the reason when it is refused.
    func routeName(_ first: String, _ fields: [String] = []) throws -> String {
        switch try decide(first, fields) {
        case .forward(let grant): grant.route.name
        case .refuse(let refusal): refusal.denial.reason
        case .wait: "waiting"
        case .answer: "answered"
        }
    }

    /// What the upstream gets of a request that is forwarded.
    func forwarded(
        _ first: String, _ fields: [String] = [], from peer: String = peer, version: String = "HTTP/1.1"
    ) throws -> Forwarded {
        var head = try Self.head(first, fields, version: version)
        let facts = try Self.facts(peer)
        let decision = snapshot.decide(&head, connection: facts, now: now, memory: memory)
        guard case .forward(let grant) = decision else {
            Issue.record("\(first) \(fields): \(decision)")
            throw FixtureError()
        }
        var plan = UpstreamPlan()
        let denial = snapshot.prepare(
            grant, head: &head, connection: facts, requestID: Self.requestID.utf8.span, into: &plan)
        #expect(denial == nil)
        let forwarded = Forwarded(head: head, plan: plan, grant: grant)
        // A request that has to be sent again is prepared again, to the same end.
        var other = UpstreamPlan()
        let denialAgain = snapshot.prepare(
            grant, head: &head, connection: facts, requestID: Self.requestID.utf8.span, again: true, into: &other)
        #expect(denialAgain == nil)
        let again = Forwarded(head: head, plan: other, grant: grant)
        #expect(again.lines == forwarded.lines && again.target == forwarded.target && again.host == forwarded.host)
        return forwarded
    }

    /// The answer to a request that is refused.
    func answer(_ first: String, _ fields: [String] = [], from peer: String = peer) throws -> Answered {
        var head = try Self.head(first, fields)
        let facts = try Self.facts(peer, waited: true)
        var answer = LocalAnswer()
        switch snapshot.decide(&head, connection: facts, now: now, memory: memory) {
        case .refuse(let refusal):
            snapshot.answer(refusal, requestID: Self.requestID.utf8.span, now: now, head: head, into: &answer)
        case .answer(let kind):
            snapshot.answer(kind, head: head, requestID: Self.requestID.utf8.span, now: now, into: &answer)
        case .forward, .wait:
            Issue.record("\(first) \(fields) is not answered")
            throw FixtureError()
        }
        return Answered(answer)
    }
}

/// A request as the upstream gets it.
struct Forwarded {
    let grant: Grant
    let target: String
    let host: String
    /// `Name: value`, first what is left of the client's own, then what was added.
    let lines: [String]

    init(head: RequestHead, plan: borrowing UpstreamPlan, grant: Grant) {
        self.grant = grant
        target = String(decoding: plan.target, as: UTF8.self)
        host = String(decoding: plan.host, as: UTF8.self)
        var lines: [String] = []
        for field in head.fields where !field.isDropped {
            let name = String(decoding: head.bytes[field.name.range], as: UTF8.self)
            if field.known != .host {
                lines.append("\(name): \(String(decoding: head.bytes[field.value.range], as: UTF8.self))")
            }
        }
        self.lines = lines + texts(of: plan.lines)
    }

    /// The values of a field, whatever its case.
    func values(_ name: String) -> [String] { fieldValues(lines, name) }
}

/// An answer of the gateway's own.
struct Answered {
    let status: Int
    let body: String
    let lines: [String]

    init(_ answer: borrowing LocalAnswer) {
        status = answer.status
        body = String(decoding: answer.body, as: UTF8.self)
        lines = texts(of: answer.lines)
    }

    func values(_ name: String) -> [String] { fieldValues(lines, name) }

    /// A member of the body, a JSON object: strings as they are, other values as JSON.
    func member(_ name: String) throws -> String? {
        guard let node = try JSONNode.parse(body.utf8.span)[name] else { return nil }
        if case .string(let text) = node.value { return text }
        var text: [UInt8] = []
        text.append(json: node)
        return String(decoding: text, as: UTF8.self)
    }
}

/// `Name: value`, line by line.
func texts(of lines: borrowing HeaderLines) -> [String] {
    String(decoding: lines.wireForm, as: UTF8.self).split(separator: "\r\n").map(String.init)
}

private func fieldValues(_ lines: [String], _ name: String) -> [String] {
    lines.compactMap { line in
        guard line.lowercased().hasPrefix(name.lowercased() + ":") else { return nil }
        return String(line.dropFirst(name.count + 2))
    }
}

/// No files, no secrets, one key set.
struct TestEnvironment: CompileEnvironment {
    var cell: KeySetCell
    var files: [String: String] = [:]
    var cryptography: any Cryptography { Sample.cryptography }
    var hashSeed: HashSeed { HashSeed(3, 4) }
    var fileName: String { "gateway.json" }

    func secret(_ reference: SecretReference) throws(CompileFault) -> [UInt8] {
        switch reference {
        case .environment("PEPPER"): Array("pepper".utf8)
        case .environment(let name), .file(let name): throw CompileFault(.secretUnreadable, "no secret \(name)")
        }
    }

    func read(file path: String, take: (Span<UInt8>) throws(CompileFault) -> Void) throws(CompileFault) {
        guard let text = files[path] else { throw CompileFault(.fileUnreadable, "no file \(path)") }
        try take(Array(text.utf8).span)
    }

    func keySetCell(named name: String, configuration: KeySetConfiguration) throws(CompileFault) -> KeySetCell { cell }
}
