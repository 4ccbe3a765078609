import Core
import Policy
import Testing

@Suite struct ConfigurationReaderTests {
    static func read(_ text: String) throws -> Configuration {
        let (configuration, errors) = ConfigurationReader.read(text.utf8.span, file: "gateway.json")
        #expect(errors == [])
        return try #require(configuration)
    }

    /// The example of the contract, without the listener that needs TLS.
    static let example = #"""
        {
          "$schema": "docs/gateway.schema.json",
          "listeners": [ { "address": "127.0.0.1:8080" } ],
          "trusted_proxies": ["10.0.0.0/8"],
          "upstreams": {
            "devices": { "servers": ["http://127.0.0.1:9000"], "connect_timeout": "2s", "response_timeout": "30s" }
          },
          "key_sets": {
            "issuer": { "url": "https://issuer.example/.well-known/jwks.json", "refresh": "10m" },
            "local": { "file": "keys/jwks.json" }
          },
          "authenticators": {
            "keys": {
              "type": "api_key",
              "from": ["header:X-API-Key", "bearer:rbtk_"],
              "keys": [
                { "id": "ci", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                  "subject": "ci@acme", "scopes": ["devices:read"],
                  "allow_ips": ["127.0.0.0/8"], "expires_at": "2027-01-01T00:00:00Z", "limits": ["gold"] }
              ]
            },
            "jwt": {
              "type": "jwt", "issuer": "https://issuer.example", "audiences": ["api"],
              "algorithms": ["RS256", "ES256"], "key_set": "issuer", "leeway": "30s"
            }
          },
          "limits": {
            "standard": { "requests": 100, "per": "1m", "burst": 20, "by": "identity" },
            "gold": { "requests": 1000, "per": "1s", "burst": 2000, "by": "identity" }
          },
          "routes": [
            {
              "name": "devices",
              "match": { "hosts": ["api.example"], "path": "/api/v1/organizations/{org}/devices", "methods": ["GET"] },
              "authenticate": ["keys", "jwt"],
              "authorize": {
                "scopes": ["devices:read"], "claims": { "/org": "{path.org}" }, "allow_ips": ["0.0.0.0/0"]
              },
              "limits": ["standard"],
              "request_headers": { "set": { "X-Org": "{path.org}" }, "remove": ["Cookie"] },
              "upstream": "devices"
            },
            { "name": "health", "match": { "path": "/healthz" }, "authenticate": "none", "upstream": "devices" }
          ],
          "responses": "problem",
          "admin": { "address": "127.0.0.1:9901" },
          "tests": [
            { "name": "a stranger is refused", "request": "GET http://api.example/api/v1/organizations/acme/devices",
              "expect": { "status": 401, "reason": "credential_missing" } }
          ]
        }
        """#

    @Test func `the example of the contract is read whole`() throws {
        let configuration = try Self.read(Self.example)
        #expect(configuration.listeners.map(\.address.description) == ["127.0.0.1:8080"])
        #expect(configuration.admin?.address.port == 9901)
        #expect(configuration.trustedProxies.map(\.description) == ["10.0.0.0/8"])
        let upstream = try #require(configuration.upstreams["devices"])
        #expect(upstream.servers.map(\.value) == [.init(host: "127.0.0.1", port: 9000)])
        #expect(upstream.connectTimeout == .seconds(2))
        guard case .url(let url) = configuration.keySets["issuer"]?.source,
            case .file(let path) = configuration.keySets["local"]?.source,
            case .apiKey(let keys) = configuration.authenticators["keys"]?.kind,
            case .jwt(let jwt) = configuration.authenticators["jwt"]?.kind
        else {
            Issue.record("a source or an authenticator is missing")
            return
        }
        #expect(url.value == "https://issuer.example/.well-known/jwks.json")
        #expect(path.value == "keys/jwks.json")
        #expect(keys.sources == [.header("X-API-Key"), .bearer(prefix: "rbtk_")])
        #expect(keys.keys.map(\.id) == ["ci"])
        #expect(jwt.sources == [.bearer(prefix: "")])
        #expect(jwt.issuers == ["https://issuer.example"])
        #expect(jwt.algorithms == [.rs256, .es256])
        #expect(jwt.keySet.value == "issuer")
        #expect(configuration.limits["standard"].map { [$0.requests, $0.burst] } == [100, 20])
        #expect(configuration.limits["gold"]?.per == .seconds(1))
        #expect(configuration.routes.map(\.name) == ["devices", "health"])
        #expect(
            configuration.tests.map(\.request.value) == ["GET http://api.example/api/v1/organizations/acme/devices"])
        let codes = ConfigurationWarnings.review(configuration, file: "gateway.json", now: WallTime(seconds: 0)).map(
            \.code)
        #expect(codes == [.keySetUnused, .keyWellKnown])
    }

    @Test func `a route is read whole`() throws {
        let route = try #require(Self.read(Self.example).routes.first)
        #expect(route.hosts == ["api.example"])
        #expect(route.path.value == "/api/v1/organizations/{org}/devices")
        #expect(route.methods == ["GET"])
        #expect(route.requirement.authenticators.map(\.value) == ["keys", "jwt"])
        #expect(route.authorization.scopes == ["devices:read"])
        #expect(route.authorization.claims.map(\.pointer.value) == ["/org"])
        #expect(route.authorization.claims.map(\.template.value) == ["{path.org}"])
        #expect(route.limits.map(\.value) == ["standard"])
        #expect(route.limits.map(\.path) == ["routes[0].limits[0]"])
        #expect(route.setRequestHeaders.map(\.name) == ["X-Org"])
        #expect(route.removedRequestHeaders == ["Cookie"])
        #expect(route.upstream?.value == "devices")
    }

    @Test func `what the file leaves out has its default`() throws {
        let configuration = try Self.read(PolicyText.document(""))
        #expect(configuration.bounds == Bounds())
        #expect(configuration.paths == PathRules())
        #expect(configuration.accessLog == .standardOutput)
        #expect(configuration.forwardedFields == .xForwarded)
        #expect(configuration.via == nil)
        #expect(configuration.failureBudget == FailureBudgetConfiguration())
        #expect(configuration.rateHeaders == RateHeaderStyle())
        #expect(configuration.identityHeaders == HeaderTemplate.identityDefaults)
        #expect(configuration.responses == "problem")
        #expect(configuration.limits["gold"].map { [$0.requests, $0.burst] } == [10, 10])
        #expect(configuration.limits["gold"]?.by == [.identity])
        #expect(configuration.loops == nil)
    }

    @Test func `members at the top are taken as they are written`() throws {
        let configuration = try Self.read(
            PolicyText.document(
                #"""
                "loops":3,"forwarded":"both","via":false,"access_log":"file:log/access.jsonl",
                "bounds":{"head_bytes":"8KiB","target_bytes":"4KiB","header_fields":50,"body_bytes":"10MiB","connections":7,"connections_per_address":5,"head_timeout":"1s","idle_timeout":"2s","body_timeout":"3s","half_close_timeout":"4s","drain_timeout":"5s","buckets":2048},
                "paths":{"dot_segments":"remove","encoded_slash":"keep","empty_segments":"reject"},
                "failure_budget":{"failures":5,"per":"1m"},
                "rate_headers":{"headers":["x","ietf"],"reset":"delta","keep_upstream":true},
                "identity_headers":{"x-auth-subject":"u:{subject}","X-Auth-Issuer":null,"X-Org":"{path.org}"},
                "profiles":{"p":{"default":{"status":418,"content_type":"text/plain","body":"{reason}"},"statuses":{"401":{"status":403}},"reasons":{"rate_limited":{"headers":{"X-A":"{reset}"}}}}},
                "responses":"p"
                """#))
        #expect(configuration.loops == 3)
        #expect(configuration.forwardedFields == .both)
        #expect(configuration.via == nil)
        #expect(configuration.accessLog == .file("log/access.jsonl"))
        var bounds = Bounds()
        (bounds.headByteLimit, bounds.targetByteLimit, bounds.fieldCountLimit) = (8192, 4096, 50)
        (bounds.bodyByteLimit, bounds.connectionLimit, bounds.connectionLimitPerAddress) = (10_485_760, 7, 5)
        (bounds.headTimeout, bounds.idleTimeout, bounds.bodyTimeout) = (.seconds(1), .seconds(2), .seconds(3))
        (bounds.halfCloseTimeout, bounds.drainTimeout, bounds.bucketLimit) = (.seconds(4), .seconds(5), 2048)
        #expect(configuration.bounds == bounds)
        #expect(configuration.paths.dotSegments == .remove)
        #expect(configuration.paths.encodedSlash == .keep)
        #expect(configuration.paths.emptySegments == .reject)
        #expect(configuration.failureBudget.map { [$0.failures, $0.burst] } == [5, 5])
        #expect(configuration.rateHeaders.families == [.x, .ietf])
        #expect(configuration.rateHeaders.reset == .delta)
        #expect(configuration.rateHeaders.keepsUpstream)
        let headers = configuration.identityHeaders.map { "\($0.name): \($0.template.value)" }
        #expect(
            headers == [
                "x-auth-subject: u:{subject}", "X-Auth-Method: {method}", "X-Auth-Credential: {credential}",
                "X-Auth-Scopes: {scopes}", "X-Org: {path.org}",
            ])
        #expect(configuration.profiles["p"]?.fallback.status == 418)
        #expect(configuration.profiles["p"]?.statuses[401]?.status == 403)
        #expect(configuration.profiles["p"]?.reasons["rate_limited"]?.headers.map(\.name) == ["X-A"])
        #expect(configuration.responses == "p")
    }

    @Test(
        arguments: [
            ("http://127.0.0.1:9000", "127.0.0.1", 9000), ("http://[::1]:81", "::1", 81),
            ("HTTP://Api.Internal", "api.internal", 80),
            ("http://[2001:DB8:0::1]", "2001:db8::1", 80), ("http://a_b-c.d:65535", "a_b-c.d", 65535),
        ] as [(String, String, UInt16)])
    func `a server is a host and a port`(text: String, host: String, port: UInt16) throws {
        let configuration = try Self.read(PolicyText.document(#""upstreams":{"up":{"servers":["\#(text)"]}}"#))
        #expect(configuration.upstreams["up"]?.servers.map(\.value) == [.init(host: host, port: port)])
    }

    @Test(
        arguments: [
            (#""authenticate":"none""#, RouteConfiguration.Requirement.none, []),
            (#""authenticate":["keys"]"#, .anyOf([]), ["keys"]),
            (#""authenticate":{"all_of":["keys","jwt"]}"#, .allOf([]), ["keys", "jwt"]),
            (#""authenticate":{"optional":["jwt"]}"#, .optional([]), ["jwt"]),
        ] as [(String, RouteConfiguration.Requirement, [String])])
    func `a requirement is read as it is written`(
        member: String, kind: RouteConfiguration.Requirement, names: [String]
    ) throws {
        let text = #""routes":[{"name":"r","match":{"path":"/"},"upstream":"up",\#(member)}]"#
        let requirement = try #require(try Self.read(PolicyText.document(text)).routes.first?.requirement)
        #expect(requirement.authenticators.map(\.value) == names)
        switch (requirement, kind) {
        case (.none, .none), (.anyOf, .anyOf), (.allOf, .allOf), (.optional, .optional): break
        default: Issue.record("another kind of requirement: \(requirement)")
        }
    }

    @Test func `reasons of the parsers may be answered when they are named`() {
        let text = PolicyText.document(
            #""profiles":{"p":{"reasons":{"header_invalid":{"status":400}}}},"# + "\n" + #""responses":"p""#)
        #expect(ConfigurationReader.read(text.utf8.span, file: "f").configuration == nil)
        let known = ConfigurationReader.read(text.utf8.span, file: "f", parserReasons: ["header_invalid"])
        #expect(known.configuration?.profiles["p"]?.reasons["header_invalid"]?.status == 400)
    }

    @Test(arguments: ["200", "600", "0401", "+401", "4o1", "", "40000000000000000000"])
    func `answers are given to statuses of refusals only`(status: String) {
        let text = PolicyText.document(
            #""profiles":{"p":{"statuses":{"\#(status)":{"status":400}}}},"# + "\n" + #""responses":"p""#)
        let (configuration, errors) = ConfigurationReader.read(text.utf8.span, file: "f")
        #expect(configuration == nil)
        #expect(errors.map(\.code) == [.valueOutOfRange])
    }

    @Test func `errors beyond the bound are counted, not listed`() {
        let members = (0..<1500).map { #""unknown-\#($0)":1"# }.joined(separator: ",")
        let (configuration, errors) = ConfigurationReader.read("{\(members)}".utf8.span, file: "f")
        #expect(configuration == nil)
        #expect(errors.count == ConfigurationReader.diagnosticLimit + 1)
        #expect(errors.last?.description == "f: 503 more errors are not shown")
    }
}
