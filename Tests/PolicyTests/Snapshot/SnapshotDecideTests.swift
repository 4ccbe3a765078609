import Core
import Crypto
import Testing

@testable import Policy

struct SnapshotDecideTests {
    private static let key = "X-API-Key: \(PolicyFixture.key)"
    private static let otherKey = "Authorization: Bearer \(PolicyFixture.otherKey)"
    private static let badKey = "X-API-Key: nobody's"
    private static var token: String { "Authorization: Bearer \(String(decoding: Sample.token(), as: UTF8.self))" }
    private static var badToken: String { String(token.dropLast(3)) + "AAA" }

    private func fixture(
        _ requirement: RouteConfiguration.Requirement, bucketLimit: Int = 1000,
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> PolicyFixture {
        try PolicyFixture(bucketLimit: bucketLimit) { configuration in
            configuration.routes = [PolicyFixture.route("/{org}", name: "org", requirement)]
            change(&configuration)
        }
    }

    // MARK: Credentials

    @Test(
        arguments: [
            ("nothing", [], "credential_missing"),
            ("a good key", [key], "forwarded"),
            ("a key as a bearer token of its prefix", [otherKey], "forwarded"),
            ("a good token", [token], "forwarded"),
            ("the scheme in upper case", ["Authorization: BEARER \(PolicyFixture.otherKey)"], "forwarded"),
            ("several spaces behind the scheme", ["Authorization: Bearer   \(PolicyFixture.otherKey)"], "forwarded"),
            ("an unknown key", [badKey], "credential_unknown"),
            ("a key of another prefix", ["Authorization: Bearer rbtk_nobody"], "credential_unknown"),
            ("a bearer token of no kind", ["Authorization: Bearer abc"], "token_malformed"),
            ("a bad signature", [badToken], "token_signature_invalid"),
            ("Bearer and nothing", ["Authorization: Bearer"], "credential_malformed"),
            ("an empty key", ["X-API-Key:"], "credential_malformed"),
            ("another scheme", ["Authorization: Basic eDp5"], "scheme_not_supported"),
            ("two Authorization fields", [otherKey, otherKey], "credential_ambiguous"),
            ("two different Authorization fields", [token, otherKey], "credential_ambiguous"),
            ("two keys", [key, key], "credential_ambiguous"),
            ("a disabled key", ["X-API-Key: key-that-is-off"], "key_disabled"),
            ("a key from another address", ["X-API-Key: key-of-home"], "address_not_allowed"),
            ("a key in another spelling of its field", ["X_API_Key: \(PolicyFixture.key)"], "credential_missing"),
            ("a key in lower case", ["x-api-key: \(PolicyFixture.key)"], "forwarded"),
            ("the first shown decides: good", [key, badToken], "forwarded"),
            ("the first shown decides: bad", [badKey, token], "credential_unknown"),
            ("a huge key", ["X-API-Key: \(String(repeating: "x", count: 2000))"], "credential_unknown"),
            ("Connection cannot hide a credential", ["Connection: X-API-Key", badKey], "credential_unknown"),
        ] as [(String, [String], String)])
    func `any of several authenticators`(trick: String, fields: [String], expected: String) throws {
        #expect(try fixture(PolicyFixture.anyOf("keys", "jwt")).outcome("GET /acme", fields) == expected, "\(trick)")
    }

    @Test func `an optional credential that is shown and bad is never treated as absent`() throws {
        let fixture = try fixture(PolicyFixture.optional("keys", "jwt"))
        #expect(try fixture.outcome("GET /acme") == "forwarded")
        #expect(try fixture.outcome("GET /acme", [Self.key]) == "forwarded")
        #expect(try fixture.outcome("GET /acme", [Self.badKey]) == "credential_unknown")
        #expect(try fixture.outcome("GET /acme", [Self.badToken]) == "token_signature_invalid")
        #expect(try fixture.outcome("GET /acme", ["X-API-Key:"]) == "credential_malformed")
        #expect(try fixture.outcome("GET /acme", ["Authorization: Bearer"]) == "credential_malformed")
        let anonymous = try fixture.forwarded("GET /acme")
        #expect(!anonymous.lines.contains { $0.hasPrefix("X-Auth") })
    }

    @Test func `all of several authenticators, the first one's identity`() throws {
        let fixture = try fixture(PolicyFixture.allOf("jwt", "keys"))
        #expect(try fixture.outcome("GET /acme", [Self.token]) == "credential_missing")
        #expect(try fixture.outcome("GET /acme", [Self.key]) == "credential_missing")
        #expect(try fixture.outcome("GET /acme", [Self.token, Self.badKey]) == "credential_unknown")
        let both = try fixture.forwarded("GET /acme", [Self.token, Self.key])
        #expect(both.values("X-Auth-Subject") == ["alice"])
        #expect(both.values("X-API-Key") == [])
        #expect(both.values("Authorization") == [])
    }

    @Test func `an expired token and an expired key`() throws {
        let fixture = try fixture(PolicyFixture.anyOf("keys", "jwt")) { configuration in
            configuration.authenticators["keys"] = PolicyFixture.authenticator(
                "keys",
                .apiKey(
                    APIKeyAuthenticatorConfiguration(
                        sources: [.header("X-API-Key")], pepper: nil,
                        keys: [
                            PolicyFixture.record("old", secret: "old") { $0.secrets[0].expiresAt = Sample.now.wall },
                            PolicyFixture.record("new", secret: "new") {
                                $0.secrets[0].notBefore = Sample.now.wall.advanced(by: .seconds(60))
                            },
                        ], keysFile: nil)))
        }
        #expect(try fixture.outcome("GET /acme", ["X-API-Key: old"]) == "key_expired")
        #expect(try fixture.outcome("GET /acme", ["X-API-Key: new"]) == "key_not_yet_valid")
        fixture.now = PolicyFixture.clock(100)
        #expect(try fixture.outcome("GET /acme", ["X-API-Key: new"]) == "forwarded")
        #expect(try fixture.outcome("GET /acme", [Self.token]) == "token_expired")
    }

    @Test func `one header for keys and tokens is read by its shape`() throws {
        let fixture = try fixture(PolicyFixture.anyOf("keys", "jwt")) { configuration in
            configuration.authenticators["jwt"] = PolicyFixture.authenticator(
                "jwt", .jwt(Sample.configuration { $0.sources = [.header("X-API-Key")] }))
        }
        #expect(try fixture.outcome("GET /acme", [Self.key]) == "forwarded")
        let token = String(decoding: Sample.token(), as: UTF8.self)
        #expect(try fixture.outcome("GET /acme", ["X-API-Key: \(token)"]) == "forwarded")
        #expect(try fixture.outcome("GET /acme", ["X-API-Key: \(token)x"]) == "token_signature_invalid")
    }

    @Test func `a peppered digest opens with the pepper`() throws {
        let digest = Sample.cryptography.hmacSHA256(key: "pepper".utf8.span, "hot".utf8.span)
        var record = PolicyFixture.record("ci", secret: "hot")
        record.secrets[0].digest = digest
        let fixture = try fixture(PolicyFixture.anyOf("keys")) { configuration in
            configuration.authenticators["keys"] = PolicyFixture.authenticator(
                "keys",
                .apiKey(
                    APIKeyAuthenticatorConfiguration(
                        sources: [.header("X-API-Key")], pepper: .environment("PEPPER"), keys: [record], keysFile: nil))
            )
        }
        #expect(try fixture.outcome("GET /acme", ["X-API-Key: hot"]) == "forwarded")
        #expect(try fixture.outcome("GET /acme", ["X-API-Key: cold"]) == "credential_unknown")
    }

    // MARK: Key sets

    @Test func `a token of an unknown key waits once for a fetch`() throws {
        let fixture = try fixture(PolicyFixture.anyOf("jwt")) { _ in }
        let remote = Sample.cell(nil, isRemote: true)
        let (snapshot, _) = Snapshot.compile(fixture.snapshot.configuration, environment: TestEnvironment(cell: remote))
        var head = try PolicyFixture.head("GET /acme", [Self.token])
        let first = try #require(snapshot).decide(
            &head, connection: try PolicyFixture.facts(), now: fixture.now, memory: fixture.memory)
        guard case .wait(let cell, let refusal) = first else {
            Issue.record("\(first)")
            return
        }
        #expect(cell === remote)
        #expect(refusal.denial == .token(.keySetUnavailable))
        #expect(refusal.denial.status == 503)
        cell.install(try Sample.keySet(Sample.key()), now: fixture.now, freshFor: .seconds(600))
        let second = try #require(snapshot).decide(
            &head, connection: try PolicyFixture.facts(waited: true), now: fixture.now, memory: fixture.memory)
        guard case .forward = second else {
            Issue.record("\(second)")
            return
        }
    }

    @Test func `who has waited is not asked to wait again`() throws {
        let fixture = try fixture(PolicyFixture.anyOf("jwt"))
        let remote = Sample.cell(nil, isRemote: true)
        let (snapshot, _) = Snapshot.compile(fixture.snapshot.configuration, environment: TestEnvironment(cell: remote))
        var head = try PolicyFixture.head("GET /acme", [Self.token])
        let decision = try #require(snapshot).decide(
            &head, connection: try PolicyFixture.facts(waited: true), now: fixture.now, memory: fixture.memory)
        guard case .refuse(let refusal) = decision else {
            Issue.record("\(decision)")
            return
        }
        #expect(refusal.denial == .token(.keySetUnavailable))
    }

    // MARK: The failure budget

    @Test func `an address that fails too often is refused unseen`() throws {
        let fixture = try fixture(PolicyFixture.anyOf("keys")) { configuration in
            configuration.failureBudget?.burst = 3
        }
        for guess in 0..<3 { #expect(try fixture.outcome("GET /acme", ["X-API-Key: guess-\(guess)"]) == "credential_unknown") }
        #expect(try fixture.outcome("GET /acme", [Self.key]) == "too_many_failures")
        #expect(try fixture.outcome("GET /acme") == "credential_missing")
        #expect(try fixture.answer("GET /acme", [Self.key]).values("Retry-After").count == 1)
        #expect(try fixture.outcome("GET /acme", [Self.key], from: "192.0.2.8") == "forwarded")
    }

    // MARK: Authorisation

    @Test(arguments: [
        ("192.0.2.7", "forwarded"), ("192.0.2.66", "address_not_allowed"), ("198.51.100.1", "address_not_allowed"),
        ("::ffff:192.0.2.7", "forwarded"), ("2001:db8::1", "forwarded"),
    ])
    func `a route's addresses`(peer: String, expected: String) throws {
        let fixture = try fixture(.none) { configuration in
            configuration.routes[0].authorization.allowedAddresses =
                ["192.0.2.0/24", "2001:db8::/32"].compactMap { CIDRBlock($0) }
            configuration.routes[0].authorization.deniedAddresses = ["192.0.2.66"].compactMap { CIDRBlock($0) }
        }
        #expect(try fixture.outcome("GET /acme", from: peer) == expected)
    }

    @Test func `a token's addresses`() throws {
        let payload =
            #"{"iss":"https://issuer.test","aud":"gateway","sub":"alice","exp":1800000100,"ips":["198.51.100.0/24"]}"#
        let fields = ["Authorization: Bearer \(String(decoding: Sample.token(payload), as: UTF8.self))"]
        let fixture = try fixture(PolicyFixture.anyOf("jwt"))
        #expect(try fixture.outcome("GET /acme", fields, from: "198.51.100.9") == "forwarded")
        #expect(try fixture.outcome("GET /acme", fields) == "token_address_not_allowed")
    }

    @Test func `scopes are asked for all together`() throws {
        let fixture = try fixture(PolicyFixture.anyOf("keys", "jwt")) { configuration in
            configuration.routes[0].authorization.scopes = ["read", "write"]
        }
        #expect(try fixture.outcome("GET /acme", [Self.key]) == "forwarded")
        #expect(try fixture.outcome("GET /acme", [Self.otherKey]) == "scope_missing")
        #expect(try fixture.outcome("GET /acme", [Self.token]) == "scope_missing")
    }

    @Test func `an optional route that asks for scopes asks for a credential`() throws {
        let fixture = try fixture(PolicyFixture.optional("keys")) { configuration in
            configuration.routes[0].authorization.scopes = ["read"]
        }
        #expect(try fixture.outcome("GET /acme") == "credential_missing")
        #expect(try fixture.outcome("GET /acme", [Self.key]) == "forwarded")
    }

    @Test(arguments: [
        (#""org":"acme""#, "forwarded"), (#""org":"other""#, "claim_mismatch"), (#""org":["x","acme"]"#, "forwarded"),
        (#""org":["x"]"#, "claim_mismatch"), (#""org":[]"#, "claim_mismatch"), (#""org":null"#, "claim_mismatch"),
        (#""org":{"acme":"acme"}"#, "claim_mismatch"), (#""x":1"#, "claim_mismatch"),
        (#""org":"ACME""#, "claim_mismatch"),
        (#""org":[["acme"]]"#, "claim_mismatch"), (#""org":"acme ""#, "claim_mismatch"),
    ])
    func `a claim must have the capture's value`(claims: String, expected: String) throws {
        let fixture = try fixture(PolicyFixture.anyOf("jwt")) { configuration in
            configuration.routes[0].authorization.claims = [
                (pointer: PolicyFixture.located("/org"), template: PolicyFixture.located("{path.org}"))
            ]
        }
        let payload = #"{"iss":"https://issuer.test","aud":"gateway","exp":1800000100,\#(claims)}"#
        let token = String(decoding: Sample.token(payload), as: UTF8.self)
        #expect(try fixture.outcome("GET /acme", ["Authorization: Bearer \(token)"]) == expected)
        #expect(try fixture.outcome("GET /%61cme", ["Authorization: Bearer \(token)"]) == expected)
    }

    @Test(arguments: [("7", "7", true), ("7", "7.0", false), ("true", "true", true), ("é", "\"é\"", true)])
    func `numbers and booleans are compared by their text`(value: String, claim: String, fits: Bool) throws {
        let fixture = try fixture(PolicyFixture.anyOf("jwt")) { configuration in
            configuration.routes[0].authorization.claims = [
                (pointer: PolicyFixture.located("/n"), template: PolicyFixture.located(value))
            ]
        }
        let payload = #"{"iss":"https://issuer.test","aud":"gateway","exp":1800000100,"n":\#(claim)}"#
        let token = String(decoding: Sample.token(payload), as: UTF8.self)
        let outcome = try fixture.outcome("GET /acme", ["Authorization: Bearer \(token)"])
        #expect(outcome == (fits ? "forwarded" : "claim_mismatch"))
    }

    @Test func `a key has no claims`() throws {
        let fixture = try fixture(PolicyFixture.anyOf("keys")) { configuration in
            configuration.routes[0].authorization.claims = [
                (pointer: PolicyFixture.located("/org"), template: PolicyFixture.located("{path.org}"))
            ]
        }
        #expect(try fixture.outcome("GET /acme", [Self.key]) == "claim_mismatch")
    }

    // MARK: Limits

    private func limit(_ burst: Int, by parts: [LimitConfiguration.Part]) -> LimitConfiguration {
        LimitConfiguration(
            requests: 1, per: .seconds(60), burst: burst, by: parts, position: SourcePosition(line: 1, column: 1))
    }

    private func passes(_ fixture: PolicyFixture, _ fields: [String], from peer: String = PolicyFixture.peer) throws
        -> Int
    {
        for count in 0..<50 where try fixture.outcome("GET /acme", fields, from: peer) != "forwarded" { return count }
        return 50
    }

    @Test func `request twenty-one of a burst of twenty is refused`() throws {
        let fixture = try fixture(PolicyFixture.anyOf("keys", "jwt")) { configuration in
            configuration.limits["l"] = limit(20, by: [.identity])
            configuration.routes[0].limits = [PolicyFixture.located("l")]
        }
        #expect(try passes(fixture, [Self.key]) == 20)
        #expect(try fixture.outcome("GET /acme", [Self.key]) == "rate_limited")
        #expect(try passes(fixture, [Self.otherKey]) == 20)
        #expect(try passes(fixture, [Self.token]) == 20)
        // A fresh token of the same subject brings no fresh bucket.
        let payload = Sample.payload.replacing("1800000100", with: "1800000101")
        let fresh = "Authorization: Bearer \(String(decoding: Sample.token(payload), as: UTF8.self))"
        #expect(try fixture.outcome("GET /acme", [fresh]) == "rate_limited")
        fixture.now = PolicyFixture.clock(61)
        #expect(try passes(fixture, [Self.key]) == 1)
    }

    @Test func `a refused request takes nothing from its other limits`() throws {
        let fixture = try fixture(.none) { configuration in
            configuration.limits["one"] = limit(3, by: [.address])
            configuration.limits["all"] = limit(5, by: [.route])
            configuration.routes[0].limits = ["one", "all"].map(PolicyFixture.located)
        }
        #expect(try passes(fixture, []) == 3)
        #expect(try passes(fixture, []) == 0)
        #expect(try passes(fixture, [], from: "192.0.2.8") == 2)
    }

    @Test func `IPv6 addresses count by their network`() throws {
        let fixture = try fixture(.none) { configuration in
            configuration.limits["l"] = limit(2, by: [.address])
            configuration.routes[0].limits = [PolicyFixture.located("l")]
        }
        #expect(try passes(fixture, [], from: "2001:db8::1") == 2)
        #expect(try passes(fixture, [], from: "2001:db8::2") == 0)
        #expect(try passes(fixture, [], from: "2001:db8:0:1::1") == 2)
    }

    @Test func `a key's own limits replace the route's`() throws {
        let fixture = try fixture(PolicyFixture.anyOf("keys")) { configuration in
            configuration.limits["low"] = limit(2, by: [.key])
            configuration.limits["gold"] = limit(7, by: [.key])
            configuration.routes[0].limits = [PolicyFixture.located("low")]
            configuration.authenticators["keys"] = PolicyFixture.authenticator(
                "keys",
                .apiKey(
                    APIKeyAuthenticatorConfiguration(
                        sources: [.header("X-API-Key")], pepper: nil,
                        keys: [
                            PolicyFixture.record("a", secret: "a"),
                            PolicyFixture.record("b", secret: "b") { $0.limits = [PolicyFixture.located("gold")] },
                        ], keysFile: nil)))
        }
        #expect(try passes(fixture, ["X-API-Key: a"]) == 2)
        #expect(try passes(fixture, ["X-API-Key: b"]) == 7)
    }

    @Test func `a caller there is no bucket for is refused`() throws {
        let fixture = try fixture(.none, bucketLimit: 1) { configuration in
            configuration.limits["l"] = limit(2, by: [.address])
            configuration.routes[0].limits = [PolicyFixture.located("l")]
        }
        #expect(try fixture.outcome("GET /acme") == "forwarded")
        #expect(try fixture.outcome("GET /acme", from: "192.0.2.8") == "limits_unavailable")
    }

    @Test func `who may not is not counted`() throws {
        let fixture = try fixture(PolicyFixture.anyOf("keys")) { configuration in
            configuration.limits["l"] = limit(1, by: [.identity])
            configuration.routes[0].limits = [PolicyFixture.located("l")]
            configuration.routes[0].authorization.scopes = ["admin"]
        }
        for _ in 0..<3 { #expect(try fixture.outcome("GET /acme", [Self.key]) == "scope_missing") }
        #expect(try fixture.answer("GET /acme", [Self.key]).values("X-RateLimit-Remaining") == ["1"])
    }

    // MARK: What is decided without a route

    @Test func `requests that end here`() throws {
        let fixture = try fixture(.none) { $0.routes[0].methods = ["GET"] }
        #expect(try fixture.outcome("GET /a/b") == "route_not_found")
        #expect(try fixture.outcome("POST /acme") == "method_not_allowed")
        #expect(try fixture.outcome("GET /a/../b") == "path_dot_segment")
        #expect(try fixture.outcome("OPTIONS *") == "answered")
        #expect(try fixture.outcome("OPTIONS http://api.test") == "answered")
        #expect(try fixture.outcome("OPTIONS /acme", ["Max-Forwards: 0"]) == "answered")
        #expect(try fixture.outcome("TRACE /acme", ["Max-Forwards: 0"]) == "method_not_allowed")
        #expect(try fixture.outcome("OPTIONS /acme", ["Max-Forwards: x"]) == "max_forwards_invalid")
        #expect(try fixture.outcome("OPTIONS /acme", ["Max-Forwards: 0", "Max-Forwards: 9"]) == "max_forwards_invalid")
        #expect(try fixture.outcome("GET /acme", ["Max-Forwards: x"]) == "forwarded")
    }

    @Test func `trusted forwarding fields that contradict each other are refused`() throws {
        let fixture = try fixture(.none) { configuration in
            configuration.trustedProxies = [CIDRBlock("10.0.0.0/8")].compactMap(\.self)
            configuration.forwardedFields = .both
        }
        let fields = ["X-Forwarded-For: 1.1.1.1", "Forwarded: for=2.2.2.2"]
        #expect(try fixture.outcome("GET /acme", fields, from: "10.0.0.1") == "forwarding_ambiguous")
        #expect(try fixture.outcome("GET /acme", fields) == "forwarded")
    }

    @Test func `a decision changes nothing in the head`() throws {
        let fixture = try fixture(PolicyFixture.anyOf("keys"))
        var head = try PolicyFixture.head("GET /acme", [Self.key, "X-Auth-Subject: x"])
        _ = fixture.snapshot.decide(
            &head, connection: try PolicyFixture.facts(), now: fixture.now, memory: fixture.memory)
        #expect(head.fields.filter(\.isDropped).isEmpty)
    }
}
