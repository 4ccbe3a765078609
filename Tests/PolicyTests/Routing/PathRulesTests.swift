import Core
import Testing

@testable import Policy

/// `paths` of routes: what a route takes that others refuse.
struct PathRulesTests {
    private func fixture(_ change: (inout Configuration) -> Void = { _ in }) throws -> PolicyFixture {
        try PolicyFixture { configuration in
            configuration.routes = [
                PolicyFixture.route("/projects/**", name: "projects") {
                    $0.paths = PathRules()
                    $0.paths?.encodedSlash = .keep
                    $0.paths?.invalidUTF8 = .keep
                },
                PolicyFixture.route("/projects/x/admin", name: "admin"),
                PolicyFixture.route("/tidy/**", name: "tidy") {
                    $0.paths = PathRules()
                    $0.paths?.dotSegments = .remove
                },
                PolicyFixture.route("/caf%C3%A9", name: "café"),
                PolicyFixture.route("/**", name: "open"),
            ]
            change(&configuration)
        }
    }

    @Test(arguments: [
        ("/projects/group%2Fname/issues", "projects"), ("/projects/a%5Cb", "projects"), ("/projects/caf%E9.pdf", "projects"),
        ("/projects/%80%FF/x", "projects"), ("/projects/%C0%B4", "projects"), ("/tidy/a/../b", "tidy"), ("/projects/../tidy/a", "tidy"),
        ("/x/../tidy/a", "tidy"), ("/x/a[1]|b^c{d}<e>\"f`", "open"), ("/projects//a", "projects"),
    ])
    func `a path that its route takes passes`(path: String, route: String) throws {
        #expect(try fixture().routeName("GET \(path)") == route)
    }

    @Test(arguments: [
        ("/x/a%2Fb", "path_encoded_slash"), ("/x/%E9", "path_encoding_invalid"), ("/projects/a/../b", "path_dot_segment"),
        ("/tidy/../projects/x", "path_dot_segment"), ("/tidy/a%2Fb", "path_encoded_slash"), ("/tidy/%E9", "path_encoding_invalid"),
        // Another route in a reading.
        ("/projects/x%2Fadmin", "path_ambiguous"), ("/projects/x/%FFadmin", "path_ambiguous"),
        ("/projects/x/adm%C1%A9n", "path_ambiguous"), ("/projects/x/admin%E9", "path_ambiguous"),
        ("/projects/%E9.%E9./x/admin", "path_ambiguous"), ("/projects/a%2F..%2F..%2Ftidy", "path_ambiguous"),
        // Longer forms of what separates.
        ("/projects/a%C0%AFb", "path_encoding_invalid"), ("/projects/%C0%AE%C0%AE/x", "path_encoding_invalid"),
        ("/projects/%E0%80%AF", "path_encoding_invalid"), ("/projects/%F0%80%80%AF", "path_encoding_invalid"),
        ("/projects/%F8%80%80%80%AF", "path_encoding_invalid"), ("/projects/%FC%80%80%80%80%AF", "path_encoding_invalid"),
        ("/projects/%C1%9C", "path_encoding_invalid"), ("/projects/%C0%80", "path_encoding_invalid"),
        ("/projects/%C0%A5%32%66", "path_encoding_invalid"), ("/projects/%C0%BBx", "path_encoding_invalid"),
        // Refused by all.
        ("/projects/..;x", "path_dot_segment"), ("/projects/%0A", "path_control_character"),
    ])
    func `a path that another route takes, or that leads to one, is refused`(path: String, reason: String) throws {
        #expect(try fixture().outcome("GET \(path)") == reason)
    }

    @Test func `without a route the policy's own rules count`() throws {
        let narrow = try fixture { $0.routes.removeLast() }
        #expect(try narrow.outcome("GET /x/a%2Fb") == "path_encoded_slash")
        #expect(try narrow.outcome("GET /x/%E9") == "path_encoding_invalid")
        #expect(try narrow.outcome("GET /x") == "route_not_found")
    }

    @Test func `a byte taken for ISO 8859-1 is a letter of a route`() throws {
        let open = try fixture { configuration in
            configuration.routes[4].paths = PathRules()
            configuration.routes[4].paths?.invalidUTF8 = .keep
        }
        #expect(try open.outcome("GET /caf%E9") == "path_ambiguous")
        #expect(try open.routeName("GET /th%E9") == "open")
        let careless = try fixture { configuration in
            configuration.paths.readings = []
            configuration.routes[4].paths = PathRules()
            configuration.routes[4].paths?.readings = []
            configuration.routes[4].paths?.invalidUTF8 = .keep
        }
        #expect(try careless.routeName("GET /caf%E9") == "open")
    }

    @Test func `readings taken off at one route still count at another`() throws {
        func outcome(_ own: Set<PathReading>, _ other: Set<PathReading>?) throws -> String {
            let fixture = try fixture { configuration in
                configuration.routes[0].paths?.readings = own
                configuration.routes[1].paths = other.map { readings in
                    var rules = PathRules()
                    rules.readings = readings
                    return rules
                }
            }
            return try fixture.outcome("GET /projects/x%2Fadmin")
        }
        #expect(try outcome([], nil) == "path_ambiguous")
        #expect(try outcome([.letterCase], [.encodedSlash]) == "path_ambiguous")
        #expect(try outcome([.encodedSlash], []) == "path_ambiguous")
        #expect(try outcome([], []) == "forwarded")
        #expect(try outcome([.letterCase], [.doubleDecoding]) == "forwarded")
    }

    @Test func `bytes that are not UTF-8 go into no capture that is made use of`() throws {
        let fixture = try fixture { configuration in
            configuration.paths.readings = []
            configuration.routes = [
                PolicyFixture.route("/{org}/files/**", name: "files") { route in
                    route.paths = PathRules()
                    route.paths?.invalidUTF8 = .keep
                    route.paths?.readings = []
                    route.setRequestHeaders = [HeaderTemplate(name: "X-Org", template: PolicyFixture.located("{path.org}"))]
                }
            ]
        }
        #expect(try fixture.routeName("GET /acme/files/%E9") == "files")
        #expect(try fixture.outcome("GET /acm%E9/files/x") == "path_encoding_invalid")
    }

    @Test(arguments: [
        ("/a[1]", "/a%5B1%5D"), ("/a|b^c`", "/a%7Cb%5Ec%60"), ("/{x}\"<>", "/%7Bx%7D%22%3C%3E"), ("/[", "/%5B"), ("/abcdefgh[", "/abcdefgh%5B"),
    ])
    func `what clients send unencoded is its escape, and goes on as it came`(path: String, normal: String) throws {
        var output: [UInt8] = []
        #expect(PathNormaliser(PathRules()).normalise(path.utf8.span, into: &output) == .rewritten(hasMoved: false))
        #expect(String(decoding: output, as: UTF8.self) == normal)
        #expect(try fixture().forwarded("GET \(path)").target == path)
        let literal = try fixture { $0.routes = [PolicyFixture.route(normal, name: "one")] }
        #expect(try literal.forwarded("GET \(path)").target == normal)
        #expect(try literal.forwarded("GET \(normal)").target == normal)
    }

    @Test func `a route's rules are the top-level ones but for what it says`() {
        var base = PathRules()
        base.dotSegments = .remove
        base.invalidUTF8 = .keep
        #expect(base.refused == [.encodedSlash])
        let loosest = PathRules.loosest(of: [base.refused, PathRules().refused])
        #expect(loosest.refused == [.encodedSlash])
        #expect(PathRules.loosest(of: [PathRules().refused]).refused == PathRules().refused)
    }
}
