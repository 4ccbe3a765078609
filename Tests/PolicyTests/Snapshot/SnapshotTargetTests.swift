import Testing

@testable import Policy

/// The paths and methods that routes with a `manage` action serve.
struct SnapshotTargetTests {
    private static let key = "X-API-Key: \(PolicyFixture.key)"

    private static func managed(
        _ path: String, _ resource: ManagementConfiguration.Resource, name: String, methods: [String] = [], own: Bool = false
    ) -> RouteConfiguration {
        PolicyFixture.route(path, name: name, PolicyFixture.anyOf("keys")) { route in
            route.upstream = nil
            var management = ManagementConfiguration(resource: resource)
            management.isOwnOnly = own
            route.action = .manage(management)
            route.methods = methods
        }
    }

    private static func fixture() throws -> PolicyFixture {
        try PolicyFixture { configuration in
            configuration.routes = [
                PolicyFixture.route("/**", name: "all", PolicyFixture.anyOf("keys")),
                managed("/keys/**", .apiKeys, name: "keys"),
                PolicyFixture.route("/keys/token", name: "token", PolicyFixture.anyOf("keys")),
                managed("/signers/**", .jwtKeys, name: "signers"),
                managed("/users/{id}/**", .users, name: "user"),
                managed("/me/{id}", .users, name: "me", own: true),
                managed("/orgs/{organization}/self/**", .organizations, name: "orgs"),
                managed("/apart", .apiKeys, name: "list"),
                managed("/apart/{id}", .apiKeys, name: "record"),
                managed("/apart/{id}/{operation}", .apiKeys, name: "operation"),
                managed("/halved/**", .apiKeys, name: "reads", methods: ["GET"]),
                managed("/halved/**", .apiKeys, name: "writes", methods: ["POST"]),
            ]
        }
    }

    @Test(arguments: [
        ("GET /keys", "keys"), ("POST /keys", "keys"), ("GET /keys/a", "keys"), ("PATCH /keys/a", "keys"),
        ("HEAD /keys/a", "keys"), ("DELETE /keys/a%20b", "keys"), ("POST /keys/a/rotate", "keys"), ("POST /keys/a/rot%61te", "keys"),
        ("GET /keys/token", "token"), ("GET /keysx", "all"), ("DELETE /signers/a&force=true", "signers"),
        ("GET /users/a", "user"), ("POST /users/a/sign_out", "user"), ("PUT /me/a", "me"), ("GET /orgs/acme/self", "orgs"),
        ("GET /apart", "list"), ("GET /apart/a", "record"), ("POST /apart/a/rotate", "operation"),
        ("GET /halved/a", "reads"), ("POST /halved/a/rotate", "writes"),
    ])
    func `one route serves the list, the records and their operations`(request: String, expected: String) throws {
        #expect(try Self.fixture().routeName(request, [Self.key]) == expected)
    }

    @Test(arguments: [
        "/keys/", "/keys//", "/keys/a/", "/keys/a/rotate/", "/keys/a/rotate/b", "/keys/a/rotat", "/keys/a/sign_out",
        "/keys/token/x", "/signers/a/rotate", "/users/a/rotate", "/users/a/sign_out/b", "/users/a/",
        "/apart/a/none", "/halved/", "/halved/a/rotate/b",
    ])
    func `beside them nothing is there for any method, and no wider route gets it`(path: String) throws {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
            for fields in [[], [Self.key]] {
                guard case .refuse(let refusal) = try Self.fixture().decide("\(method) \(path)", fields) else {
                    Issue.record("\(method) went on")
                    continue
                }
                #expect(refusal.denial == .routeNotFound && refusal.identity.isAnonymous && refusal.allow == nil, "\(method)")
            }
        }
    }

    @Test(arguments: [
        ("/keys", "GET, HEAD, POST"), ("/keys/a", "GET, HEAD, PUT, PATCH, DELETE"), ("/keys/a/rotate", "POST"),
        ("/signers", "GET, HEAD, POST"), ("/signers/a", "GET, HEAD, DELETE"), ("/me/a", "GET, HEAD, PUT, PATCH"),
        ("/orgs/acme/self", "GET, HEAD"), ("/orgs/acme/self/a", "GET, HEAD, PUT, PATCH"),
        ("/apart", "GET, HEAD, POST"), ("/apart/a", "GET, HEAD, PUT, PATCH, DELETE"), ("/apart/a/rotate", "POST"),
        ("/halved", "GET, HEAD, POST"), ("/halved/a", "GET, HEAD"), ("/halved/a/rotate", "POST"),
    ])
    func `a method that the resource lacks is refused with those it has`(path: String, allow: String) throws {
        let taken = allow.split(separator: ", ").map(String.init)
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
            let decision = try Self.fixture().decide("\(method) \(path)", [Self.key])
            if taken.contains(method) {
                guard case .forward = decision else { Issue.record("\(method) was refused"); continue }
                continue
            }
            guard case .refuse(let refusal) = decision else { Issue.record("\(method) went on"); continue }
            #expect(refusal.denial == .methodNotAllowed, "\(method)")
            #expect(String(decoding: refusal.allow ?? [], as: UTF8.self) == allow, "\(method)")
        }
    }

    @Test func `the root may have records under it`() throws {
        let fixture = try PolicyFixture { $0.routes = [Self.managed("/**", .users, name: "users")] }
        for (request, expected) in [
            ("GET /", "users"), ("GET /a", "users"), ("POST /a/sign_out", "users"), ("GET /a/", "route_not_found"),
        ] {
            #expect(try fixture.routeName(request, [Self.key]) == expected, "\(request)")
        }
    }
}
