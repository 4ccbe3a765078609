import Core
import Crypto
import Testing

@testable import Policy

/// Tokens that live and die with a key or a user.
@Suite struct SnapshotDerivedTokenTests {
    private static func fixture(
        from source: TokenDerivationConfiguration.Source, claim: String = "/id",
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> PolicyFixture {
        try PolicyFixture { configuration in
            configuration.authenticators["keys"]?.change { $0.isStored = true }
            configuration.authenticators["jwt"] = PolicyFixture.authenticator(
                "jwt",
                .jwt(
                    Sample.configuration {
                        $0.derivedFrom = TokenDerivationConfiguration(source: source, claim: PolicyFixture.located(claim))
                    }))
            configuration.routes = [
                PolicyFixture.route("/a", PolicyFixture.anyOf("keys", "jwt")),
                PolicyFixture.route("/read", PolicyFixture.anyOf("keys", "jwt")) { $0.authorization.scopes = ["read"] },
                PolicyFixture.route("/write", PolicyFixture.anyOf("keys", "jwt")) { $0.authorization.scopes = ["write"] },
                PolicyFixture.route("/ws", PolicyFixture.anyOf("jwt")) {
                    $0.upgrade = UpgradeConfiguration(protocols: ["websocket"])
                },
            ]
            change(&configuration)
        }
    }

    private static let keys = TokenDerivationConfiguration.Source.keys(PolicyFixture.located("keys"))

    private static func family(_ secret: String) -> String {
        KeyFamily(Sample.cryptography.sha256(secret.utf8.span)).text
    }

    /// A token in its time with these claims beside.
    private static func bearer(_ claims: String) -> [String] {
        let payload = #"{"iss":"https://issuer.test","aud":"gateway","iat":1799999990,"exp":1800000100,\#(claims)}"#
        return ["Authorization: Bearer \(String(decoding: Sample.token(payload), as: UTF8.self))"]
    }

    @Test func `a token speaks for the key it was made with, and ends with it on the next request`() throws {
        let fixture = try Self.fixture(from: Self.keys)
        let key = DirectorySamples.key("stored", secret: "s1") { $0.scopes = ["read"] }
        let token = Self.bearer(#""id":"\#(Self.family("s1"))","sub":"somebody else""#)
        #expect(try fixture.outcome("GET /a", token) == "token_revoked")
        fixture.directory.publish(try DirectorySamples.directory([key]))
        #expect(try fixture.outcome("GET /read", token) == "forwarded")
        #expect(try fixture.outcome("GET /write", token) == "scope_missing")
        #expect(try fixture.forwarded("GET /a", token).values("X-Auth-Subject") == ["stored@store"])
        #expect(try fixture.forwarded("GET /a", token).values("X-Auth-Scopes") == ["read"])
        var off = key
        off.isEnabled = false
        fixture.directory.publish(try DirectorySamples.directory([off]))
        #expect(try fixture.outcome("GET /a", token) == "token_revoked")
        fixture.directory.publish(try DirectorySamples.directory([key]))
        #expect(try fixture.outcome("GET /a", token) == "forwarded")
        let rotated = DirectorySamples.key("stored", secret: "s2")
        fixture.directory.publish(try DirectorySamples.directory([rotated]))
        #expect(try fixture.outcome("GET /a", token) == "token_revoked")
        fixture.directory.publish(Directory(tables: [:], users: [:], isAvailable: false))
        #expect(try fixture.outcome("GET /a", token) == "store_unavailable")
    }

    @Test func `a token of a key in a file does so too`() throws {
        let fixture = try Self.fixture(from: Self.keys)
        let token = Self.bearer(#""id":"\#(Self.family(PolicyFixture.key))""#)
        #expect(try fixture.forwarded("GET /write", token).values("X-Auth-Subject") == ["ci@acme"])
        #expect(try fixture.outcome("GET /a", Self.bearer(#""id":"\#(Self.family("key-that-is-off"))""#)) == "token_revoked")
        let home = Self.bearer(#""id":"\#(Self.family("key-of-home"))""#)
        #expect(try fixture.outcome("GET /a", home) == "token_address_not_allowed")
        #expect(try fixture.outcome("GET /a", home, from: "127.0.0.1") == "forwarded")
    }

    @Test(arguments: [
        (#""id":"00000000-0000-8000-8000-000000000000""#, "token_revoked"), (#""id":"ci""#, "token_revoked"),
        (#""id":1"#, "token_claim_missing"), (#""id":null"#, "token_claim_missing"), (#""x":1"#, "token_claim_missing"),
    ])
    func `a token that names no key is refused`(claims: String, reason: String) throws {
        let fixture = try Self.fixture(from: Self.keys)
        #expect(try fixture.outcome("GET /a", Self.bearer(claims)) == reason)
    }

    @Test func `a token ends when the secret it was made with does`() throws {
        let fixture = try Self.fixture(from: Self.keys)
        let key = DirectorySamples.key("k", secret: "s") {
            $0.secrets[0].expiresAt = PolicyFixture.clock(10).wall
        }
        fixture.directory.publish(try DirectorySamples.directory([key]))
        let token = Self.bearer(#""id":"\#(Self.family("s"))""#)
        #expect(try fixture.outcome("GET /a", token) == "forwarded")
        fixture.now = PolicyFixture.clock(10)
        #expect(try fixture.outcome("GET /a", token) == "token_revoked")
    }

    @Test func `tokens and their key share one bucket and the key's limits`() throws {
        let fixture = try Self.fixture(from: Self.keys) { configuration in
            for (name, burst) in [("three", 3), ("ten", 10)] {
                configuration.limits[name] = LimitConfiguration(
                    requests: 1, per: .seconds(3600), burst: burst, by: [.identity],
                    position: SourcePosition(line: 1, column: 1))
            }
            configuration.routes[0].limits = [PolicyFixture.located("ten")]
        }
        let key = DirectorySamples.key("k", secret: "s") { $0.limits = ["three"] }
        fixture.directory.publish(try DirectorySamples.directory([key]))
        let tokens = ["1", "2"].map { Self.bearer(#""id":"\#(Self.family("s"))","jti":"\#($0)""#) }
        #expect(try fixture.outcome("GET /a", tokens[0]) == "forwarded")
        #expect(try fixture.outcome("GET /a", tokens[1]) == "forwarded")
        #expect(try fixture.outcome("GET /a", ["X-API-Key: s"]) == "forwarded")
        for fields in tokens + [["X-API-Key: s"]] { #expect(try fixture.outcome("GET /a", fields) == "rate_limited") }
    }

    @Test func `a user's token ends with the user, and with the sign-out everywhere`() throws {
        let fixture = try Self.fixture(from: .users, claim: "/sub") { configuration in
            configuration.limits["two"] = LimitConfiguration(
                requests: 1, per: .seconds(3600), burst: 2, by: [.key], position: SourcePosition(line: 1, column: 1))
            configuration.routes[1].limits = [PolicyFixture.located("two")]
        }
        let user = DirectorySamples.user("u1") { $0.scopes = ["read"] }
        func publish(_ users: DirectoryUser...) throws {
            fixture.directory.publish(try DirectorySamples.directory([], users: users))
        }
        let token = Self.bearer(#""sub":"u1""#)
        #expect(try fixture.outcome("GET /a", token) == "token_revoked")
        try publish(user)
        #expect(try fixture.forwarded("GET /a", token).values("X-Auth-Subject") == ["u1"])
        #expect(try fixture.outcome("GET /write", Self.bearer(#""sub":"u1","scope":"write read""#)) == "scope_missing")
        // Every token of the user draws on one bucket, whatever its id.
        for id in ["1", "2"] { #expect(try fixture.outcome("GET /read", Self.bearer(#""sub":"u1","jti":"\#(id)""#)) == "forwarded") }
        #expect(try fixture.outcome("GET /read", Self.bearer(#""sub":"u1","jti":"3""#)) == "rate_limited")
        var out = user
        out.tokensValidFrom = WallTime(seconds: 1_799_999_990)
        try publish(out)
        #expect(try fixture.outcome("GET /a", token) == "forwarded")
        out.tokensValidFrom = WallTime(nanoseconds: 1_799_999_990_000_000_001)
        try publish(out)
        #expect(try fixture.outcome("GET /a", token) == "token_revoked")
        var off = user
        off.isEnabled = false
        try publish(off)
        #expect(try fixture.outcome("GET /a", token) == "token_revoked")
    }

    @Test func `a tunnel ends with the key its token was made with`() throws {
        let fixture = try Self.fixture(from: Self.keys)
        let key = DirectorySamples.key("k", secret: "s") { $0.secrets[0].expiresAt = PolicyFixture.clock(50).wall }
        fixture.directory.publish(try DirectorySamples.directory([key]))
        let fields = Self.bearer(#""id":"\#(Self.family("s"))""#) + ["Connection: upgrade", "Upgrade: websocket"]
        guard case .forward(let grant) = try fixture.decide("GET /ws", fields) else {
            Issue.record("not forwarded")
            return
        }
        #expect(grant.validUntil == PolicyFixture.clock(50).wall)
        #expect(fixture.snapshot.stillAdmits(grant, now: fixture.now, memory: fixture.memory) == nil)
        fixture.directory.publish(try DirectorySamples.directory([]))
        #expect(fixture.snapshot.stillAdmits(grant, now: fixture.now, memory: fixture.memory) == .token(.revoked))
    }

    @Test func `a derived token is remembered until the directory changes`() throws {
        let fixture = try Self.fixture(from: Self.keys)
        let key = DirectorySamples.key("k", secret: "s")
        fixture.directory.publish(try DirectorySamples.directory([key]))
        let token = Self.bearer(#""id":"\#(Self.family("s"))""#)
        for _ in 0..<3 { #expect(try fixture.outcome("GET /a", token) == "forwarded") }
        #expect(fixture.memory.tokens.hits == 2)
        fixture.directory.publish(try DirectorySamples.directory([key]))
        for _ in 0..<3 { #expect(try fixture.outcome("GET /a", token) == "forwarded") }
        #expect(fixture.memory.tokens.hits == 4)
    }

    /// Random keys, random tokens made with them, random requests: where the key is refused, so is the token.
    @Test func `a derived token lets nobody in whom its parent would not`() throws {
        var random = PseudorandomSequence(seed: (11, 12))
        func pick<Element>(_ elements: [Element]) -> Element {
            elements[Int(truncatingIfNeeded: random.next() % UInt64(elements.count))]
        }
        func some(_ elements: [String]) -> [String] { elements.filter { _ in random.next() & 1 == 0 } }
        let fixture = try Self.fixture(from: Self.keys) { $0.failureBudget = nil }
        let blocks = ["192.0.2.0/24", "192.0.2.7", "10.0.0.0/8", "::/0", "0.0.0.0/0"]
        let times: [WallTime?] = [nil, nil, PolicyFixture.clock(-50).wall, PolicyFixture.clock(50).wall]
        var forwarded = 0
        for round in 0..<150 {
            let secret = "secret-\(round)"
            let owner = pick([nil, "on", "off", "gone"])
            let key = DirectorySamples.key("k", secret: secret, owner: owner) {
                $0.scopes = some(["read", "write"])
                $0.allowedAddresses = some(blocks).compactMap { CIDRBlock($0) }
                $0.isEnabled = pick([true, true, false])
                $0.secrets[0].notBefore = pick(times)
                $0.secrets[0].expiresAt = pick(times)
            }
            let users = [
                DirectorySamples.user("on") { $0.scopes = ["read"] }, DirectorySamples.user("off") { $0.isEnabled = false },
            ]
            fixture.directory.publish(try DirectorySamples.directory([key], users: users))
            var claims = #""id":"\#(Self.family(secret))""#
            if pick([true, false]) { claims += #","scope":"\#(some(["read", "write", "admin"]).joined(separator: " "))""# }
            if pick([true, false]) {
                claims += ",\"ips\":[\(some(blocks).map { "\"\($0)\"" }.joined(separator: ","))]"
            }
            if pick([true, false]) { claims += #","sub":"root""# }
            let token = Self.bearer(claims)
            for path in ["/a", "/read", "/write"] {
                for peer in ["192.0.2.7", "192.0.2.8", "10.1.2.3", "2001:db8::1"] {
                    let verdict = try fixture.outcome("GET \(path)", token, from: peer)
                    guard verdict == "forwarded" else { continue }
                    forwarded += 1
                    let parent = try fixture.outcome("GET \(path)", ["X-API-Key: \(secret)"], from: peer)
                    #expect(parent == "forwarded", "\(claims) \(path) \(peer)")
                }
            }
        }
        #expect(forwarded > 100)
    }
}
