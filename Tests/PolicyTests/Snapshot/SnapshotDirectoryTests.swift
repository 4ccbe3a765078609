import Core
import Testing

@testable import Policy

/// Decisions over keys that are kept in the store.
@Suite struct SnapshotDirectoryTests {
    private static func fixture(_ change: (inout Configuration) -> Void = { _ in }) throws -> PolicyFixture {
        try PolicyFixture { configuration in
            configuration.authenticators["keys"]?.change { $0.isStored = true }
            configuration.routes = [
                PolicyFixture.route("/a", PolicyFixture.anyOf("keys")),
                PolicyFixture.route("/write", PolicyFixture.anyOf("keys")) { $0.authorization.scopes = ["write"] },
                PolicyFixture.route("/ws", PolicyFixture.anyOf("keys")) {
                    $0.upgrade = UpgradeConfiguration(protocols: ["websocket"])
                },
            ]
            change(&configuration)
        }
    }

    private static let stored = DirectorySamples.key("stored", secret: "secret-1") { $0.scopes = ["read"] }

    @Test func `a published key is let in by the next request, and refused by the next one after it is gone`() throws {
        let fixture = try Self.fixture()
        let fields = ["X-API-Key: secret-1"]
        #expect(try fixture.outcome("GET /a", fields) == "credential_unknown")
        fixture.directory.publish(try DirectorySamples.directory([Self.stored]))
        #expect(try fixture.outcome("GET /a", fields) == "forwarded")
        #expect(try fixture.outcome("GET /write", fields) == "scope_missing")
        let forwarded = try fixture.forwarded("GET /a", fields)
        #expect(forwarded.values("X-Auth-Subject") == ["stored@store"])
        #expect(forwarded.values("X-Auth-Credential") == ["stored"])
        var changed = Self.stored
        changed.scopes = ["write"]
        fixture.directory.publish(try DirectorySamples.directory([changed]))
        #expect(try fixture.outcome("GET /write", fields) == "forwarded")
        changed.isEnabled = false
        fixture.directory.publish(try DirectorySamples.directory([changed]))
        #expect(try fixture.outcome("GET /a", fields) == "key_disabled")
        fixture.directory.publish(try DirectorySamples.directory([]))
        #expect(try fixture.outcome("GET /a", fields) == "credential_unknown")
    }

    @Test func `keys of files stand beside stored ones, whatever becomes of the store`() throws {
        let fixture = try Self.fixture()
        fixture.directory.publish(try DirectorySamples.directory([Self.stored]))
        #expect(try fixture.outcome("GET /a", ["X-API-Key: \(PolicyFixture.key)"]) == "forwarded")
        #expect(try fixture.outcome("GET /a", ["X-API-Key: secret-1"]) == "forwarded")
        fixture.directory.publish(Directory(tables: [:], users: [:], isAvailable: false))
        #expect(try fixture.outcome("GET /a", ["X-API-Key: \(PolicyFixture.key)"]) == "forwarded")
        #expect(try fixture.outcome("GET /a", ["X-API-Key: secret-1"]) == "store_unavailable")
        #expect(try fixture.outcome("GET /a", ["X-API-Key: guess"]) == "store_unavailable")
        #expect(try fixture.outcome("GET /a", ["X-API-Key: key-that-is-off"]) == "key_disabled")
    }

    @Test func `an authenticator without stored keys does not know those of another one`() throws {
        let fixture = try Self.fixture { $0.authenticators["keys"]?.change { $0.isStored = false } }
        fixture.directory.publish(try DirectorySamples.directory([Self.stored]))
        #expect(!fixture.snapshot.usesDirectory)
        #expect(try fixture.outcome("GET /a", ["X-API-Key: secret-1"]) == "credential_unknown")
        let other = try Self.fixture()
        other.directory.publish(try DirectorySamples.directory([Self.stored], of: "others"))
        #expect(try other.outcome("GET /a", ["X-API-Key: secret-1"]) == "credential_unknown")
    }

    @Test func `limits of a stored key replace the route's, unknown ones do not`() throws {
        let fixture = try Self.fixture { configuration in
            for (name, burst) in [("one", 1), ("two", 2)] {
                configuration.limits[name] = LimitConfiguration(
                    requests: 1, per: .seconds(3600), burst: burst, by: [.identity],
                    position: SourcePosition(line: 1, column: 1))
            }
            configuration.routes[0].limits = [PolicyFixture.located("two")]
        }
        let keys = [("a", ["one"]), ("b", ["nowhere"]), ("c", [])].map { name, limits in
            DirectorySamples.key(name, secret: name) { $0.limits = limits }
        }
        fixture.directory.publish(try DirectorySamples.directory(keys))
        for (key, burst) in [("a", 1), ("b", 2), ("c", 2)] {
            for _ in 0..<burst { #expect(try fixture.outcome("GET /a", ["X-API-Key: \(key)"]) == "forwarded") }
            #expect(try fixture.outcome("GET /a", ["X-API-Key: \(key)"]) == "rate_limited")
        }
    }

    @Test func `a bucket outlives the directories, as a reload`() throws {
        let fixture = try Self.fixture { configuration in
            configuration.limits["one"] = LimitConfiguration(
                requests: 1, per: .seconds(3600), burst: 1, by: [.identity], position: SourcePosition(line: 1, column: 1))
            configuration.routes[0].limits = [PolicyFixture.located("one")]
        }
        fixture.directory.publish(try DirectorySamples.directory([Self.stored]))
        #expect(try fixture.outcome("GET /a", ["X-API-Key: secret-1"]) == "forwarded")
        fixture.directory.publish(try DirectorySamples.directory([Self.stored]))
        #expect(try fixture.outcome("GET /a", ["X-API-Key: secret-1"]) == "rate_limited")
    }

    @Test func `a tunnel ends with its stored key`() throws {
        let fixture = try Self.fixture()
        fixture.directory.publish(try DirectorySamples.directory([Self.stored]))
        let decision = try fixture.decide(
            "GET /ws", ["X-API-Key: secret-1", "Connection: upgrade", "Upgrade: websocket"])
        guard case .forward(let grant) = decision else {
            Issue.record("\(decision)")
            return
        }
        func review() -> String {
            fixture.snapshot.stillAdmits(grant, now: fixture.now, memory: fixture.memory)?.reason ?? "admitted"
        }
        #expect(review() == "admitted")
        fixture.directory.publish(try DirectorySamples.directory([Self.stored, DirectorySamples.key("x", secret: "y")]))
        #expect(review() == "admitted")
        fixture.directory.publish(Directory(tables: [:], users: [:], isAvailable: false))
        #expect(review() == "store_unavailable")
        var off = Self.stored
        off.isEnabled = false
        fixture.directory.publish(try DirectorySamples.directory([off]))
        #expect(review() == "key_disabled")
        var other = Self.stored
        other.id = "another"
        fixture.directory.publish(try DirectorySamples.directory([other]))
        #expect(review() == "credential_unknown")
        fixture.directory.publish(try DirectorySamples.directory([]))
        #expect(review() == "credential_unknown")
    }
}

extension AuthenticatorConfiguration {
    /// Changes what an authenticator of API keys says of itself.
    mutating func change(_ body: (inout APIKeyAuthenticatorConfiguration) -> Void) {
        guard case .apiKey(var keys) = kind else { return }
        body(&keys)
        kind = .apiKey(keys)
    }
}
