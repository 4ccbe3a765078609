import Core
import Testing

@testable import Policy

struct SnapshotPrepareTests {
    private let key = "X-API-Key: \(PolicyFixture.key)"

    private func fixture(_ change: (inout Configuration) -> Void = { _ in }) throws -> PolicyFixture {
        try PolicyFixture { configuration in
            configuration.routes = [
                PolicyFixture.route("/open/**", name: "open"),
                PolicyFixture.route("/{org}/private", name: "private", PolicyFixture.anyOf("keys", "jwt")) { route in
                    route.setRequestHeaders = [
                        HeaderTemplate(name: "X-Org", template: PolicyFixture.located("{path.org}"))
                    ]
                    route.removedRequestHeaders = ["X-Debug"]
                },
            ]
            change(&configuration)
        }
    }

    @Test(arguments: [
        "X-Auth-Subject", "x-auth-subject", "X_Auth_Subject", "X.Auth.Subject", "X-Auth_Subject", "x_AUTH.subject",
        "X-Auth-Method", "X_Auth_Method", "X-Auth-Credential", "X-AUTH-ISSUER", "X_Auth-Scopes", "X_Forwarded_For",
        "X.Real.IP", "Content_Length", "Transfer_Encoding", "X_Request_ID", "X~Auth~Subject", "X!Auth!Scopes",
        "X'Auth'Issuer", "X|Auth|Method", "x+auth-credential", "X-Auth-Roles", "X_Auth_Anything", "X~Auth~Email", "X-Auth-",
        "X*Forwarded*Host", "X^Real^IP", "Content~Length", "X`Request`ID", "Content~Encoding", "Sec_WebSocket_Key",
        "HTTP2~Settings", "Max_Forwards",
    ])
    func `a client cannot send an identity header in any spelling, on any route`(name: String) throws {
        let open = try fixture().forwarded("GET /open/x", ["\(name): admin"])
        #expect(!open.lines.contains { $0.contains("admin") }, "\(open.lines)")
        let guarded = try fixture().forwarded("GET /acme/private", ["\(name): admin", key])
        #expect(!guarded.lines.contains { $0.contains("admin") }, "\(guarded.lines)")
        #expect(guarded.values("X-Auth-Subject") == ["ci@acme"])
    }

    @Test func `names that only begin alike pass`() throws {
        let fields = ["X-Authority: a", "X-Auth: b", "XAuth-Subject: c", "X--Auth-Subject: d", "Accept: */*"]
        let forwarded = try fixture().forwarded("GET /open/x", fields)
        #expect(Array(forwarded.lines.prefix(5)) == fields)
    }

    @Test func `a route may set what no client may send`() throws {
        let fixture = try fixture { configuration in
            configuration.routes[0].setRequestHeaders = [
                HeaderTemplate(name: "X-Auth-Tenant", template: PolicyFixture.located("{route}"))
            ]
        }
        let forwarded = try fixture.forwarded("GET /open/x", ["X~Auth~Tenant: evil", "X-Auth-Tenant: evil"])
        #expect(forwarded.values("X-Auth-Tenant") == ["open"])
        #expect(!forwarded.lines.contains { $0.contains("evil") })
    }

    @Test func `a field that a route matches by passes in its own spelling only`() throws {
        let fixture = try fixture { configuration in
            configuration.routes[1].headers = [RouteConfiguration.HeaderMatch(name: "X-Version", value: "2")]
        }
        let forwarded = try fixture.forwarded("GET /open/x", ["x-version: 1", "X_Version: 2", "X~Version: 2"])
        #expect(forwarded.lines.filter { $0.lowercased().contains("version") } == ["x-version: 1"])
    }

    @Test func `a kept credential passes in its own spelling only`() throws {
        let fixture = try fixture { $0.routes[1].keepsCredentials = true }
        let forwarded = try fixture.forwarded("GET /acme/private", [key, "X_API_Key: other", "X~API~Key: other"])
        #expect(forwarded.values("X-API-Key") == [PolicyFixture.key])
        #expect(!forwarded.lines.contains { $0.contains("other") })
    }

    @Test(arguments: [
        "X-Original-URL", "X_Rewrite_URL", "x~http~method~override", "X-Forwarded-Prefix", "X-Forwarded-Whatever",
        "X-Original-Host", "Base-Url", "Proxy", "X-HTTP-Method", "X-Forwarded-Uri",
    ])
    func `fields that claim another target pass from trusted proxies, or where the policy keeps them`(name: String) throws {
        let line = "\(name): /admin"
        func passes(_ change: (inout Configuration) -> Void) throws -> Bool {
            try fixture(change).forwarded("GET /open/x", [line]).lines.contains(line)
        }
        #expect(try !passes { _ in })
        #expect(try passes { $0.overrideHeaders = .keep })
        #expect(try passes { $0.routes[0].overrideHeaders = .keep })
        let ofRoute = try passes {
            $0.overrideHeaders = .keep
            $0.routes[0].overrideHeaders = .drop
        }
        #expect(!ofRoute)
        // From a trusted proxy only in the spelling that it is known by.
        let isOwnSpelling = !name.contains("_") && !name.contains("~")
        #expect(try passes { $0.trustedProxies = [CIDRBlock(PolicyFixture.peer)].compactMap(\.self) } == isOwnSpelling)
    }

    @Test func `renamed identity headers are stripped, and so are the default names`() throws {
        let fixture = try fixture { configuration in
            configuration.identityHeaders = [
                HeaderTemplate(name: "X-User", template: PolicyFixture.located("{subject}"))
            ]
        }
        let forwarded = try fixture.forwarded("GET /acme/private", ["X_User: admin", "X-Auth-Subject: admin", key])
        #expect(forwarded.values("X-User") == ["ci@acme"])
        #expect(forwarded.values("X_User") == [])
        #expect(forwarded.values("X-Auth-Subject") == [])
    }

    @Test func `an identity header of a capture goes with the routes that have the capture`() throws {
        let fixture = try fixture { configuration in
            let header = HeaderTemplate(name: "X-Tenant", template: PolicyFixture.located("{path.org}"))
            configuration.identityHeaders.append(header)
        }
        let guarded = try fixture.forwarded("GET /acme/private", ["X_Tenant: evil", key])
        #expect(guarded.values("X-Tenant") == ["acme"])
        let open = try fixture.forwarded("GET /open/x", ["X_Tenant: evil"])
        #expect(!open.lines.contains { $0.lowercased().hasPrefix("x-tenant") || $0.contains("evil") })
    }

    @Test func `Connection cannot take our own headers away`() throws {
        let fields = ["Connection: X-Auth-Subject, X-Forwarded-For, Via, X-Org", key]
        let forwarded = try fixture { $0.via = "portcullis" }.forwarded("GET /acme/private", fields)
        #expect(forwarded.values("X-Auth-Subject") == ["ci@acme"])
        #expect(forwarded.values("X-Forwarded-For") == [PolicyFixture.peer])
        #expect(forwarded.values("Via") == ["1.1 portcullis"])
        #expect(forwarded.values("X-Org") == ["acme"])
    }

    @Test func `the identity of a key`() throws {
        let forwarded = try fixture().forwarded("GET /acme/private", [key, "X-Debug: 1", "X_Org: evil"])
        #expect(forwarded.values("X-Auth-Subject") == ["ci@acme"])
        #expect(forwarded.values("X-Auth-Method") == ["api_key"])
        #expect(forwarded.values("X-Auth-Credential") == ["ci"])
        #expect(forwarded.values("X-Auth-Issuer") == [])
        #expect(forwarded.values("X-Auth-Scopes") == ["read write"])
        #expect(forwarded.values("X-Org") == ["acme"])
        #expect(forwarded.values("X-Debug") == [])
        #expect(forwarded.values("X_Org") == [])
        #expect(forwarded.values("X-API-Key") == [])
    }

    @Test func `the identity of a token`() throws {
        let payload =
            #"{"iss":"https://issuer.test","aud":"gateway","sub":"zoë 100%","jti":"t1","scope":"a b","exp":1800000100}"#
        let token = String(decoding: Sample.token(payload), as: UTF8.self)
        let forwarded = try fixture().forwarded("GET /acme/private", ["Authorization: Bearer \(token)"])
        #expect(forwarded.values("X-Auth-Subject") == ["zo%C3%AB 100%25"])
        #expect(forwarded.values("X-Auth-Method") == ["jwt"])
        #expect(forwarded.values("X-Auth-Credential") == ["t1"])
        #expect(forwarded.values("X-Auth-Issuer") == ["https://issuer.test"])
        #expect(forwarded.values("X-Auth-Scopes") == ["a b"])
        #expect(forwarded.values("Authorization") == [])
    }

    @Test func `templates over claims, captures and the request`() throws {
        let templates = [
            ("A", "{claims./a/b}"), ("B", "{claims./list}"), ("C", "{claims./obj|json}"), ("D", "{claims./missing}"),
            ("E", "{{{route}}} {client_ip} {request_id}"), ("F", "{path.org}-{key.id}"), ("G", "{claims./obj}"),
            ("H", "{claims./n}{claims./t}"), ("I", "tag {path.org}"),
        ]
        let fixture = try fixture { configuration in
            configuration.routes[1].setRequestHeaders = templates.map {
                HeaderTemplate(name: "X-\($0.0)", template: PolicyFixture.located($0.1))
            }
        }
        let claims =
            #""a":{"b":" x "},"list":["p","q,r",3,true],"obj":{"ü":[1,"%"]},"n":1.50,"t":false,"exp":1800000100"#
        let payload = #"{"iss":"https://issuer.test","aud":"gateway",\#(claims)}"#
        let token = String(decoding: Sample.token(payload), as: UTF8.self)
        let forwarded = try fixture.forwarded("GET /a%20%C3%A9/private", ["Authorization: bearer \(token)"])
        #expect(forwarded.values("X-A") == ["%20x%20"])
        #expect(forwarded.values("X-B") == ["p,q%2Cr,3,true"])
        #expect(forwarded.values("X-C") == [#"{"\u00fc":[1,"%"]}"#])
        #expect(forwarded.values("X-D") == [])
        #expect(forwarded.values("X-E") == ["{private} \(PolicyFixture.peer) \(PolicyFixture.requestID)"])
        #expect(forwarded.values("X-F") == [])
        #expect(forwarded.values("X-G") == [])
        #expect(forwarded.values("X-H") == ["1.50false"])
        #expect(forwarded.values("X-I") == ["tag a %C3%A9"])
    }

    @Test func `a value that is too long is refused, not cut`() throws {
        let fixture = try fixture { configuration in
            configuration.routes[1].setRequestHeaders = [
                HeaderTemplate(
                    name: "X-All", template: PolicyFixture.located(String(repeating: "{path.org}", count: 40)))
            ]
        }
        var head = try PolicyFixture.head("GET /\(String(repeating: "o", count: 300))/private", [key])
        let facts = try PolicyFixture.facts()
        let decision = fixture.snapshot.decide(&head, connection: facts, now: fixture.now, memory: fixture.memory)
        guard case .forward(let grant) = decision else {
            Issue.record("\(decision)")
            return
        }
        var plan = UpstreamPlan()
        let denial = fixture.snapshot.prepare(
            grant, head: &head, connection: facts, requestID: PolicyFixture.requestID.utf8.span, into: &plan)
        #expect(denial == .identityTooLarge)
    }

    @Test(arguments: [
        ("GET /open/a?b=c&d", "/open/a?b=c&d"), ("GET /open/a?", "/open/a?"), ("GET /open", "/open"),
        ("GET http://api.test/open/a?x=%2F+y", "/open/a?x=%2F+y"),
        // Another spelling goes on as received while it leads to the same place …
        ("GET /open/%7Euser/caf%c3%a9", "/open/%7Euser/caf%c3%a9"), ("GET /open/a;v=1/b", "/open/a;v=1/b"),
        // … and in normal form where it might not.
        ("GET /open/a//b", "/open/a/b"), ("GET /open//", "/open/"), ("GET /%6Fpen/a", "/open/a"),
    ])
    func `the target that goes on`(request: String, target: String) throws {
        #expect(try fixture().forwarded(request).target == target)
    }

    @Test func `what was matched is what goes on`() throws {
        let fixture = try fixture { configuration in
            configuration.paths.dotSegments = .remove
            configuration.routes.append(PolicyFixture.route("/open/admin", name: "admin"))
        }
        // A server that does not merge slashes would be shown another path than was matched.
        #expect(try fixture.outcome("GET /open//admin") == "path_ambiguous")
        let merged = try fixture.forwarded("GET /open//x//y")
        #expect(merged.target == "/open/x/y")
        let removed = try fixture.forwarded("GET /open/x/../y")
        #expect(removed.target == "/open/y")
    }

    @Test func `an absolute target decides host and path`() throws {
        let fixture = try fixture { $0.routes.append(PolicyFixture.route("/")) }
        let forwarded = try fixture.forwarded("GET http://other.test:81", ["Host: api.test"])
        #expect(forwarded.host == "other.test:81")
        #expect(forwarded.target == "/")
    }

    @Test func `forwarding fields of strangers are replaced`() throws {
        let fields = [
            "X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2", "X-Forwarded-Proto: https",
            "X-Forwarded-Host: evil",
            "X-Forwarded-Port: 443", "X-Real-IP: 1.1.1.1", "Forwarded: for=1.1.1.1", "Via: 1.0 fred",
        ]
        let forwarded = try fixture { $0.via = "portcullis" }.forwarded("GET /open/x", fields)
        #expect(forwarded.values("X-Forwarded-For") == [PolicyFixture.peer])
        #expect(forwarded.values("X-Real-IP") == [PolicyFixture.peer])
        #expect(forwarded.values("X-Forwarded-Proto") == ["http"])
        #expect(forwarded.values("X-Forwarded-Host") == ["api.test"])
        #expect(forwarded.values("X-Forwarded-Port") == ["80"])
        #expect(forwarded.values("Forwarded") == [])
        #expect(forwarded.values("Via") == ["1.0 fred", "1.1 portcullis"])
    }

    @Test func `forwarding fields of trusted proxies are continued`() throws {
        let fixture = try fixture { $0.trustedProxies = [CIDRBlock("10.0.0.0/8")].compactMap(\.self) }
        let fields = [
            "X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2", "X-Forwarded-Proto: https",
            "X-Forwarded-Host: shop.test",
            "X-Forwarded-Port: x", "X-Real-IP: 1.1.1.1", "Forwarded: for=1.1.1.1",
        ]
        let forwarded = try fixture.forwarded("GET /open/x", fields, from: "10.0.0.1")
        #expect(forwarded.grant.client.description == "2.2.2.2")
        #expect(forwarded.values("X-Forwarded-For") == ["1.1.1.1, 2.2.2.2, 10.0.0.1"])
        #expect(forwarded.values("X-Real-IP") == ["2.2.2.2"])
        #expect(forwarded.values("X-Forwarded-Proto") == ["https"])
        #expect(forwarded.values("X-Forwarded-Host") == ["shop.test"])
        #expect(forwarded.values("X-Forwarded-Port") == ["443"])
        #expect(forwarded.values("Forwarded") == [])
    }

    @Test(arguments: [
        (["HTTPS"], false, "https"), (["Http"], true, "http"), (["hTTps"], true, "https"), ([], true, "https"),
        (["HTTPS", "HTTPS"], false, "http"), (["HTTPS,"], false, "http"), (["wss"], true, "https"), ([""], false, "http"),
    ])
    func `a trusted proxy's scheme goes on once and in lower case`(said: [String], isSecure: Bool, expected: String) throws {
        let fixture = try fixture { $0.trustedProxies = [CIDRBlock("10.0.0.0/8")].compactMap(\.self) }
        let facts = ConnectionFacts(
            peer: try #require(IPAddress("10.0.0.1")), peerPort: 5000, localPort: 8080, isSecure: isSecure, waited: false)
        let forwarded = try fixture.forwarded(
            "GET /open/x", ["Host: api.test"] + said.map { "X-Forwarded-Proto: \($0)" }, over: facts)
        #expect(forwarded.values("X-Forwarded-Proto") == [expected])
    }

    /// Host, scheme of the connection, the trusted peer's fields; the port that upstreams are given.
    static let ports: [(host: String, isSecure: Bool, said: [String], port: String)] = [
        ("api.test", false, [], "80"), ("api.test", true, [], "443"), ("api.test:8088", true, [], "8088"),
        ("api.test:", true, [], "443"), ("[2001:db8::1]", false, [], "80"), ("[2001:db8::1]:81", false, [], "81"),
        ("api.test:8080", false, ["X-Forwarded-Proto: https"], "8080"), ("api.test", false, ["X-Forwarded-Proto: HTTPS"], "443"),
        ("inner:8080", false, ["X-Forwarded-Proto: https", "X-Forwarded-Host: shop.test"], "443"),
        ("inner:8080", false, ["X-Forwarded-Host: shop.test"], "80"), ("inner", true, ["X-Forwarded-Host: shop.test:444"], "444"),
        ("inner:8080", true, ["X-Forwarded-Host: shop.test:"], "443"), ("inner", true, ["X-Forwarded-Host: a, b"], "443"),
        ("inner:82", false, ["X-Forwarded-Host: a", "X-Forwarded-Host: b"], "82"), ("inner:82", true, ["X-Forwarded-Proto: ftp"], "82"),
        ("inner:8080", false, ["X-Forwarded-Host: shop.test:444", "X-Forwarded-Port: 9443"], "9443"),
        ("inner", false, ["X-Forwarded-Host: shop.test:444", "X-Forwarded-Port: 70000"], "444"),
    ]

    @Test(arguments: ports) func `the forwarded port is that of the forwarded host, else the scheme's`(
        _ host: String, _ isSecure: Bool, _ said: [String], _ expected: String
    ) throws {
        let fixture = try fixture { $0.trustedProxies = [CIDRBlock("10.0.0.0/8")].compactMap(\.self) }
        func port(_ fields: [String], from peer: String) throws -> [String] {
            let facts = ConnectionFacts(
                peer: try #require(IPAddress(peer)), peerPort: 5000, localPort: 8080, isSecure: isSecure, waited: false)
            return try fixture.forwarded("GET /open/x", ["Host: \(host)"] + fields, over: facts).values("X-Forwarded-Port")
        }
        #expect(try port(said, from: "10.0.0.1") == [expected])
        #expect(try port(said + ["X-Forwarded-Port: 1"], from: PolicyFixture.peer) == port([], from: "10.0.0.1"))
    }

    @Test func `Forwarded is written with its quotation marks`() throws {
        let fixture = try fixture { $0.forwardedFields = .forwarded }
        let forwarded = try fixture.forwarded(
            "GET /open/x", ["Host: api.test:81", "X-Forwarded-For: 1.1.1.1"], from: "2001:db8::1")
        #expect(forwarded.values("Forwarded") == [#"for="[2001:db8::1]";host="api.test:81";proto=http"#])
        #expect(forwarded.values("X-Forwarded-For") == [])
        let v4 = try fixture.forwarded("GET /open/x")
        #expect(v4.values("Forwarded") == [#"for=192.0.2.7;host="api.test";proto=http"#])
    }

    @Test func `Via tells the version received, or is left alone`() throws {
        #expect(try fixture { $0.via = "portcullis" }.forwarded("GET /open/x", version: "HTTP/1.0").values("Via") == ["1.0 portcullis"])
        #expect(try fixture().forwarded("GET /open/x").values("Via") == [])
        #expect(try fixture().forwarded("GET /open/x", ["Via: 1.1 theirs"]).values("Via") == ["1.1 theirs"])
    }

    @Test func `the request's identifier is ours, or a trusted proxy's`() throws {
        let fixture = try fixture { $0.trustedProxies = [CIDRBlock("10.0.0.0/8")].compactMap(\.self) }
        let forwarded = try fixture.forwarded("GET /open/x", ["X-Request-ID: theirs"])
        #expect(forwarded.values("X-Request-ID") == [PolicyFixture.requestID])
        func taken(_ fields: [String], from peer: String) throws -> String? {
            var head = try PolicyFixture.head("GET /", fields)
            let range = fixture.snapshot.requestID(in: &head, connection: try PolicyFixture.facts(peer))
            return range.map { String(decoding: head.bytes[$0], as: UTF8.self) }
        }
        #expect(try taken(["X-Request-ID: abc.D-1_2"], from: "10.0.0.1") == "abc.D-1_2")
        #expect(try taken(["X-Request-ID: abc"], from: PolicyFixture.peer) == nil)
        #expect(try taken(["X-Request-ID: a b"], from: "10.0.0.1") == nil)
        #expect(try taken(["X-Request-ID: a", "X-Request-ID: b"], from: "10.0.0.1") == nil)
    }

    @Test func `a trace is continued, and one that cannot be read is begun anew`() throws {
        let trace = "0af7651916cd43dd8448eb211c80319c"
        let good = try fixture().forwarded(
            "GET /open/x", ["traceparent: 00-\(trace)-b7ad6b7169203331-01", "tracestate: a=b"])
        let value = try #require(good.values("traceparent").first)
        #expect(good.values("traceparent").count == 1)
        #expect(value.hasPrefix("00-\(trace)-") && value.hasSuffix("-01") && !value.contains("b7ad6b7169203331"))
        #expect(good.values("tracestate") == ["a=b"])
        let bad = try fixture().forwarded("GET /open/x", ["traceparent: 00-\(trace)-x-01", "tracestate: a=b"])
        #expect(bad.values("traceparent").count == 1)
        #expect(!bad.lines.contains { $0.contains(trace) })
        #expect(bad.values("tracestate") == [])
        #expect(try fixture().forwarded("GET /open/x").values("traceparent") == [])
    }

    @Test func `hops are counted for OPTIONS and TRACE`() throws {
        #expect(try fixture().forwarded("OPTIONS /open/x", ["Max-Forwards: 5"]).values("Max-Forwards") == ["4"])
        #expect(try fixture().forwarded("GET /open/x", ["Max-Forwards: 5"]).values("Max-Forwards") == ["5"])
    }

    @Test func `credentials in the query and in cookies are stripped by themselves`() throws {
        let fixture = try fixture { configuration in
            configuration.authenticators["keys"] = PolicyFixture.authenticator(
                "keys",
                .apiKey(
                    APIKeyAuthenticatorConfiguration(
                        sources: [.query("api_key"), .cookie("session")], pepper: nil,
                        keys: [PolicyFixture.record("ci", secret: "a b")], keysFile: nil)))
        }
        let query = try fixture.forwarded("GET /acme/private?x=1&%61pi_key=a+b&y=%20")
        #expect(query.target == "/acme/private?x=1&y=%20")
        #expect(try fixture.forwarded("GET /acme/private?api_key=a%20b").target == "/acme/private")
        let cookies = ["Cookie: a=1; session=\"a b\"; c=3", "Cookie: d=4"]
        #expect(try fixture.forwarded("GET /acme/private", cookies).values("Cookie") == ["d=4", "a=1; c=3"])
        #expect(try fixture.forwarded("GET /acme/private", ["Cookie: session=a b"]).values("Cookie") == [])
    }

    @Test func `a route may keep credentials`() throws {
        let fixture = try fixture { $0.routes[1].keepsCredentials = true }
        let forwarded = try fixture.forwarded("GET /acme/private", [key])
        #expect(forwarded.values("X-API-Key") == [PolicyFixture.key])
    }

    @Test func `every place of a credential is stripped, also those that did not decide`() throws {
        let forwarded = try fixture().forwarded(
            "GET /acme/private", [key, "Authorization: Bearer whatever", "X_API_Key: z"])
        #expect(forwarded.values("Authorization") == [])
        #expect(forwarded.values("X_API_Key") == [])
        #expect(
            try fixture().forwarded("GET /open/x", ["Authorization: Basic eA=="]).values("Authorization") == [
                "Basic eA=="
            ])
    }

    @Test func `the Host that goes on follows the upstream`() throws {
        func host(_ policy: UpstreamConfiguration.HostPolicy) throws -> String {
            try fixture { $0.upstreams["origin"]?.host = policy }.forwarded("GET /open/x").host
        }
        #expect(try host(.keep) == "api.test")
        #expect(try host(.server) == "")
        #expect(try host(.literal("origin.test")) == "origin.test")
    }
}
