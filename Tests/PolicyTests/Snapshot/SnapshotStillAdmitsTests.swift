import Core
import Crypto
import Testing

@testable import Policy

/// Connections that outlive their request, asked again under the same policy and under newer ones.
struct SnapshotStillAdmitsTests {
    private static let upgrade = ["Connection: Upgrade", "Upgrade: websocket"]
    private static let key = "X-API-Key: \(PolicyFixture.key)"
    private static var token: String { "Authorization: Bearer \(String(decoding: Sample.token(), as: UTF8.self))" }

    /// One route for WebSockets.
    private func fixture(
        _ requirement: RouteConfiguration.Requirement = PolicyFixture.anyOf("keys", "jwt", "machines"),
        keys: KeySet? = nil, _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> PolicyFixture {
        try PolicyFixture(keys: keys) { configuration in
            configuration.authenticators["machines"] = PolicyFixture.authenticator(
                "machines", .certificate(CertificateAuthenticatorConfiguration()))
            configuration.routes = [
                PolicyFixture.route("/{org}/ws", name: "ws", requirement) {
                    $0.upgrade = UpgradeConfiguration(protocols: ["websocket"])
                }
            ]
            change(&configuration)
        }
    }

    private func grant(
        _ fields: [String], from peer: String = PolicyFixture.peer, certificate: ClientCertificate? = nil,
        under fixture: PolicyFixture
    ) throws -> Grant {
        try fixture.grant(
            "GET /acme/ws", Self.upgrade + fields,
            over: PolicyFixture.facts(from: peer, isSecure: true, certificate: certificate))
    }

    /// The reason, "admitted" without one.
    private func verdict(_ grant: Grant, under fixture: PolicyFixture, after seconds: Int64 = 0) -> String {
        fixture.snapshot.stillAdmits(
            grant, now: PolicyFixture.clock(seconds), memory: fixture.memory)?.reason ?? "admitted"
    }

    // MARK: Time

    @Test func `a connection is valid as long as its credential`() throws {
        let fixture = try fixture()
        let token = try grant([Self.token], under: fixture)
        #expect(token.validUntil == PolicyFixture.clock(100).wall)
        #expect(verdict(token, under: fixture, after: 99) == "admitted")
        #expect(verdict(token, under: fixture, after: 100) == "token_expired")
        let certificate = try grant([], certificate: PolicyFixture.certificate(), under: fixture)
        #expect(certificate.validUntil == PolicyFixture.clock(3600).wall)
        #expect(verdict(certificate, under: fixture, after: 3600) == "certificate_expired")
        let key = try grant([Self.key], under: fixture)
        #expect(key.validUntil == nil)
        #expect(verdict(key, under: fixture, after: 1_000_000) == "admitted")
    }

    @Test func `a key that ends`() throws {
        let fixture = try fixture { Self.change(&$0) { $0.secrets[0].expiresAt = PolicyFixture.clock(50).wall } }
        let key = try grant([Self.key], under: fixture)
        #expect(key.validUntil == PolicyFixture.clock(50).wall)
        #expect(verdict(key, under: fixture, after: 49) == "admitted")
        #expect(verdict(key, under: fixture, after: 50) == "key_expired")
    }

    @Test func `leeway is for the token that was shown after its end`() throws {
        let fixture = try fixture { configuration in
            configuration.authenticators["jwt"] = PolicyFixture.authenticator(
                "jwt", .jwt(Sample.configuration { $0.leeway = .seconds(30) }))
        }
        #expect(try grant([Self.token], under: fixture).validUntil == PolicyFixture.clock(100).wall)
        fixture.now = PolicyFixture.clock(110)
        #expect(try grant([Self.token], under: fixture).validUntil == PolicyFixture.clock(130).wall)
    }

    @Test func `of several credentials the first to end ends it`() throws {
        let fixture = try fixture(PolicyFixture.allOf("keys", "jwt")) {
            Self.change(&$0) { $0.secrets[0].expiresAt = PolicyFixture.clock(200).wall }
        }
        let both = try grant([Self.key, Self.token], under: fixture)
        #expect(both.validUntil == PolicyFixture.clock(100).wall)
        #expect(verdict(both, under: fixture, after: 100) == "token_expired")
    }

    @Test func `an ordinary request is not asked again`() throws {
        let fixture = try fixture()
        let grant = try fixture.grant("GET /acme/ws", [Self.token], over: PolicyFixture.facts())
        #expect(grant.validUntil == nil)
        #expect(verdict(grant, under: fixture, after: 1000) == "admitted")
    }

    // MARK: Newer policies

    private static func change(_ configuration: inout Configuration, _ change: (inout APIKeyConfiguration) -> Void) {
        guard case .apiKey(var keys) = configuration.authenticators["keys"]?.kind else { return }
        change(&keys.keys[0])
        configuration.authenticators["keys"] = PolicyFixture.authenticator("keys", .apiKey(keys))
    }

    @Test func `a key that is revoked, disabled, renamed, or bound to other addresses`() throws {
        let old = try fixture()
        let grant = try grant([Self.key], under: old)
        #expect(verdict(grant, under: try fixture()) == "admitted")
        let changes: [(String, (inout APIKeyConfiguration) -> Void)] = [
            ("credential_unknown", { $0.secrets[0].digest = Digest256(1, 2, 3, 4) }),
            ("credential_unknown", { $0.id = "another" }),
            ("key_disabled", { $0.isEnabled = false }),
            ("key_expired", { $0.secrets[0].expiresAt = PolicyFixture.clock(-1).wall }),
            ("address_not_allowed", { $0.allowedAddresses = [CIDRBlock("10.0.0.0/8")].compactMap(\.self) }),
            ("admitted", { $0.allowedAddresses = [CIDRBlock("192.0.2.0/24")].compactMap(\.self) }),
            ("admitted", { $0.subject = "renamed" }),
        ]
        for (expected, change) in changes {
            #expect(verdict(grant, under: try fixture { Self.change(&$0, change) }) == expected)
        }
    }

    @Test(arguments: [["keys", "jwt"], ["jwt", "keys"]])
    func `every credential of several is asked again, whatever their order`(names: [String]) throws {
        let requirement = RouteConfiguration.Requirement.allOf(names.map(PolicyFixture.located))
        let realms = RealmConfiguration(header: "X-Realm", parameter: nil, isRequired: false)
        func fixture(_ change: @escaping (inout APIKeyConfiguration) -> Void = { _ in }) throws -> PolicyFixture {
            try self.fixture(requirement) {
                $0.routes[0].realm = realms
                Self.change(&$0, change)
            }
        }
        let grant = try grant([Self.key, Self.token, "X-Realm: green"], under: try fixture())
        #expect(grant.realm == "green")
        let changes: [(String, (inout APIKeyConfiguration) -> Void)] = [
            ("admitted", { _ in }), ("credential_unknown", { $0.secrets[0].digest = Digest256(1, 2, 3, 4) }),
            ("key_disabled", { $0.isEnabled = false }),
            ("address_not_allowed", { $0.allowedAddresses = [CIDRBlock("10.0.0.0/8")].compactMap(\.self) }),
            ("realm_not_allowed", { $0.realm = "blue" }), ("admitted", { $0.realm = "green" }),
        ]
        for (expected, change) in changes { #expect(verdict(grant, under: try fixture(change)) == expected) }
        let scoped = try self.fixture(requirement) { $0.routes[0].authorization.scopes = ["read"] }
        #expect(verdict(grant, under: scoped) == "scope_missing")
    }

    @Test func `a token whose key is gone, whose issuer or audience is no longer taken`() throws {
        let old = try fixture()
        let grant = try grant([Self.token], under: old)
        let others: [(String, (inout JWTAuthenticatorConfiguration) -> Void)] = [
            ("admitted", { _ in }), ("token_issuer_unknown", { $0.issuers = ["https://other.test"] }),
            ("token_audience_wrong", { $0.audiences = ["another"] }),
            ("token_algorithm_not_allowed", { $0.algorithms = [.rs256] }),
            ("token_claim_missing", { $0.requiredClaims = [(PolicyFixture.located("/org"), nil)] }),
        ]
        for (expected, change) in others {
            let newer = try fixture {
                $0.authenticators["jwt"] = PolicyFixture.authenticator("jwt", .jwt(Sample.configuration(change)))
            }
            #expect(verdict(grant, under: newer) == expected)
        }
        let rotated = try fixture(keys: Sample.keySet(Sample.key(kid: "another")))
        #expect(verdict(grant, under: rotated) == "token_key_unknown")
        // The set in force loses the key.
        old.cell.install(try Sample.keySet(Sample.key(kid: "another")), now: PolicyFixture.clock(1), freshFor: nil)
        #expect(verdict(grant, under: old, after: 1) == "token_key_unknown")
    }

    @Test func `a certificate that is no longer listed`() throws {
        let old = try fixture()
        let grant = try grant([], certificate: PolicyFixture.certificate(), under: old)
        #expect(verdict(grant, under: try fixture()) == "admitted")
        let newer = try fixture {
            var configuration = CertificateAuthenticatorConfiguration()
            configuration.entries = []
            $0.authenticators["machines"] = PolicyFixture.authenticator("machines", .certificate(configuration))
        }
        #expect(verdict(grant, under: newer) == "credential_unknown")
    }

    @Test func `a route that is gone, moved, overtaken, or asks for more`() throws {
        let grant = try grant([Self.key], under: try fixture())
        let changes: [(String, (inout Configuration) -> Void)] = [
            ("admitted", { $0.routes[0].name = "renamed" }),
            ("admitted", { $0.routes[0].authorization.scopes = ["read"] }),
            ("scope_missing", { $0.routes[0].authorization.scopes = ["admin"] }),
            ("route_not_found", { $0.routes[0].path = PolicyFixture.located("/ws") }),
            ("route_not_found", { $0.routes[0].hosts = ["other.test"] }),
            ("route_not_found", { $0.routes[0].methods = ["POST"] }),
            ("route_not_found", { $0.routes[0].upgrade = nil }),
            ("route_not_found", { $0.routes[0].upgrade = UpgradeConfiguration(protocols: ["other"]) }),
            ("credential_missing", { $0.routes[0].requirement = PolicyFixture.anyOf("jwt") }),
            ("credential_missing", { $0.routes[0].requirement = PolicyFixture.allOf("keys", "jwt") }),
            ("admitted", { $0.routes[0].requirement = PolicyFixture.optional("keys") }),
            ("admitted", { $0.routes[0].requirement = .none }),
            ("admitted", { $0.httpsOnly = true }),
            (
                "address_not_allowed",
                { $0.routes[0].authorization.deniedAddresses = [CIDRBlock("192.0.2.7")].compactMap(\.self) }
            ),
            ("claim_mismatch", {
                $0.routes[0].authorization.claims = [(PolicyFixture.located("/org"), PolicyFixture.located("acme"))]
            }),
            ("route_not_found", { $0.routes.append(PolicyFixture.route("/acme/ws", name: "overtaking")) }),
            ("path_ambiguous", { $0.routes.append(PolicyFixture.route("/ACME/ws", name: "the same to some")) }),
            (
                "route_not_found",
                {
                    $0.upstreams["elsewhere"] = $0.upstreams["origin"]
                    $0.routes[0].upstream = PolicyFixture.located("elsewhere")
                }
            ),
        ]
        for (index, (expected, change)) in changes.enumerated() {
            #expect(verdict(grant, under: try fixture { change(&$0) }) == expected, "change \(index)")
        }
    }

    @Test func `claims are compared with the captures of the request`() throws {
        let payload = String(Sample.payload.dropLast()) + #","org":"acme"}"#
        let token = "Authorization: Bearer \(String(decoding: Sample.token(payload), as: UTF8.self))"
        let grant = try grant([token], under: try fixture())
        for (template, expected) in [("{path.org}", "admitted"), ("{path.org}x", "claim_mismatch")] {
            let newer = try fixture {
                $0.routes[0].authorization.claims = [(PolicyFixture.located("/org"), PolicyFixture.located(template))]
            }
            #expect(verdict(grant, under: newer) == expected)
        }
    }

    @Test func `nobody stays nobody`() throws {
        let grant = try grant([], under: try fixture(PolicyFixture.optional("keys")))
        #expect(verdict(grant, under: try fixture(PolicyFixture.optional("jwt"))) == "admitted")
        #expect(verdict(grant, under: try fixture(.none)) == "admitted")
        #expect(verdict(grant, under: try fixture(PolicyFixture.anyOf("keys"))) == "credential_missing")
    }

    @Test func `a connection in clear ends when the route wants https`() throws {
        let old = try fixture()
        let grant = try old.grant("GET /acme/ws", Self.upgrade + [Self.key], over: PolicyFixture.facts())
        #expect(verdict(grant, under: try fixture { $0.httpsOnly = true }) == "https_required")
    }

    @Test func `no bucket is touched`() throws {
        let fixture = try fixture { configuration in
            configuration.limits["one"] = LimitConfiguration(
                requests: 2, per: .seconds(3600), burst: 2, by: [.identity], position: SourcePosition(line: 1, column: 1))
            configuration.routes[0].limits = [PolicyFixture.located("one")]
        }
        let grant = try grant([Self.key], under: fixture)
        for _ in 0..<10 { #expect(verdict(grant, under: fixture) == "admitted") }
        #expect(try fixture.outcome("GET /acme/ws", [Self.key]) == "forwarded")
        #expect(try fixture.outcome("GET /acme/ws", [Self.key]) == "rate_limited")
    }
}
