import Core
import Testing

@testable import Policy

struct CallerCacheTests {
    private static let key = "X-API-Key: \(PolicyFixture.key)"
    private static let otherKey = "Authorization: Bearer \(PolicyFixture.otherKey)"
    private static var token: String { "Authorization: Bearer \(String(decoding: Sample.token(), as: UTF8.self))" }

    private func fixture(_ change: (inout Configuration) -> Void = { _ in }) throws -> PolicyFixture {
        try PolicyFixture { configuration in
            let limit = LimitConfiguration(
                requests: 2, per: .seconds(3600), burst: 2, by: [.identity], position: SourcePosition(line: 1, column: 1))
            configuration.limits = ["few": limit]
            configuration.routes = [
                PolicyFixture.route("/a", PolicyFixture.anyOf("keys", "jwt")) { $0.authorization.scopes = ["read"] },
                PolicyFixture.route("/b", PolicyFixture.optional("keys", "jwt")),
                PolicyFixture.route("/limited", PolicyFixture.optional("keys", "jwt")) {
                    $0.limits = [PolicyFixture.located("few")]
                },
            ]
            change(&configuration)
        }
    }

    private func caller(_ request: String, _ fields: [String], _ fixture: PolicyFixture) throws -> Caller {
        guard case .forward(let grant) = try fixture.decide(request, fields) else { throw PolicyFixture.FixtureError() }
        return grant.caller
    }

    @Test(arguments: [key, token])
    func `the same credential on the same route is the same caller`(credential: String) throws {
        let fixture = try fixture()
        let first = try caller("GET /b", [credential], fixture)
        #expect(try caller("GET /b", [credential], fixture) === first)
        fixture.memory.reset(for: fixture.snapshot)
        #expect(try caller("GET /b", [credential], fixture) !== first)
    }

    @Test func `another route, another key and nobody are other callers`() throws {
        let fixture = try fixture()
        let callers = [
            try caller("GET /a", [Self.key], fixture), try caller("GET /b", [Self.key], fixture),
            try caller("GET /b", [Self.otherKey], fixture), try caller("GET /b", [Self.token], fixture),
            try caller("GET /b", [], fixture),
        ]
        #expect(Set(callers.map(ObjectIdentifier.init)).count == callers.count)
    }

    @Test func `what is remembered of one caller is never told of another`() throws {
        let fixture = try fixture()
        for _ in 0..<3 {
            #expect(try fixture.forwarded("GET /b", [Self.key]).values("X-Auth-Credential") == ["ci"])
            #expect(try fixture.forwarded("GET /b", [Self.otherKey]).values("X-Auth-Credential") == ["other"])
            #expect(try fixture.forwarded("GET /b", [Self.token]).values("X-Auth-Method") == ["jwt"])
            #expect(try fixture.forwarded("GET /b").values("X-Auth-Method") == [])
            #expect(try fixture.outcome("GET /a", [Self.otherKey]) == "scope_missing")
            #expect(try fixture.outcome("GET /a", [Self.key]) == "forwarded")
        }
    }

    @Test func `a remembered caller's bucket is the one it had before`() throws {
        let fixture = try fixture()
        for credential in [[Self.key], [Self.otherKey], [Self.token], []] {
            let outcomes = try (0..<4).map { turn in
                // Forgotten half way, and made anew.
                if turn == 1 { fixture.memory.reset(for: fixture.snapshot) }
                return try fixture.outcome("GET /limited", credential)
            }
            #expect(outcomes == ["forwarded", "forwarded", "rate_limited", "rate_limited"])
        }
    }

    @Test func `a limit by address counts each address of one key`() throws {
        let fixture = try fixture { $0.limits["few"]?.by = [.key, .address] }
        for peer in ["192.0.2.1", "192.0.2.2"] {
            let outcomes = try (0..<3).map { _ in try fixture.outcome("GET /limited", [Self.key], from: peer) }
            #expect(outcomes == ["forwarded", "forwarded", "rate_limited"])
        }
    }
}
