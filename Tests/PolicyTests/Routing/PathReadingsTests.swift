import Core
import Testing

@testable import Policy

/// What becomes of paths that servers read in different ways.
struct PathReadingsTests {
    private func fixture(_ change: (inout Configuration) -> Void = { _ in }) throws -> PolicyFixture {
        try PolicyFixture { configuration in
            configuration.routes = [
                PolicyFixture.route("/admin/**", name: "admin", PolicyFixture.anyOf("keys")),
                PolicyFixture.route("/users/me", name: "me"),
                PolicyFixture.route("/users/{id}", name: "user"),
                PolicyFixture.route("/@self", name: "self"),
                PolicyFixture.route("/{org}/devices/**", name: "devices") { route in
                    route.setRequestHeaders = [HeaderTemplate(name: "X-Org", template: PolicyFixture.located("{path.org}"))]
                },
                PolicyFixture.route("/Reports/**", name: "reports"),
                PolicyFixture.route("/only/{name}", name: "only"),
                PolicyFixture.route("/**", name: "open"),
            ]
            change(&configuration)
        }
    }

    @Test(arguments: [
        // Node: new URL(request.url, base).
        "//x/admin/secret", "///x/admin/secret", "//x:1/admin/secret", "//x@y/admin/secret", "//admin/secret", "//x//admin/secret",
        "http://api.test//x/admin/secret", "/;//x/admin/secret",
        // Tomcat, Jetty, Spring.
        "/admin;x/secret", "/admin;/secret", "/admin;a=b;c/secret", "/;x/admin/secret", "/;/admin/secret", "/admin%3Bx/secret",
        "/admin%3bx/secret", "/%3b/admin/secret", "/admin%253Bx/secret", "/x/%253B/..;/admin", "/users/me;v=1",
        // Express, IIS.
        "/ADMIN/secret", "/Admin/Secret", "/aDMIN", "/reports/x", "/REPORTS", "/users/ME", "/users/Me",
        "/%EF%BD%81dmin/secret", "/%EF%BC%A1DMIN/secret", "/u%C5%BFers/me", "/adm%C4%B1n/secret",
        // A decoder behind a decoder.
        "/%2561dmin/secret", "/adm%2569n", "/%2541dmin/secret", "/x%252F..%252Fadmin/secret", "/x/%252e%252e/admin/secret",
        "/x%255c..%255cadmin", "/%40self",
        // Windows.
        "/admin./secret", "/admin%20/secret", "/admin.%20./secret", "/admin%252E/secret",
        // Several at once.
        "/ADMIN;x/secret", "/%2541DMIN;x/secret", "/admin.;x/secret", "//x/ADMIN;y/secret", "/;x//ADMIN./secret",
        // No route in the other reading.
        "/only/;x", "/only/a%252Fb;/c/../d",
        // Empty segments that are merged or not.
        "/users//me", "//users/me",
    ])
    func `a path that some server reads as another route's is refused`(target: String) throws {
        let outcome = try fixture().outcome("GET \(target)", ["X-API-Key: \(PolicyFixture.key)"])
        #expect(outcome == "path_ambiguous" || outcome == "path_dot_segment", "\(outcome)")
        #expect(outcome == "path_ambiguous" || target.contains("..;") || target.contains("/../"))
    }

    @Test(arguments: [
        ("/users/AbC0", "user"), ("/users/QWxhZGRpbjpvcGVu+-_=", "user"), ("/files/a;v=1", "open"), ("/files/100%25", "open"),
        ("/files/100%2541", "open"), ("/files/100%25absolute", "open"), ("/users/100%25", "user"), ("/a//b", "open"), ("/x//", "open"),
        ("/caf%C3%89/Menu.PDF", "open"), ("/.well-known/x", "open"), ("/matrix;a=1/b;c=2", "open"), ("/Reports/Q1", "reports"),
        ("/admin/a;b/C/%2561", "admin"), ("/only/A%25", "only"), ("/users/J.R.", "user"), ("/users/a%2Cb", "user"), ("/", "open"),
        ("/acme/devices/AB;x/%2541.", "devices"), ("/ACME/devices/x", "devices"), ("/@self", "self"), ("//", "open"),
    ])
    func `a path whose readings agree passes`(path: String, route: String) throws {
        #expect(try fixture().routeName("GET \(path)", ["X-API-Key: \(PolicyFixture.key)"]) == route)
    }

    @Test(arguments: [
        "/acme;x/devices/1", "//acme/victim/devices/1", "/%2561cme/devices/1", "/acme%252Fx/devices/1", "/a%3Bb/devices/1",
    ])
    func `a route that makes use of captures has the same ones in every reading`(target: String) throws {
        #expect(try fixture().outcome("GET \(target)") == "path_ambiguous")
        let careless = try fixture { $0.routes[4].setRequestHeaders = [] }
        // Without the use of it, only a path that selects something else is refused.
        #expect(try careless.outcome("GET /acme;x/devices/1") == "forwarded")
        let claims = try fixture { configuration in
            configuration.routes[4].setRequestHeaders = []
            configuration.routes[4].requirement = PolicyFixture.anyOf("jwt")
            configuration.routes[4].authorization.claims = [
                (pointer: PolicyFixture.located("/org"), template: PolicyFixture.located("{path.org}"))
            ]
        }
        #expect(try claims.outcome("GET \(target)") == "path_ambiguous")
    }

    @Test(arguments: PathReading.allCases.filter { $0 != .invalidUTF8 })
    func `a reading counts where the policy lists it`(reading: PathReading) throws {
        let targets: [PathReading: String] = [
            .emptySegments: "/users//me", .authority: "//x/admin/secret", .parameters: "/admin;x", .encodedSlash: "/x%2Fdevices/y",
            .letterCase: "/ADMIN", .doubleDecoding: "/%2561dmin", .trailingDots: "/admin./x",
        ]
        for (other, target) in targets {
            let alone = try fixture { configuration in
                configuration.paths.encodedSlash = .keep
                configuration.paths.readings = [reading]
            }
            #expect(try (alone.outcome("GET \(target)") == "path_ambiguous") == (other == reading), "\(target)")
        }
        let none = try fixture { configuration in
            configuration.paths.encodedSlash = .keep
            configuration.paths.readings = []
        }
        let target = try #require(targets[reading])
        #expect(try none.outcome("GET \(target)") == "forwarded")
        #expect(try !none.forwarded("GET \(target)").target.contains("//"))
    }

    @Test(arguments: [
        ("/files/a%2Fb", "forwarded"), ("/only/a%2Fb", "path_ambiguous"), ("/x%2F..%2Fadmin/secret", "path_ambiguous"),
        ("/x%5C..%5Cadmin/secret", "path_ambiguous"), ("/admin%2Fsecret", "path_ambiguous"), ("/..%2Fadmin", "path_ambiguous"),
        ("/users/x%2F..%2Fme", "path_ambiguous"), ("/users/%2e%2e%2Fadmin", "path_ambiguous"), ("/users/a%5Cb", "path_ambiguous"),
    ])
    func `an encoded slash that is kept is a slash in one reading`(path: String, expected: String) throws {
        #expect(try fixture { $0.paths.encodedSlash = .keep }.outcome("GET \(path)") == expected)
    }

    @Test(arguments: [
        ("/only/a%2Fb", "forwarded"), ("/only/a%5Cb", "forwarded"), ("/only/a%2F..%2F..%2Fb", "path_ambiguous"),
        ("/only/a%2F..", "path_ambiguous"), ("/only/a%252Fb", "path_ambiguous"), ("/only/a%2Fb;x/y", "route_not_found"),
    ])
    func `an encoded slash that is kept need not be a path of the policy, unless it leads elsewhere`(path: String, expected: String) throws {
        let fixture = try fixture { configuration in
            configuration.paths.encodedSlash = .keep
            configuration.routes.removeAll { $0.name == "open" }
        }
        #expect(try fixture.outcome("GET \(path)") == expected)
    }

    @Test func `routes that differ by letter case alone are told apart by the policy`() throws {
        let fixture = try fixture { configuration in
            configuration.routes += [
                PolicyFixture.route("/Case/x", name: "upper"), PolicyFixture.route("/case/x", name: "lower"),
                PolicyFixture.route("/CASE/{id}", name: "capture"),
            ]
        }
        #expect(try fixture.routeName("GET /Case/x") == "upper")
        #expect(try fixture.routeName("GET /case/x") == "lower")
        // Neither: a server that makes no difference would serve one of them.
        #expect(try fixture.routeName("GET /cASE/x") == "path_ambiguous")
        #expect(try fixture.routeName("GET /CASE/x") == "path_ambiguous")
        #expect(try fixture.routeName("GET /CASE/y") == "capture")
    }

    @Test func `methods and headers decide which route a reading selects`() throws {
        let fixture = try fixture { configuration in
            configuration.routes += [
                PolicyFixture.route("/items/new", name: "new") { $0.methods = ["POST"] },
                PolicyFixture.route("/items/{id}", name: "item"),
            ]
        }
        // A reading that takes no such method is a path that is not exposed.
        #expect(try fixture.routeName("GET /items/NEW") == "path_ambiguous")
        #expect(try fixture.routeName("POST /items/NEW") == "path_ambiguous")
        #expect(try fixture.routeName("GET /items/ABC") == "item")
    }

    @Test func `a route in shadow mode lets no such path pass`() throws {
        let fixture = try fixture { configuration in
            configuration.routes[0].mode = .shadow
            configuration.routes[7].mode = .shadow
            configuration.routes[7].requirement = PolicyFixture.anyOf("keys")
        }
        #expect(try fixture.outcome("GET /admin;x") == "path_ambiguous")
        #expect(try fixture.outcome("GET /other") == "forwarded")
    }

    @Test func `the refusal names both routes, and the client learns of neither`() throws {
        let fixture = try fixture()
        guard case .refuse(let refusal) = try fixture.decide("GET /ADMIN;x/secret") else {
            Issue.record("it went on")
            return
        }
        #expect(refusal.route?.name == "open")
        let ambiguity = try #require(refusal.ambiguity)
        #expect(ambiguity.otherRoute(in: fixture.snapshot) == "admin")
        #expect(ambiguity.readings == [.parameters, .letterCase] && ambiguity.path == "/admin/secret")
        let answer = try fixture.answer("GET /ADMIN;x/secret")
        #expect(answer.status == 400 && !answer.body.contains("admin"))
    }

    @Test func `a path with more readings than are looked at is refused`() throws {
        let long = String(repeating: "/;/A.;%253By%2541%252F.", count: 340)
        #expect(try fixture().outcome("GET \(long)") == "path_ambiguous")
        #expect(try fixture().outcome("GET /" + String(repeating: "A;b", count: 2000)) == "forwarded")
    }

    @Test func `a long path of capitals is looked at once`() throws {
        #expect(try fixture().outcome("GET /" + String(repeating: "ABCDEFGH/", count: 800)) == "forwarded")
    }
}
