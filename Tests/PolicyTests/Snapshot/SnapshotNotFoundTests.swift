import Testing

@testable import Policy

/// Routes that answer as if there were none.
struct SnapshotNotFoundTests {
    private static let key = "X-API-Key: \(PolicyFixture.key)"

    private static func fixture() throws -> PolicyFixture {
        try PolicyFixture { configuration in
            configuration.httpsOnly = false
            configuration.routes = [
                PolicyFixture.route("/**", name: "all", PolicyFixture.anyOf("keys")),
                PolicyFixture.route("/keys", name: "list", PolicyFixture.anyOf("keys")),
                PolicyFixture.route("/keys/{id}", name: "one", PolicyFixture.anyOf("keys")),
                PolicyFixture.route("/keys/**", name: "shut") { route in
                    route.upstream = nil
                    route.action = .notFound
                    route.httpsOnly = true
                },
            ]
        }
    }

    @Test(arguments: [
        ("/keys", "list"), ("/keys/a", "one"), ("/keys/", "route_not_found"), ("/keys//", "route_not_found"),
        ("/keys/a/", "route_not_found"), ("/keys/a/b", "route_not_found"), ("/keys/%61/b", "route_not_found"),
        ("/%6Beys/a/b", "route_not_found"), ("/keysx", "all"), ("/keys;x", "path_ambiguous"), ("/KEYS", "path_ambiguous"),
    ])
    func `what lies beside routes is not for a wider one`(path: String, expected: String) throws {
        for method in ["GET", "POST", "DELETE", "OPTIONS", "PROPFIND"] {
            #expect(try Self.fixture().routeName("\(method) \(path)", [Self.key]) == expected, "\(method)")
        }
    }

    @Test func `nothing of the request is looked at`() throws {
        let fixture = try Self.fixture()
        for fields in [[], [Self.key], [Self.key, Self.key], ["X-API-Key: nobody's"], ["Authorization: Basic eDp5"]] {
            guard case .refuse(let refusal) = try fixture.decide("GET /keys/a/b", fields) else {
                Issue.record("it went on")
                continue
            }
            #expect(refusal.denial == .routeNotFound && refusal.route?.name == "shut")
            #expect(refusal.identity.isAnonymous && refusal.fingerprint == nil)
        }
    }
}
