import Core
import Testing

@testable import Policy

/// `Authorization` for a server behind the gateway.
struct SnapshotForeignAuthorizationTests {
    private static let key = "X-API-Key: \(PolicyFixture.key)"
    private static let basic = "Authorization: Basic dXA6c3Q="
    private static let foreign = "Authorization: Bearer upstream-token"

    private func fixture(
        _ requirement: RouteConfiguration.Requirement, _ change: (inout RouteConfiguration) -> Void = { _ in }
    ) throws -> PolicyFixture {
        try PolicyFixture { $0.routes = [PolicyFixture.route("/{org}", name: "org", requirement, change)] }
    }

    @Test(arguments: ["Basic dXA6c3Q=", "Negotiate YII=", "Digest username=\"a\", realm=\"b, c\"", "Bearer upstream-token", "bearer u.p/s+t=="])
    func `a value that no authenticator of the route takes is absent and goes on`(value: String) throws {
        let field = "Authorization: \(value)"
        let optional = try fixture(PolicyFixture.optional("keys"))
        #expect(try optional.forwarded("GET /acme", [field]).values("Authorization") == [value])
        #expect(try optional.forwarded("GET /acme", [field]).grant.identity.isAnonymous)
        for requirement in [PolicyFixture.anyOf("keys"), PolicyFixture.optional("keys")] {
            let fixture = try fixture(requirement)
            for fields in [[Self.key, field], [field, Self.key]] {
                let forwarded = try fixture.forwarded("GET /acme", fields)
                #expect(forwarded.values("Authorization") == [value])
                #expect(forwarded.values("X-API-Key") == [])
                #expect(forwarded.values("X-Auth-Subject") == ["ci@acme"])
            }
        }
    }

    @Test func `alone on a route that needs a credential it is refused by its kind`() throws {
        let keys = try fixture(PolicyFixture.anyOf("keys"))
        #expect(try keys.outcome("GET /acme", [Self.basic]) == "scheme_not_supported")
        #expect(try keys.outcome("GET /acme", [Self.foreign]) == "credential_unknown")
        let both = try fixture(PolicyFixture.allOf("jwt", "keys"))
        #expect(try both.outcome("GET /acme", [Self.basic]) == "scheme_not_supported")
        #expect(try both.outcome("GET /acme", [Self.basic, Self.key]) == "scheme_not_supported")
        #expect(try both.outcome("GET /acme") == "credential_missing")
    }

    @Test(
        arguments: [
            ("a wrong key of the prefix", "Bearer rbtk_wrong", "credential_unknown"),
            ("a tab behind the scheme", "Bearer\trbtk_another", "scheme_not_supported"),
            ("a tab behind the space", "Bearer \trbtk_another", "credential_unknown"),
            ("a colon", "Bearer:rbtk_another", "scheme_not_supported"),
            ("quotation marks around the whole", "\"Bearer rbtk_another\"", "scheme_not_supported"),
            ("quotation marks around the key", "Bearer \"rbtk_another\"", "credential_unknown"),
            ("joined fields", "Basic dXA6c3Q=, Bearer rbtk_another", "credential_ambiguous"),
            ("joined fields, a tab between", "Basic dXA6c3Q=,\tbEARER\trbtk_another", "credential_ambiguous"),
            ("joined bearer tokens", "Bearer other, Bearer rbtk_another", "credential_unknown"),
            ("a key without a scheme", "rbtk_another", "scheme_not_supported"),
            ("nothing", "", "credential_malformed"),
            ("Bearer and nothing", "bearer", "credential_malformed"),
        ] as [(String, String, String)])
    func `what a server could read as the gateway's credential is refused, and stripped beside another`(
        trick: String, value: String, reason: String
    ) throws {
        let field = "Authorization: \(value)"
        for requirement in [PolicyFixture.optional("keys"), PolicyFixture.anyOf("keys")] {
            let fixture = try fixture(requirement)
            #expect(try fixture.outcome("GET /acme", [field]) == reason, "\(trick)")
            #expect(try fixture.forwarded("GET /acme", [Self.key, field]).values("Authorization") == [], "\(trick)")
        }
    }

    @Test func `where every bearer token is judged none goes on`() throws {
        let fixture = try fixture(PolicyFixture.anyOf("keys", "jwt"))
        #expect(try fixture.forwarded("GET /acme", [Self.key, Self.foreign]).values("Authorization") == [])
        #expect(try fixture.forwarded("GET /acme", [Self.key, Self.basic]).values("Authorization") == ["Basic dXA6c3Q="])
        let optional = try self.fixture(PolicyFixture.optional("jwt"))
        #expect(try optional.outcome("GET /acme", [Self.foreign]) == "token_malformed")
        #expect(try optional.outcome("GET /acme", ["Authorization: a.b.c"]) == "scheme_not_supported")
    }

    @Test func `what the route removes, sets or keeps stays so`() throws {
        let removed = try fixture(PolicyFixture.anyOf("keys")) { $0.removedRequestHeaders = ["Authorization"] }
        #expect(try removed.forwarded("GET /acme", [Self.key, Self.basic]).values("Authorization") == [])
        let kept = try fixture(PolicyFixture.anyOf("keys")) { $0.keepsCredentials = true }
        #expect(try kept.forwarded("GET /acme", [Self.key, Self.basic]).values("Authorization") == ["Basic dXA6c3Q="])
    }

    @Test func `two fields are refused whatever they hold`() throws {
        let fixture = try fixture(PolicyFixture.optional("keys"))
        #expect(try fixture.outcome("GET /acme", [Self.basic, Self.basic]) == "credential_ambiguous")
        #expect(try fixture.outcome("GET /acme", [Self.key, Self.basic, Self.foreign]) == "credential_ambiguous")
    }
}
