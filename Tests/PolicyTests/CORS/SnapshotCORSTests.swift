import Core
import Testing

@testable import Policy

/// Preflights by route.
struct SnapshotCORSTests {
    private static func setting(_ origin: String = "https://app.example", _ change: (inout CORSConfiguration) -> Void = { _ in }) throws
        -> CORSSetting
    {
        var terms = CORSConfiguration()
        terms.origins = [try CORSOrigin.read(origin).get()]
        change(&terms)
        return .own(terms)
    }

    private static func fixture(_ change: (inout Configuration) throws -> Void = { _ in }) throws -> PolicyFixture {
        let setting = try setting()
        var fault: (any Error)?
        let fixture = try PolicyFixture { configuration in
            configuration.cors = setting
            configuration.routes = [
                PolicyFixture.route("/a", name: "read", PolicyFixture.anyOf("keys")) { $0.methods = ["GET", "PUT"] },
                PolicyFixture.route("/a", name: "drop") {
                    $0.methods = ["DELETE"]
                    $0.cors = .dropped
                },
                PolicyFixture.route("/any", name: "any", PolicyFixture.anyOf("jwt")),
                PolicyFixture.route("/own", name: "own") { $0.methods = ["OPTIONS", "GET"] },
                PolicyFixture.route("/shut/**", name: "shut") {
                    $0.upstream = nil
                    $0.action = .notFound
                },
            ]
            do { try change(&configuration) } catch { fault = error }
        }
        if let fault { throw fault }
        return fixture
    }

    /// Status, and what is allowed.
    private static func preflight(
        _ fixture: PolicyFixture, _ path: String, _ method: String, from origin: String = "https://app.example", _ fields: [String] = []
    ) throws -> String {
        let asked = ["Origin: \(origin)", "Access-Control-Request-Method: \(method)"] + fields
        switch try fixture.decide("OPTIONS \(path)", asked) {
        case .answer(.preflight(let answer)):
            let head = try PolicyFixture.head("OPTIONS \(path)", asked)
            let methods = String(decoding: fixture.snapshot.allowedMethods(by: answer, head), as: UTF8.self)
            return "\(answer.route?.name ?? "none"): \(methods)"
        case .refuse(let refusal): return refusal.denial.reason
        case .forward(let grant): return "forwarded by \(grant.route.name)"
        case .answer: return "answered"
        case .wait: return "waits"
        }
    }

    @Test(arguments: [
        ("/a", "PUT", "read: GET, HEAD, PUT"), ("/a", "GET", "read: GET, HEAD, PUT"), ("/a", "HEAD", "read: GET, HEAD, PUT"),
        ("/a", "DELETE", "method_not_allowed"), ("/a", "PATCH", "none: GET, HEAD, PUT"), ("/a", "put", "none: GET, HEAD, PUT"),
        ("/any", "PROPFIND", "any: PROPFIND"), ("/any", "DELETE", "any: DELETE"), ("/own", "GET", "own: OPTIONS, GET, HEAD"),
        ("/own", "PUT", "forwarded by own"), ("/shut/x", "PUT", "shut: PUT"), ("/nowhere", "DELETE", "none: DELETE"),
        ("/%61", "PUT", "read: GET, HEAD, PUT"), ("/a%2f", "PUT", "path_encoded_slash"), ("/a;x", "PUT", "none: PUT"),
    ])
    func `a preflight is for the route of the request it asks about`(path: String, method: String, expected: String) throws {
        #expect(try Self.preflight(try Self.fixture(), path, method) == expected)
    }

    @Test(arguments: [
        ("/a", "origin_not_allowed"), ("/any", "origin_not_allowed"), ("/shut/x", "route_not_found"), ("/nowhere", "origin_not_allowed"),
    ])
    func `another origin is refused where the route would not be`(path: String, expected: String) throws {
        #expect(try Self.preflight(try Self.fixture(), path, "PUT", from: "https://b.example") == expected)
    }

    @Test func `a failing address asks all the same`() throws {
        let fixture = try Self.fixture { $0.failureBudget?.burst = 1 }
        for _ in 0..<3 { _ = try fixture.outcome("GET /a", ["X-API-Key: no"]) }
        #expect(try fixture.outcome("GET /a", ["X-API-Key: no, still"]) == "too_many_failures")
        #expect(try Self.preflight(fixture, "/a", "PUT") == "read: GET, HEAD, PUT")
    }

    @Test func `listed methods leave out those of another rule`() throws {
        let fixture = try Self.fixture { $0.cors = try Self.setting { $0.methods = ["PUT", "DELETE", "PATCH"] } }
        #expect(try Self.preflight(fixture, "/a", "PUT") == "read: PUT, PATCH")
        #expect(try Self.preflight(fixture, "/any", "PUT") == "any: PUT, DELETE, PATCH")
        #expect(try Self.preflight(fixture, "/any", "LINK") == "any: PUT, DELETE, PATCH")
    }

    @Test func `every method is a name where another rule is for some`() throws {
        let fixture = try Self.fixture { $0.cors = try Self.setting { $0.methods = ["*"] } }
        #expect(try Self.preflight(fixture, "/any", "PUT") == "any: *")
        #expect(try Self.preflight(fixture, "/a", "PUT") == "read: PUT")
    }

    @Test(arguments: [
        ([], "old: GET, HEAD"), (["Access-Control-Request-Headers: a, API-Version ,b"], "method_not_allowed"),
        (["Access-Control-Request-Headers: api-versions"], "old: GET, HEAD"), (["Api-Version: 2"], "method_not_allowed"),
        (["Api-Version: 3"], "old: GET, HEAD"),
    ])
    func `header conditions that only the request meets`(fields: [String], expected: String) throws {
        let fixture = try Self.fixture { configuration in
            configuration.routes = [
                PolicyFixture.route("/v", name: "new") {
                    $0.methods = ["GET"]
                    $0.headers = [.init(name: "Api-Version", value: "2")]
                    $0.cors = .dropped
                },
                PolicyFixture.route("/v", name: "old") { $0.methods = ["GET"] },
            ]
        }
        // GET is a method of the other rule too, and allowed without being named.
        let expected = expected.replacing("old: GET, HEAD", with: "old: GET")
        #expect(try Self.preflight(fixture, "/v", "GET", fields) == expected)
    }

    @Test func `without a rule at the top nothing is said where there is no route`() throws {
        let fixture = try Self.fixture { configuration in
            configuration.cors = nil
            configuration.routes[0].cors = .set(try Self.setting())
        }
        #expect(try Self.preflight(fixture, "/a", "PUT") == "read: GET, HEAD, PUT")
        #expect(try Self.preflight(fixture, "/nowhere", "PUT") == "route_not_found")
        #expect(try Self.preflight(fixture, "/any", "PUT") == "credential_missing")
        #expect(!(try fixture.answer("GET /nowhere", ["Origin: https://app.example"]).lines.contains { $0.hasPrefix("Access-") }))
        #expect(try fixture.answer("POST /a", ["Origin: https://app.example"]).lines.contains("Access-Control-Allow-Origin: https://app.example"))
    }

    @Test func `the fields of a policy without a list are those that routes read`() throws {
        let fixture = try Self.fixture {
            $0.routes[2].headers = [.init(name: "X-Tenant", value: nil), .init(name: "content-type", value: nil)]
        }
        let rules = fixture.snapshot.routes.map { $0.cors.map { String(decoding: $0.allowedHeaders, as: UTF8.self) } }
        #expect(rules[0] == "Authorization, Content-Type, X-API-Key" && rules[1] == nil && rules[2] == "Authorization, Content-Type, X-Tenant")
    }
}
