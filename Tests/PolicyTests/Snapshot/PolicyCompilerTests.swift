import Core
import Testing

@testable import Policy

struct PolicyCompilerTests {
    /// The diagnostics of a configuration with one route, changed by `change`.
    private func diagnostics(
        files: [String: String] = [:], _ change: (inout Configuration) -> Void
    ) throws -> [String] {
        let fixture = try PolicyFixture { $0.routes = [PolicyFixture.route("/a", name: "first")] }
        var configuration = fixture.snapshot.configuration
        change(&configuration)
        var environment = TestEnvironment(cell: fixture.cell)
        environment.files = files
        let (snapshot, diagnostics) = Snapshot.compile(configuration, environment: environment)
        #expect((snapshot == nil) == diagnostics.contains { $0.severity == .error })
        return diagnostics.map(\.description)
    }

    @Test func `routes that tie are named with both places`() throws {
        let found = try diagnostics { configuration in
            configuration.routes = [
                PolicyFixture.route("/a/{x}", name: "first") { $0.position = SourcePosition(line: 12, column: 5) },
                PolicyFixture.route("/a/{y}", name: "second") { $0.position = SourcePosition(line: 20, column: 5) },
            ]
        }
        #expect(
            found == [
                "gateway.json:20:5: routes[1]: ties with routes[0] (\"first\", line 12): both fit the same requests and "
                    + "neither is more specific; tell them apart by path, host, methods or headers"
            ])
    }

    @Test func `every unknown reference is told`() throws {
        let found = try diagnostics { configuration in
            configuration.routes[0].upstream = PolicyFixture.located("nowhere")
            configuration.routes[0].limits = [PolicyFixture.located("gld")]
            configuration.routes[0].responses = PolicyFixture.located("none")
            configuration.routes[0].requirement = PolicyFixture.anyOf("nobody")
        }
        #expect(
            found == [
                #"gateway.json:7:3: test: no upstream named "nowhere""#,
                #"gateway.json:7:3: test: no authenticator named "nobody""#,
                #"gateway.json:7:3: test: no limit named "gld""#, #"gateway.json:7:3: test: no profile named "none""#,
            ])
    }

    @Test func `two authenticators that cannot be told apart are refused`() throws {
        let found = try diagnostics { configuration in
            configuration.authenticators["jwt2"] = PolicyFixture.authenticator("jwt2", .jwt(Sample.configuration()))
            configuration.routes[0].requirement = PolicyFixture.anyOf("jwt", "jwt2")
        }
        #expect(found.count == 1 && found[0].contains("look at the same place for tokens of"))
    }

    @Test func `a capture the path does not have is refused`() throws {
        let found = try diagnostics { configuration in
            configuration.routes[0].setRequestHeaders = [
                HeaderTemplate(name: "X-A", template: PolicyFixture.located("{path.org}"))
            ]
        }
        #expect(found == ["gateway.json:7:3: test: the route's path has no such capture"])
    }

    @Test func `a response header has no captures`() throws {
        let found = try diagnostics { configuration in
            configuration.routes[0] = PolicyFixture.route("/{org}") { route in
                route.setResponseHeaders = [HeaderTemplate(name: "X-A", template: PolicyFixture.located("{path.org}"))]
            }
        }
        #expect(found == ["gateway.json:7:3: test: a response header has no path captures"])
    }

    private func keys(_ file: String) -> AuthenticatorConfiguration {
        PolicyFixture.authenticator(
            "keys",
            .apiKey(
                APIKeyAuthenticatorConfiguration(
                    sources: [.header("X-API-Key")], pepper: nil, keys: [], keysFile: PolicyFixture.located(file))))
    }

    @Test func `a keys file is read, and its errors name its lines`() throws {
        let digest = String(repeating: "ab", count: 32)
        let good = "{\"id\":\"a\",\"sha256\":\"\(digest)\"}\n"
        #expect(try diagnostics(files: ["k": good]) { $0.authenticators["keys"] = keys("k") } == [])
        let bad = try diagnostics(files: ["k": good + "{\"id\":1}\n"]) { $0.authenticators["keys"] = keys("k") }
        #expect(bad.count == 1 && bad[0].hasPrefix("k:2:"), "\(bad)")
        let twice = try diagnostics(files: ["k": good + good]) { $0.authenticators["keys"] = keys("k") }
        #expect(twice.count == 1, "\(twice)")
        let absent = try diagnostics { $0.authenticators["keys"] = keys("k") }
        #expect(absent == ["gateway.json:7:3: test: no file k"])
    }

    @Test func `a pepper that cannot be read is told`() throws {
        let found = try diagnostics { configuration in
            configuration.authenticators["keys"] = PolicyFixture.authenticator(
                "keys",
                .apiKey(
                    APIKeyAuthenticatorConfiguration(
                        sources: [.header("X-API-Key")], pepper: .environment("GONE"), keys: [], keysFile: nil)))
        }
        #expect(found == ["gateway.json:1:1: authenticators.keys.pepper: no secret GONE"])
    }
}
