import Core
import Store
import Testing

@testable import Policy
@testable import TokenService

/// Minting with keys and with tokens.
struct TokenActionsTests {
    @Test func `a key gets a token for a day, bound to the address that asks, renewable`() throws {
        let fixture = try ServiceFixture()
        let answer = try fixture.answer("mint", as: try ServiceFixture.identity())
        let payload = try #require(answer["payload"])
        #expect(payload["expt"]?.integer == 86_400)
        #expect(payload["exp"]?.integer == fixture.clock.now.wall.seconds + 86_400)
        #expect(payload["ips"]?.texts == ["192.0.2.7"])
        #expect(payload["rn"]?.bool == true)
        #expect(payload["scope"]?.text == "read write")
        let token = try fixture.token(in: answer)
        #expect(token.subject == "somebody")
    }

    @Test(arguments: [
        ("no_ip_protection=true", nil, false), ("no_ip_protection=true&renewable=true", nil, true),
        ("no_ip_protection=1", nil, false), ("renewable=false", ["192.0.2.7"], false),
        ("ips=request_ip,10.0.0.0/19", ["192.0.2.7", "10.0.0.0/19"], true), ("ips=request_ip,192.0.2.7", ["192.0.2.7"], true),
        ("ips=2001:db8::/56", ["2001:db8::/56"], true),
        ("ips=request_ip,212.40.50.1/24", ["192.0.2.7", "212.40.50.1/24"], true),
        ("ips=2001:DB8::1/64,10.0.0.1/32", ["2001:DB8::1/64", "10.0.0.1/32"], true),
        // Two of them in one network: it counts once.
        ("ips=10.0.0.1/19,10.0.0.2/19", ["10.0.0.1/19", "10.0.0.2/19"], true),
        ("ips[]=10.0.0.1&ips[]=request_ip", ["10.0.0.1", "192.0.2.7"], true),
        ("ips%5B0%5D=10.0.0.1&ips%5B1%5D=request_ip", ["10.0.0.1", "192.0.2.7"], true),
        ("renewable=0", ["192.0.2.7"], false), ("renewable=", ["192.0.2.7"], false), ("no_ip_protection=", ["192.0.2.7"], true),
        ("no_ip_protection=0", ["192.0.2.7"], true),
        ("renewable=true&no_ip_protection=false&ips=request_ip&expires_in=86400", ["192.0.2.7"], true),
    ])
    func `options with a key`(query: String, addresses: [String]?, renewable: Bool) throws {
        let payload = try #require(try ServiceFixture().answer("mint", as: try ServiceFixture.identity(), query: query)["payload"])
        #expect(payload["ips"]?.texts == addresses)
        #expect(payload["rn"]?.bool == renewable)
    }

    @Test(arguments: [
        "ips=10.0.0.0/18", "ips=", "ips=a", "ips=10.0.0.1/8", "ips=10.0.0.1/18", "ips=::1/0", "ips=1.1.1.1&ips=2.2.2.2", "ips",
        "expires_in", "expires_in=",
        "ips[1]=1.1.1.1", "ips[0]=1.1.1.1&ips[2]=1.1.1.2", "ips[a]=1.1.1.1", "ips=::ffff:10.0.0.1/104", "ips=0.0.0.0/0", "ips=::/0",
        "ips=1.1.1.1,,2.2.2.2", "ips=1.1.1.1&no_ip_protection=true", "ips=10.0.0.0/19,10.1.0.0/19", "expires_in=0",
        "ips=1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,1.1.1.9,1.1.1.10,1.1.1.11",
        "expires_in=-1", "expires_in=1.5", "expires_in=99999999999999", "expires_in=60&expires_in=60", "renewable=maybe",
        "unknown=1", "%zz=1", "scope=admin", "no_ip_protection=yes",
    ])
    func `options that are refused`(query: String) throws {
        let refusal = try ServiceFixture().refusal("mint", as: try ServiceFixture.identity(), query: query)
        #expect(refusal == "parameters_invalid")
    }

    @Test(arguments: [
        (#"{"expires_in":60,"ips":["10.0.0.1","request_ip"],"renewable":false}"#, "application/json"),
        ("expires_in=60&ips=10.0.0.1%2Crequest_ip&renewable=false", "application/x-www-form-urlencoded"),
        (#"{"expires_in":60,"ips":"10.0.0.1, request_ip","renewable":false}"#, "application/json"),
        (#"{"expires_in":"60","ips":["10.0.0.1 ", "request_ip"],"renewable":"false","no_ip_protection":null}"#, "application/json"),
        (#"{"expires_in":6e1,"ips":"10.0.0.1,request_ip","renewable":0,"no_ip_protection":""}"#, "application/json"),
    ])
    func `options in content`(content: String, type: String) throws {
        let answer = try ServiceFixture().answer("mint", as: try ServiceFixture.identity(), content: content, type: type)
        let payload = try #require(answer["payload"])
        #expect(payload["expt"]?.integer == 60)
        #expect(payload["ips"]?.texts == ["10.0.0.1", "192.0.2.7"])
        #expect(payload["rn"]?.bool == false)
    }

    @Test(arguments: [
        ("{", "application/json", "content_malformed"), ("[1]", "application/json", "content_malformed"),
        ("1", "application/json", "content_malformed"), (" ", "application/json", "content_malformed"),
        (#"{"expires_in":1,"expires_in":2}"#, "application/json", "content_malformed"),
        (#"{"expires_in":"6e1"}"#, "application/json", "parameters_invalid"),
        (#"{"expires_in":true}"#, "application/json", "parameters_invalid"),
        (#"{"expires_in":""}"#, "application/json", "parameters_invalid"),
        (#"{"renewable":2}"#, "application/json", "parameters_invalid"),
        (#"{"renewable":[]}"#, "application/json", "parameters_invalid"),
        (#"{"ips":[]}"#, "application/json", "parameters_invalid"),
        (#"{"ips":["10.0.0.1",1]}"#, "application/json", "parameters_invalid"),
        (#"{"ips":["10.0.0.1,10.0.0.2"]}"#, "application/json", "parameters_invalid"),
        ("a=%ff", "application/x-www-form-urlencoded", "content_malformed"),
        ("x", "text/plain", "content_type_not_supported"), ("x", nil, "content_type_not_supported"),
    ])
    func `content that is refused`(content: String, type: String?, reason: String) throws {
        #expect(
            try ServiceFixture().refusal("mint", as: try ServiceFixture.identity(), content: content, type: type) == reason)
    }

    @Test(arguments: [
        ("", nil), ("", "application/json"), ("{}", "application/json"), ("null", "application/json"), ("[]", "application/json"),
        ("", "text/plain"),
    ])
    func `content that has no options leaves the query's`(content: String, type: String?) throws {
        let answer = try ServiceFixture().answer(
            "mint", as: try ServiceFixture.identity(), query: "expires_in=60", content: content, type: type)
        #expect(answer["payload"]?["expt"]?.integer == 60)
    }

    @Test(arguments: ["[]", "null", "1"])
    func `where a member is asked for, content is an object`(content: String) throws {
        #expect(try ServiceFixture().refusal("refresh", content: content, type: "application/json") == "content_malformed")
    }

    @Test func `options of query and content count together, and none may be in both`() throws {
        let fixture = try ServiceFixture()
        let key = try ServiceFixture.identity()
        let content = #"{"renewable":false}"#
        let answer = try fixture.answer("mint", as: key, query: "expires_in=60", content: content, type: "application/json")
        #expect(answer["payload"]?["expt"]?.integer == 60)
        #expect(answer["payload"]?["rn"]?.bool == false)
        for query in ["renewable=false", "renewable=true"] {
            let refusal = try fixture.refusal("mint", as: key, query: query, content: content, type: "application/json")
            #expect(refusal == "parameters_invalid")
        }
    }

    @Test(arguments: [
        ("expires_in=60", "expires_in=61", "lifetime_above_ceiling"), ("expires_in=60", "expires_in=60", nil),
        ("expires_in=60", "", nil), ("renewable=false", "", "token_not_renewable"),
        ("no_ip_protection=true", "", "token_not_renewable"), ("", "no_ip_protection=true", "token_option_not_allowed"),
        ("", "ips=192.0.2.0/24", "token_option_not_allowed"), ("", "ips=192.0.2.7", nil), ("", "ips=request_ip", nil),
        ("ips=192.0.2.0/24", "ips=192.0.2.128/25", nil), ("ips=192.0.2.9/24", "ips=192.0.2.200/25", nil),
        ("ips=192.0.2.9/24", "ips=192.0.2.9/23", "token_option_not_allowed"),
        ("ips=192.0.2.0/24", "ips=192.0.2.0/23", "token_option_not_allowed"),
        ("no_ip_protection=true&renewable=true", "no_ip_protection=true", nil),
        ("no_ip_protection=true&renewable=true", "ips=request_ip", nil), ("scope=read", "scope=write", "parameters_invalid"),
        ("scope=read", "scope=read", nil),
    ])
    func `what a token may ask for`(first: String, second: String, refusal: String?) throws {
        let fixture = try ServiceFixture()
        let answer = try fixture.answer("mint", as: try ServiceFixture.identity(), query: first)
        let token = try fixture.token(in: answer)
        #expect(try fixture.refusal("mint", as: .token(token), query: second) == refusal)
    }

    @Test func `ceilings only shrink, and what is not asked for stays`() throws {
        let fixture = try ServiceFixture()
        let first = try fixture.answer("mint", as: try ServiceFixture.identity(), query: "expires_in=600&ips=192.0.2.0/28")
        let token = try fixture.token(in: first)
        let second = try fixture.answer("mint", as: .token(token), query: "expires_in=60")
        let next = try fixture.token(in: second)
        #expect(second["payload"]?["ips"]?.texts == ["192.0.2.0/28"])
        #expect(try fixture.refusal("mint", as: .token(next), query: "expires_in=61") == "lifetime_above_ceiling")
    }

    // MARK: What the key is confined to

    @Test(arguments: [("", 60), ("expires_in=8640000", 60), ("expires_in=60", 60), ("expires_in=59", 59)])
    func `a token ends with the key at the latest, and says so`(query: String, lifetime: Int64) throws {
        let fixture = try ServiceFixture()
        let now = fixture.clock.now.wall
        let key = try ServiceFixture.identity(confined: .init(end: now.advanced(by: .seconds(60))))
        let answer = try fixture.answer("mint", as: key, query: query)
        #expect(answer["payload"]?["exp"]?.integer == now.seconds + lifetime)
        #expect(answer["payload"]?["expt"]?.integer == lifetime)
        #expect(answer["expires_in"]?.integer == lifetime)
        fixture.clock.advance(59)
        #expect(try fixture.answer("mint", as: key, query: query)["payload"]?["exp"]?.integer == now.seconds + 60)
        fixture.clock.advance(1)
        #expect(try fixture.refusal("mint", as: key, query: query) == "key_expired")
    }

    @Test func `a token gets the next one up to the end of the key and no further`() throws {
        let fixture = try ServiceFixture()
        let end = fixture.clock.now.wall.advanced(by: .seconds(90))
        let confined = ServiceFixture.Confinement(end: end)
        let authenticator = try ServiceFixture.authenticator(scopes: ["read"], confined: confined)
        let first = try fixture.answer("mint", as: try ServiceFixture.identity(confined: confined), query: "expires_in=80")
        let text = try #require(first["token"]?.text)
        let token = try #require(try fixture.verified(text, parent: authenticator))
        fixture.clock.advance(60)
        for route in ["mint", "renew"] {
            let next = try fixture.answer(route, as: .token(token))
            #expect(next["payload"]?["exp"]?.integer == end.seconds, "\(route)")
            #expect(next["expires_in"]?.integer == 30, "\(route)")
        }
    }

    private static let network = ServiceFixture.Confinement(addresses: ["192.0.2.0/25", "10.0.0.0/19"])

    @Test(arguments: [
        ("", ["192.0.2.7"], true), ("no_ip_protection=true", ["10.0.0.0/19", "192.0.2.0/25"], false),
        ("no_ip_protection=true&renewable=true", ["10.0.0.0/19", "192.0.2.0/25"], true),
        ("ips=192.0.2.65/26,10.0.0.1", ["192.0.2.65/26", "10.0.0.1"], true), ("ips=10.0.0.0/19", ["10.0.0.0/19"], true),
    ])
    func `a token names no address beyond those of its key`(query: String, addresses: [String], renewable: Bool) throws {
        let key = try ServiceFixture.identity(confined: Self.network)
        let payload = try #require(try ServiceFixture().answer("mint", as: key, query: query)["payload"])
        #expect(payload["ips"]?.texts == addresses)
        #expect(payload["rn"]?.bool == renewable)
    }

    @Test(arguments: [
        ("ips=10.0.32.1", "10.0.32.1"), ("ips=10.0.0.1,10.0.0.1/18", "10.0.0.1/18"), ("ips=192.0.2.0/24", "192.0.2.0/24"),
        ("ips=request_ip,198.51.100.0/24", "198.51.100.0/24"),
        ("ips=0.0.0.0/0", "0.0.0.0/0"), ("ips=::1", "::1"),
    ])
    func `addresses beyond those of the key are refused`(query: String, value: String) throws {
        let key = try ServiceFixture.identity(confined: Self.network)
        guard case .refuse(.parametersInvalid, let messages, _) = try ServiceFixture().perform("mint", as: key, query: query) else {
            Issue.record("not refused")
            return
        }
        #expect(messages == ["Ips has a value beyond the addresses of the credential: \(value)"])
    }

    @Test func `a key that was confined since confines what its tokens get`() throws {
        let fixture = try ServiceFixture()
        // A network with bits beyond its prefix is confined like any other.
        let first = try fixture.answer("mint", as: try ServiceFixture.identity(), query: "ips=192.0.2.9/24,10.0.0.1")
        let text = try #require(first["token"]?.text)
        let token = { (addresses: [String]) in
            let authenticator = try ServiceFixture.authenticator(scopes: ["read"], confined: .init(addresses: addresses))
            return Identity.token(try #require(try fixture.verified(text, parent: authenticator)))
        }
        let narrow = try token(["192.0.2.0/30", "192.0.2.128/25", "10.0.0.0/8"])
        let next = try fixture.answer("mint", as: narrow)["payload"]?["ips"]?.texts
        #expect(next == ["10.0.0.1", "192.0.2.0/30", "192.0.2.128/25"])
        #expect(try fixture.refusal("mint", as: narrow, query: "ips=192.0.2.64") == "parameters_invalid")
        #expect(try fixture.refusal("mint", as: try token(["198.51.100.0/24"])) == "token_option_not_allowed")
    }

    @Test func `more addresses than a token can name have to be chosen from`() throws {
        let many = (0...TokenAddressTerms.claimLimit).map { "192.0.2.\($0 * 2)" } + ["192.0.2.7"]
        let key = try ServiceFixture.identity(confined: .init(addresses: many))
        let fixture = try ServiceFixture()
        #expect(try fixture.refusal("mint", as: key, query: "no_ip_protection=true") == "parameters_invalid")
        #expect(try fixture.answer("mint", as: key)["payload"]?["ips"]?.texts == ["192.0.2.7"])
    }

    @Test(arguments: [("mint-bare", nil), ("mint-nameless", "token_option_not_allowed")])
    func `without a claim for addresses a token has to name its key`(route: String, refusal: String?) throws {
        let fixture = try ServiceFixture()
        #expect(try fixture.refusal(route, as: try ServiceFixture.identity(confined: Self.network)) == refusal)
        #expect(try fixture.refusal(route, as: try ServiceFixture.identity()) == nil)
    }

    @Test func `a certificate confines tokens as a key does`() throws {
        let fixture = try ServiceFixture()
        let end = fixture.clock.now.wall.advanced(by: .seconds(60))
        let network = try #require(CIDRBlock("192.0.2.0/25"))
        let identity = Identity.certificate(
            CertificateIdentity(
                ClientCertificate(ClientCertificate.Parts(fingerprint: Digest256(1, 2, 3, 4), notAfter: end)),
                authenticator: "certificates", subject: "machine", scopes: ScopeSet(["read"]), addresses: AddressSet([network]),
                limits: nil, mayHaveScopes: true))
        let answer = try fixture.answer("mint", as: identity, query: "no_ip_protection=true")
        #expect(answer["payload"]?["exp"]?.integer == end.seconds)
        #expect(answer["payload"]?["ips"]?.texts == ["192.0.2.0/25"])
        #expect(try fixture.refusal("mint", as: identity, query: "ips=192.0.2.128") == "parameters_invalid")
        // No token of a certificate names a key that would be asked.
        #expect(try fixture.refusal("mint-bare", as: identity) == "token_option_not_allowed")
        fixture.clock.advance(60)
        #expect(try fixture.refusal("mint", as: identity) == "certificate_expired")
    }

    @Test func `a token made with all of several credentials says no more than each of them`() throws {
        let fixture = try ServiceFixture()
        let end = fixture.clock.now.wall.advanced(by: .seconds(60))
        let network = try #require(CIDRBlock("192.0.2.0/25"))
        let machine = Identity.certificate(
            CertificateIdentity(
                ClientCertificate(ClientCertificate.Parts(fingerprint: Digest256(1, 2, 3, 4), notAfter: end)),
                authenticator: "certificates", subject: "machine", scopes: ScopeSet(["read"]), addresses: AddressSet([network]),
                limits: nil, mayHaveScopes: true))
        for (first, other) in [(try ServiceFixture.identity(), machine), (machine, try ServiceFixture.identity())] {
            let payload = try #require(try fixture.answer("mint", as: first, query: "no_ip_protection=true", beside: [other])["payload"])
            #expect(payload["exp"]?.integer == end.seconds)
            #expect(payload["ips"]?.texts == ["192.0.2.0/25"])
            #expect(try fixture.refusal("mint", as: first, query: "ips=192.0.2.128", beside: [other]) == "parameters_invalid")
            // Naming the key would not bind the token to the certificate's addresses.
            #expect(try fixture.refusal("mint-bare", as: first, beside: [other]) == "token_option_not_allowed")
        }
        let locked = try ServiceFixture.identity(id: "other", realm: "rl_A")
        let named = try fixture.refusal("mint", as: try ServiceFixture.identity(), realm: "rl_B", beside: [locked])
        #expect(named == "realm_not_allowed")
    }

    @Test func `tokens are signed by the newest key, and keys are made when there is none`() throws {
        let fixture = try ServiceFixture()
        _ = try fixture.answer("mint", as: try ServiceFixture.identity())
        _ = try fixture.answer("mint", as: try ServiceFixture.identity())
        #expect(try fixture.store.contents().signingKeys.count == 1)
    }

    @Test func `nothing is answered while the store cannot be written`() throws {
        let fixture = try ServiceFixture()
        fixture.store.fail(with: .full)
        #expect(try fixture.refusal("mint", as: try ServiceFixture.identity()) == "store_unavailable")
        fixture.store.fail(with: nil)
        #expect(try fixture.refusal("mint", as: try ServiceFixture.identity()) == nil)
    }
}
