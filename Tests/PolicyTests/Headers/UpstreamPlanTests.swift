import Core
import Testing

@testable import Policy

/// Parameters that a route adds to the query, and those it takes away.
struct UpstreamPlanTests {
    private func target(
        _ received: String, set: [(String, String)] = [], remove: [String] = [], path: String = "/**"
    ) throws -> String {
        let fixture = try PolicyFixture { configuration in
            configuration.routes = [
                PolicyFixture.route(path) { route in
                    route.setQueryParameters = set.map {
                        HeaderTemplate(name: $0.0, template: PolicyFixture.located($0.1))
                    }
                    route.removedQueryParameters = remove
                }
            ]
        }
        return try fixture.forwarded("GET \(received)").target
    }

    @Test(arguments: [
        ("/a", "/a?k=v"), ("/a?", "/a?k=v"), ("/a?x=1", "/a?x=1&k=v"), ("/a?k=mine", "/a?k=v"), ("/a?k", "/a?k=v"),
        ("/a?%6b=mine&x=1", "/a?x=1&k=v"), ("/a?x=1&k=1&k=2&", "/a?x=1&k=v"), ("/a?K=1", "/a?k=v"),
    ])
    func `a parameter that is set takes the place of the client's`(received: String, sent: String) throws {
        #expect(try target(received, set: [("k", "v")]) == sent)
    }

    @Test(arguments: [("/a?d=1", "/a"), ("/a?d=1&e=2", "/a?e=2"), ("/a", "/a")])
    func `a parameter that is removed does not go on`(received: String, sent: String) throws {
        #expect(try target(received, remove: ["d"]) == sent)
    }

    @Test(arguments: [
        ("/a?user[]=root&x=%2a+;", "/a?x=%2a+;&user=v"), ("/a?a=1;user=root&b=2", "/a?b=2&user=v"), ("/a?a=1;b=2", "/a?a=1;b=2&user=v"),
        ("/a?User=root", "/a?user=v"), ("/a?;user=root", "/a?user=v"), ("/a?%20user=root", "/a?user=v"), ("/a?%2575ser=root&&c", "/a?&c&user=v"),
        ("/a?user%00=root", "/a?user=v"), ("/a?users=1&user_id=2&x[user]=3&x=user", "/a?users=1&user_id=2&x[user]=3&x=user&user=v"),
        ("/a?a=b;user", "/a?user=v"), ("/a?%C1%B5ser=root", "/a?user=v"), ("/a?%EF%BD%95ser=root", "/a?user=v"),
    ])
    func `what some parser takes for a parameter that is set does not go on, and the rest goes on byte for byte`(
        received: String, sent: String
    ) throws {
        #expect(try target(received, set: [("user", "v")]) == sent)
    }

    @Test func `values and names are percent-encoded, so that none becomes another parameter`() throws {
        #expect(
            try target("/a%26b%20%2Bc", set: [("f[x]", "{path.rest}&=")], path: "/{rest}") == "/a%26b%20%2Bc?f%5Bx%5D=a%26b%20%2Bc%26%3D")
    }

    @Test func `a parameter of what nobody has is not sent, nor is the client's`() throws {
        #expect(try target("/a?who=me", set: [("who", "{subject}")]) == "/a")
    }
}
