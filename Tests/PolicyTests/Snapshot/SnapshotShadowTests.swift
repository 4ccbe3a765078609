import Core
import Testing

@testable import Policy

/// Rules that are tried before they bite.
@Suite struct SnapshotShadowTests {
    private static let place = SourcePosition(line: 1, column: 1)

    private static func limit(_ burst: Int, _ mode: RuleMode) -> LimitConfiguration {
        LimitConfiguration(requests: 1, per: .seconds(3600), burst: burst, by: [.key], mode: mode, position: place)
    }

    private static func fixture(_ change: @escaping (inout RouteConfiguration) -> Void) throws -> PolicyFixture {
        try PolicyFixture { configuration in
            configuration.limits["tight"] = limit(1, .shadow)
            configuration.limits["wide"] = limit(3, .enforce)
            configuration.limits["tiny"] = limit(1, .enforce)
            configuration.authenticators["keys"]?.change { keys in
                keys.keys += [
                    PolicyFixture.record("own", secret: "k_own") { $0.limits = [PolicyFixture.located("tight")] }
                ]
            }
            configuration.failureBudget?.failures = 1
            configuration.failureBudget?.burst = 1
            configuration.routes = [
                PolicyFixture.route("/r", PolicyFixture.anyOf("keys"), change),
                PolicyFixture.route("/strict", PolicyFixture.anyOf("keys")),
            ]
        }
    }

    private static let good = ["X-API-Key: \(PolicyFixture.key)"]
    private static let other = ["X-API-Key: \(PolicyFixture.otherKey)"]

    /// `rule: reason` of each rule that would have refused the request; the reason itself when it is refused.
    private static func verdict(
        _ fixture: PolicyFixture, _ fields: [String] = good, path: String = "/r", from peer: String = PolicyFixture.peer
    ) throws -> [String] {
        switch try fixture.decide("GET \(path)", fields, from: peer) {
        case .forward(let grant): grant.shadowRefusals.map { "\($0.rule): \($0.denial.reason)" }
        case .refuse(let refusal): [refusal.denial.reason]
        case .wait: ["waiting"]
        case .answer: ["answered"]
        }
    }

    private static func rule(_ place: Int, _ change: (inout RouteConfiguration.Authorization) -> Void)
        -> RouteConfiguration.Authorization
    {
        var rule = RouteConfiguration.Authorization()
        rule.place = place
        change(&rule)
        return rule
    }

    @Test func `a limit that is tried counts and lets pass`() throws {
        let fixture = try Self.fixture { $0.limits = [PolicyFixture.located("tight"), PolicyFixture.located("wide")] }
        #expect(try Self.verdict(fixture) == [])
        #expect(try Self.verdict(fixture) == ["limits.tight: rate_limited"])
        #expect(try Self.verdict(fixture) == ["limits.tight: rate_limited"])
        // What is refused anyhow is not tried.
        #expect(try Self.verdict(fixture) == ["rate_limited"])
        #expect(try Self.verdict(fixture, Self.other) == [])
    }

    @Test func `clients are told of the limits that bite`() throws {
        let fixture = try Self.fixture { $0.limits = [PolicyFixture.located("tight"), PolicyFixture.located("wide")] }
        guard case .forward(let grant) = try fixture.decide("GET /r", Self.good) else {
            Issue.record("refused")
            return
        }
        #expect(grant.rate?.limits.count == 1 && grant.rate?.limit.name == "wide")
    }

    @Test func `a key whose limits are only tried keeps the route's`() throws {
        let fixture = try Self.fixture { $0.limits = [PolicyFixture.located("tiny")] }
        #expect(try Self.verdict(fixture, ["X-API-Key: k_own"]) == [])
        #expect(try Self.verdict(fixture, ["X-API-Key: k_own"]) == ["rate_limited"])
        let open = try Self.fixture { _ in }
        #expect(try Self.verdict(open, ["X-API-Key: k_own"]) == [])
        #expect(try Self.verdict(open, ["X-API-Key: k_own"]) == ["limits.tight: rate_limited"])
    }

    @Test func `a limit keeps its bucket when it begins to bite`() throws {
        let tried = try Limit(name: "one", Self.limit(3, .shadow))
        let enforced = try Limit(name: "one", Self.limit(3, .enforce))
        #expect(tried.isShadow && !enforced.isShadow && tried.identity == enforced.identity)
    }

    @Test func `rules beside the one that enforces are asked each by itself`() throws {
        let fixture = try Self.fixture { route in
            route.authorization = Self.rule(0) { $0.scopes = ["read"] }
            route.shadowAuthorizations = [
                Self.rule(1) { $0.scopes = ["write"] },
                Self.rule(2) { $0.allowedAddresses = [CIDRBlock("127.0.0.0/8")].compactMap(\.self) },
                Self.rule(3) { $0.claims = [(PolicyFixture.located("/sub"), PolicyFixture.located("ci"))] },
            ]
        }
        #expect(
            try Self.verdict(fixture) == ["authorize[2]: address_not_allowed", "authorize[3]: claim_mismatch"])
        #expect(try Self.verdict(fixture, from: "127.0.0.1") == ["authorize[3]: claim_mismatch"])
        #expect(try Self.verdict(fixture, Self.other) == ["scope_missing"])
    }

    @Test func `a rule alone is named without a place`() throws {
        let fixture = try Self.fixture { route in
            var rule = RouteConfiguration.Authorization()
            rule.scopes = ["admin"]
            route.shadowAuthorizations = [rule]
        }
        #expect(try Self.verdict(fixture) == ["authorize: scope_missing"])
    }

    @Test(arguments: [
        ([], "route: credential_missing"), (["X-API-Key: wrong"], "route: credential_unknown"),
        (["X-API-Key: key-that-is-off"], "route: key_disabled"), (other, "route: scope_missing"),
        (["X-API-Key: key-of-home"], "route: address_not_allowed"),
        (["Authorization: Bearer a", "Authorization: Bearer b"], "route: credential_ambiguous"),
    ])
    func `a route in shadow mode lets everybody pass`(fields: [String], expected: String) throws {
        let fixture = try Self.fixture { route in
            route.mode = .shadow
            route.authorization.scopes = ["read"]
        }
        #expect(try Self.verdict(fixture, fields) == [expected])
        #expect(try Self.verdict(fixture) == [])
    }

    @Test func `a bad credential is nobody's, and goes no further`() throws {
        let fixture = try Self.fixture { $0.mode = .shadow }
        let forwarded = try fixture.forwarded("GET /r", ["X-API-Key: wrong", "X-Auth-Subject: root"])
        #expect(forwarded.grant.identity.isAnonymous && forwarded.grant.fingerprint != nil)
        #expect(forwarded.values("X-API-Key").isEmpty && forwarded.values("X-Auth-Subject").isEmpty)
    }

    @Test func `a known caller without the scope keeps its name`() throws {
        let fixture = try Self.fixture { route in
            route.mode = .shadow
            route.authorization.scopes = ["admin"]
        }
        #expect(try fixture.forwarded("GET /r", Self.good).values("X-Auth-Subject") == ["ci@acme"])
    }

    @Test func `the limits of a route in shadow mode count unseen`() throws {
        let fixture = try Self.fixture { route in
            route.mode = .shadow
            route.limits = [PolicyFixture.located("tiny")]
        }
        for expected in [[], ["route: rate_limited"]] {
            guard case .forward(let grant) = try fixture.decide("GET /r", Self.good) else {
                Issue.record("refused")
                return
            }
            #expect(grant.rate == nil)
            #expect(grant.shadowRefusals.map { "\($0.rule): \($0.denial.reason)" } == expected)
        }
    }

    @Test func `bad credentials on a route in shadow mode lock nobody out of another`() throws {
        let fixture = try Self.fixture { $0.mode = .shadow }
        for _ in 0..<5 {
            #expect(try Self.verdict(fixture, ["X-API-Key: wrong"]) == ["route: credential_unknown"])
        }
        #expect(try Self.verdict(fixture, path: "/strict") == [])
        #expect(try Self.verdict(fixture, ["X-API-Key: wrong"], path: "/strict") == ["credential_unknown"])
        #expect(try Self.verdict(fixture, ["X-API-Key: guess"], path: "/strict") == ["too_many_failures"])
        #expect(try Self.verdict(fixture, ["X-API-Key: guess"]) == ["route: too_many_failures"])
        #expect(try Self.verdict(fixture) == [])
    }

    @Test func `what a route in shadow mode counts leaves the buckets of others alone`() throws {
        let fixture = try PolicyFixture { configuration in
            configuration.limits["tiny"] = Self.limit(1, .enforce)
            configuration.routes = ["/tried", "/strict"].map { path in
                PolicyFixture.route(path, PolicyFixture.anyOf("keys")) { route in
                    route.mode = path == "/tried" ? .shadow : .enforce
                    route.limits = [PolicyFixture.located("tiny")]
                }
            }
        }
        #expect(try Self.verdict(fixture, path: "/tried") == [])
        #expect(try Self.verdict(fixture, path: "/tried") == ["route: rate_limited"])
        #expect(try Self.verdict(fixture, path: "/strict") == [])
        #expect(try Self.verdict(fixture, path: "/strict") == ["rate_limited"])
    }

    @Test func `a key used from where it must not be vouches for nobody`() throws {
        let fixture = try Self.fixture { $0.mode = .shadow }
        let forwarded = try fixture.forwarded("GET /r", ["X-API-Key: key-of-home"])
        #expect(forwarded.grant.identity.isAnonymous && forwarded.values("X-Auth-Subject").isEmpty)
        #expect(try fixture.forwarded("GET /r", ["X-API-Key: key-of-home"], from: "127.0.0.1").values("X-Auth-Subject") == ["home@acme"])
    }

    @Test func `what is no rule of the route is refused in shadow mode too`() throws {
        let fixture = try Self.fixture { route in
            route.mode = .shadow
            route.httpsOnly = true
        }
        #expect(try Self.verdict(fixture) == ["https_required"])
        #expect(try Self.verdict(fixture, path: "/none") == ["route_not_found"])
    }
}
