import Core
import Crypto
import Testing

@testable import Policy

/// Routes that ask for all of several credentials: each of them bounds the request, whatever their order.
struct SnapshotAllOfTests {
    private static let names = ["a", "b", "jwt", "machines"]
    private static let limits = #"""
        "limits":{"one":{"requests":1,"per":"1h"},"two":{"requests":2,"per":"1h"},
                  "place":{"requests":1,"per":"1h","by":["address"]}},
        """#

    private static func digest(_ secret: String) -> String { Sample.cryptography.sha256(secret.utf8.span).hex }

    /// A route for each name alone at `/NAME` and for each ordered pair at `/NAME/NAME`.
    private static func members(a: String = "", b: String = "", machines: String = "", route: String = "") -> String {
        let pairs = names.flatMap { one in names.filter { $0 != one }.map { (one, $0) } }
        let alone = names.map {
            #"{"name":"\#($0)","match":{"path":"/\#($0)"},"authenticate":["\#($0)"],"upstream":"up"\#(route)}"#
        }
        let both = pairs.map { one, other in
            #"{"name":"\#(one)-\#(other)","match":{"path":"/\#(one)/\#(other)"},"upstream":"up"\#(route),"#
                + #""authenticate":{"all_of":["\#(one)","\#(other)"]}}"#
        }
        return #"""
            \#(limits)
            "key_sets":{"issuer":{"url":"https://issuer.test/keys"}},
            "authenticators":{
              "a":{"type":"api_key","from":["header:X-A"],"keys":[{
                "id":"key-a","subject":"a@acme","sha256":"\#(digest("secret-a"))"\#(a)}]},
              "b":{"type":"api_key","from":["header:X-B"],"keys":[{
                "id":"key-b","subject":"b@acme","sha256":"\#(digest("secret-b"))"\#(b)}]},
              "jwt":{"type":"jwt","issuer":"https://issuer.test","audiences":["gateway"],"algorithms":["HS256"], "addresses_claim": "/ips",
                "key_set":"issuer","leeway":"0s"},
              "machines":{"type":"certificate"\#(machines)}
            },
            "routes":[\#((alone + both).joined(separator: ","))]
            """#
    }

    private static func token(_ more: String = "") -> String {
        let payload = Sample.payload.dropLast() + more + "}"
        return "Authorization: Bearer \(String(decoding: Sample.token(String(payload)), as: UTF8.self))"
    }

    private static func fields(_ more: String = "") -> [String] { ["X-A: secret-a", "X-B: secret-b", token(more)] }

    private static func facts() throws -> ConnectionFacts {
        try PolicyFixture.facts(isSecure: true, certificate: PolicyFixture.certificate())
    }

    /// The outcome at both orders of two names.
    private static func outcomes(_ one: String, _ other: String, _ fixture: PolicyFixture, _ fields: [String]) throws -> Set<String> {
        Set(
            try [
                fixture.outcome("GET /\(one)/\(other)", fields, over: facts()),
                fixture.outcome("GET /\(other)/\(one)", fields, over: facts()),
            ])
    }

    // MARK: Bounds

    @Test(arguments: ["a", "jwt", "machines"])
    func `an address list of either credential refuses`(other: String) throws {
        let fixture = try PolicyFixture(members: Self.members(b: #","allow_ips":["10.0.0.0/8"]"#))
        #expect(try Self.outcomes("b", other, fixture, Self.fields()) == ["address_not_allowed"])
        #expect(try Self.outcomes("a", "jwt", fixture, Self.fields()) == ["forwarded"])
        let machines = #","certificates":[{"match":{"common_name":"billing"},"allow_ips":["10.0.0.0/8"]}]"#
        let bound = try PolicyFixture(members: Self.members(machines: machines))
        #expect(try Self.outcomes("machines", "a", bound, Self.fields()) == ["address_not_allowed"])
        let open = try PolicyFixture(members: Self.members())
        #expect(try Self.outcomes("jwt", "a", open, Self.fields(#","ips":["10.0.0.0/8"]"#)) == ["token_address_not_allowed"])
    }

    @Test func `a realm lock of either credential holds, and two that differ refuse`() throws {
        let route = #","realm":{"header":"X-Realm","required":false}"#
        let one = try PolicyFixture(members: Self.members(b: #","realm":"blue""#, route: route))
        #expect(try Self.outcomes("a", "b", one, Self.fields() + ["X-Realm: green"]) == ["realm_not_allowed"])
        #expect(try Self.outcomes("jwt", "b", one, Self.fields() + ["X-Realm: green"]) == ["realm_not_allowed"])
        for path in ["/a/b", "/b/a", "/jwt/b", "/machines/b"] {
            #expect(try one.grant("GET \(path)", Self.fields(), over: Self.facts()).realm == "blue")
        }
        // Also where the route itself knows no realm.
        for rule in [route, ""] {
            let two = try PolicyFixture(members: Self.members(a: #","realm":"green""#, b: #","realm":"blue""#, route: rule))
            #expect(try Self.outcomes("a", "b", two, Self.fields()) == ["realm_not_allowed"])
            #expect(try Self.outcomes("a", "jwt", two, Self.fields()) == ["forwarded"])
        }
    }

    @Test func `each credential pays from its own bucket, and all or none`() throws {
        let fixture = try PolicyFixture(members: Self.members(b: #","limits":["one"]"#, route: #","limits":["two"]"#))
        #expect(try fixture.outcome("GET /a/b", Self.fields(), over: Self.facts()) == "forwarded")
        // The second key's own limit is used up, and nothing is taken of the first one's.
        #expect(try fixture.outcome("GET /a/b", Self.fields(), over: Self.facts()) == "rate_limited")
        #expect(try fixture.outcome("GET /b/a", Self.fields(), over: Self.facts()) == "rate_limited")
        #expect(try fixture.outcome("GET /b", Self.fields(), over: Self.facts()) == "rate_limited")
        #expect(try fixture.outcome("GET /a", Self.fields(), over: Self.facts()) == "forwarded")
        #expect(try fixture.outcome("GET /a", Self.fields(), over: Self.facts()) == "rate_limited")
        #expect(try fixture.outcome("GET /jwt/a", Self.fields(), over: Self.facts()) == "rate_limited")
    }

    @Test func `a bucket that both have in common is taken from once`() throws {
        let fixture = try PolicyFixture(members: Self.members(route: #","limits":["place","two"]"#))
        let grant = try fixture.grant("GET /a/b", Self.fields(), over: Self.facts())
        #expect(grant.caller.limits.indices.map { grant.caller.limits[$0].name } == ["place", "two", "two"])
        #expect(grant.rate?.remaining == 0)
        #expect(try fixture.outcome("GET /b/a", Self.fields(), over: Self.facts()) == "rate_limited")
        // Each limit is named once to the client.
        var lines = HeaderLines()
        var style = RateHeaderStyle()
        style.families = [.ietf]
        RateHeaders(style).append(try #require(grant.rate), now: fixture.now, to: &lines)
        var policies = ""
        lines.forEach { if $0.equalsIgnoringCase("ratelimit-policy") { policies = String(decoding: $1.copied(), as: UTF8.self) } }
        #expect(policies.split(separator: ",").count == 2)
    }

    @Test func `more limits than apply to one request are an error where they are known, and refuse where not`() throws {
        let many = (1...5).map { #""l\#($0)":{"requests":9,"per":"1h"}"# }.joined(separator: ",")
        let names = (1...5).map { #""l\#($0)""# }.joined(separator: ",")
        let members = Self.members(a: #","limits":[\#(names)]"#, b: #","limits":[\#(names)]"#)
            .replacing(#""limits":{"one""#, with: #""limits":{\#(many),"one""#)
        let fixture = try PolicyFixture(members: members)
        #expect(try fixture.outcome("GET /a", Self.fields(), over: Self.facts()) == "forwarded")
        #expect(try Self.outcomes("a", "b", fixture, Self.fields()) == ["limits_unavailable"])
        let text = #"{"listeners":[{"address":"127.0.0.1:0"}],"upstreams":{"up":{"servers":["http://127.0.0.1:9000"]}},"#
            + Self.members(route: #","limits":[\#(names)]"#).replacing(#""limits":{"one""#, with: #""limits":{\#(many),"one""#) + "}"
        let configuration = try #require(ConfigurationReader.read(text.utf8.span, file: "gateway.json").configuration)
        let cell = Sample.cell(try Sample.keySet(Sample.key()))
        let diagnostics = Snapshot.compile(configuration, environment: TestEnvironment(cell: cell)).diagnostics
        #expect(diagnostics.contains { $0.message.contains("together 10") })
    }

    @Test func `scopes are asked of every credential, but of no certificate that could not have any`() throws {
        let route = #","authorize":{"scopes":["read"]}"#
        let read = #","scopes":["read"]"#
        let fixture = try PolicyFixture(members: Self.members(a: read, route: route))
        #expect(try Self.outcomes("a", "b", fixture, Self.fields()) == ["scope_missing"])
        #expect(try Self.outcomes("a", "machines", fixture, Self.fields()) == ["forwarded"])
        #expect(try Self.outcomes("jwt", "machines", fixture, Self.fields()) == ["scope_missing"])
        #expect(try Self.outcomes("a", "jwt", fixture, Self.fields(#","scope":"read write""#)) == ["forwarded"])
        #expect(try Self.outcomes("a", "jwt", fixture, Self.fields()) == ["scope_missing"])
        let certified = try PolicyFixture(members: Self.members(a: read, machines: #","scopes":["write"]"#, route: route))
        #expect(try Self.outcomes("a", "machines", certified, Self.fields()) == ["scope_missing"])
    }

    @Test func `rules about claims look at the token wherever it is`() throws {
        let fixture = try PolicyFixture(members: Self.members(route: #","authorize":{"claims":{"/org":"acme"}}"#))
        #expect(try Self.outcomes("a", "jwt", fixture, Self.fields(#","org":"acme""#)) == ["forwarded"])
        #expect(try Self.outcomes("a", "jwt", fixture, Self.fields(#","org":"other""#)) == ["claim_mismatch"])
        #expect(try Self.outcomes("a", "b", fixture, Self.fields(#","org":"acme""#)) == ["claim_mismatch"])
    }

    // MARK: Recognition

    @Test func `no credential is judged unless all are shown`() throws {
        let fixture = try PolicyFixture(members: Self.members())
        for path in ["/a/b", "/b/a"] {
            for fields in [["X-A: secret-a"], ["X-A: guess"], ["X-B: secret-b"], ["X-B: guess"]] {
                #expect(try fixture.outcome("GET \(path)", fields) == "credential_missing")
            }
        }
        let peer = try #require(IPAddress(PolicyFixture.peer))
        for _ in 0..<100 { #expect(try fixture.outcome("GET /a/b", ["X-A: guess"]) == "credential_missing") }
        #expect(fixture.memory.failureBudget.retryAfter(peer, now: fixture.now.instant) == nil)
    }

    @Test func `a bad credential refuses though another one cannot be judged now`() throws {
        let fixture = try PolicyFixture { configuration in
            configuration.authenticators["keys"]?.change { $0.isStored = true }
            configuration.routes = [
                PolicyFixture.route("/kj", PolicyFixture.allOf("keys", "jwt")),
                PolicyFixture.route("/jk", PolicyFixture.allOf("jwt", "keys")),
            ]
        }
        fixture.directory.publish(Directory(tables: [:], users: [:], isAvailable: false))
        let forged = Sample.token(secret: "another secret of thirty-2 bytes")
        let bad = "Authorization: Bearer \(String(decoding: forged, as: UTF8.self))"
        for path in ["/kj", "/jk"] {
            #expect(try fixture.outcome("GET \(path)", ["X-API-Key: stored", bad]) == "token_signature_invalid")
            #expect(try fixture.outcome("GET \(path)", ["X-API-Key: stored", Self.token()]) == "store_unavailable")
        }
    }

    @Test func `callers of several credentials are remembered, and never taken for others`() throws {
        let fixture = try PolicyFixture(members: Self.members())
        let both = try fixture.grant("GET /a/b", Self.fields(), over: Self.facts())
        #expect(try fixture.grant("GET /a/b", Self.fields(), over: Self.facts()).caller === both.caller)
        #expect(both.others.count == 1 && both.identity.keyID == "key-a")
        let alone = try fixture.grant("GET /a", Self.fields(), over: Self.facts())
        #expect(alone.others.isEmpty && alone.caller !== both.caller)
        #expect(try fixture.grant("GET /b/a", Self.fields(), over: Self.facts()).identity.keyID == "key-b")
    }

    // MARK: Shadow mode

    @Test func `a route in shadow mode says what the second credential would have been refused for`() throws {
        let fixture = try PolicyFixture(members: Self.members(b: #","allow_ips":["10.0.0.0/8"]"#, route: #","mode":"shadow""#))
        for path in ["/a/b", "/b/a"] {
            let grant = try fixture.grant("GET \(path)", Self.fields(), over: Self.facts())
            #expect(grant.shadowRefusals.map(\.denial.reason) == ["address_not_allowed"])
            #expect(grant.identity.isAnonymous && grant.others.isEmpty)
        }
    }

    // MARK: Explanation

    @Test func `an explanation names the credential that refuses`() throws {
        let text = #"{"listeners":[{"address":"127.0.0.1:0"}],"upstreams":{"up":{"servers":["http://127.0.0.1:9000"]}},"#
            + Self.members(a: #","realm":"green""#, b: #","allow_ips":["10.0.0.0/8"],"realm":"blue""#) + "}"
        let configuration = try #require(ConfigurationReader.read(text.utf8.span, file: "gateway.json").configuration)
        let environment = TestEnvironment(cell: Sample.cell(try Sample.keySet(Sample.key())))
        let snapshot = try #require(Snapshot.compile(configuration, environment: environment).snapshot)
        let parsed = PolicyDocument(text.utf8.span, file: "gateway.json")
        let document = try #require(parsed)
        func failed(_ path: String, from peer: String) throws -> [String] {
            let head = try PolicyFixture.head("GET \(path)", Self.fields())
            let explanation = try Explainer(snapshot, document: document).explain(
                .read(head), connection: PolicyFixture.facts(peer), now: PolicyFixture.clock(0))
            return explanation.steps.flatMap(\.checks).filter { $0.verdict == .failed }.map(\.text)
        }
        for path in ["/a/b", "/b/a", "/jwt/b"] {
            let texts = try failed(path, from: PolicyFixture.peer)
            #expect(texts.contains { $0.contains("is in the key's allow_ips of the key \"key-b\"") }, "\(texts)")
        }
        #expect(try failed("/a/b", from: "10.0.0.1").contains { $0.contains("the realms differ") && $0.contains("key-b") })
    }

    // MARK: Any bounds

    /// Bounds of one key, drawn.
    private static func bounds(_ random: inout SplitMix) -> String {
        var text = ""
        func any(_ values: [String]) -> String { values[Int(random.next() % UInt64(values.count))] }
        text += any(["", "", #","allow_ips":["10.0.0.0/8"]"#, #","allow_ips":["192.0.2.0/24"]"#])
        text += any(["", "", #","realm":"blue""#, #","realm":"green""#])
        text += any(["", "", "", #","enabled":false"#])
        text += any(["", "", #","expires_at":"2020-01-01T00:00:00Z""#, #","not_before":"2090-01-01T00:00:00Z""#])
        text += any(["", #","scopes":["read"]"#, #","scopes":["read","write"]"#])
        text += any(["", #","limits":["one"]"#, #","limits":["two"]"#])
        return text
    }

    @Test(arguments: 0..<120)
    func `all of two credentials admit what each would alone, in either order`(seed: Int) throws {
        var random = SplitMix(state: UInt64(seed) &* 7919)
        func any(_ values: [String]) -> String { values[Int(random.next() % UInt64(values.count))] }
        let (a, b) = (Self.bounds(&random), Self.bounds(&random))
        let claims = any(["", #","ips":["10.0.0.0/8"]"#, #","scope":"read""#, #","scope":"read","ips":["192.0.2.7"]"#])
        let entry = any(["", #","scopes":["read"]"#]) + any(["", "", #","allow_ips":["10.0.0.0/8"]"#, #","enabled":false"#])
        let machines = #","certificates":[{"match":{"common_name":"billing"}\#(entry)},"#
            + #"{"match":{"common_name":"x"},"scopes":["read"]}]"#
        let route = any(["", #","authorize":{"scopes":["read"]}"#, #","authorize":{"allow_ips":["192.0.2.0/24"]}"#])
            + any(["", #","realm":{"header":"X-Realm","required":false}"#]) + any(["", #","limits":["one"]"#])
        let members = Self.members(a: a, b: b, machines: machines, route: route)
        let fields = Self.fields(claims) + any(["", "X-Realm: blue"]).split(separator: "|").map(String.init)
        // Nothing of one request is counted for another.
        func step(_ path: String) throws -> String {
            let fixture = try PolicyFixture(members: members)
            switch try fixture.decide("GET \(path)", fields, over: Self.facts()) {
            case .forward: return "forwarded"
            case .refuse(let refusal): return refusal.denial.step.rawValue
            case .wait, .answer: return "waiting"
            }
        }
        let alone = try Dictionary(uniqueKeysWithValues: Self.names.map { ($0, try step("/\($0)")) })
        for one in Self.names {
            for other in Self.names where one < other {
                let (there, back) = (try step("/\(one)/\(other)"), try step("/\(other)/\(one)"))
                #expect(there == back, "\(one) and \(other)")
                let areLocksAlike = !(one == "a" && other == "b" && Self.differ(a, b))
                let isEachAdmitted = alone[one] == "forwarded" && alone[other] == "forwarded" && areLocksAlike
                #expect((there == "forwarded") == isEachAdmitted, "\(one) and \(other): \(there), alone \(alone)")
            }
        }
    }

    private static func differ(_ a: String, _ b: String) -> Bool {
        a.contains("blue") && b.contains("green") || a.contains("green") && b.contains("blue")
    }
}
