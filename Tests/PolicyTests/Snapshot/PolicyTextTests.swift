import Core
import Crypto
import Testing

@testable import Policy

/// From the text of a policy and of a request to the decision.
struct PolicyTextTests {
    private static var text: String {
        let digest = Sample.cryptography.sha256("rbtk_secret".utf8.span).hex
        return #"""
            {
              "listeners": [{ "address": "127.0.0.1:8080" }],
              "trusted_proxies": ["10.0.0.0/8"],
              "upstreams": { "devices": { "servers": ["http://127.0.0.1:9000"] } },
              "key_sets": { "issuer": { "url": "http://127.0.0.1:1/jwks.json" } },
              "authenticators": {
                "keys": {
                  "type": "api_key", "from": ["header:X-API-Key", "bearer:rbtk_"],
                  "keys": [
                    { "id": "ci", "sha256": "\#(digest)", "subject": "ci@acme", "scopes": ["devices:read"],
                      "allow_ips": ["192.0.2.0/24"], "expires_at": "2040-01-01T00:00:00Z", "limits": ["gold"] }
                  ]
                },
                "jwt": {
                  "type": "jwt", "issuer": "https://issuer.test", "audiences": ["gateway"], "algorithms": ["HS256"], "addresses_claim": "/ips",
                  "key_set": "issuer", "leeway": "0s", "scopes_claim": "/scope"
                }
              },
              "limits": {
                "standard": { "requests": 100, "per": "1m", "burst": 2, "by": "identity" },
                "gold": { "requests": 1000, "per": "1s", "burst": 2000, "by": "identity" }
              },
              "routes": [
                {
                  "name": "devices",
                  "match": {
                    "hosts": ["api.test"], "path": "/api/v1/organizations/{org}/devices", "methods": ["GET"]
                  },
                  "authenticate": ["keys", "jwt"],
                  "authorize": { "scopes": ["devices:read"] },
                  "limits": ["standard"],
                  "request_headers": { "set": { "X-Org": "{path.org}" }, "remove": ["Cookie"] },
                  "upstream": "devices"
                },
                { "name": "health", "match": { "path": "/healthz" }, "authenticate": "none", "upstream": "devices" }
              ]
            }
            """#
    }

    private func fixture() throws -> PolicyFixture {
        let (configuration, diagnostics) = ConfigurationReader.read(Self.text.utf8.span, file: "gateway.json")
        #expect(diagnostics.filter { $0.severity == .error }.map(\.description) == [])
        let read = try #require(configuration)
        return try PolicyFixture { $0 = read }
    }

    private static let path = "/api/v1/organizations/acme/devices"

    @Test(arguments: [
        ("GET \(path)", [], "192.0.2.7", "credential_missing"),
        ("GET \(path)", ["X-API-Key: rbtk_secret"], "192.0.2.7", "forwarded"),
        ("HEAD \(path)", ["Authorization: bearer rbtk_secret"], "192.0.2.7", "forwarded"),
        ("GET \(path)", ["X-API-Key: rbtk_wrong"], "192.0.2.7", "credential_unknown"),
        ("GET \(path)", ["X-API-Key: rbtk_secret"], "198.51.100.1", "address_not_allowed"),
        ("GET \(path)", ["X-API-Key: rbtk_secret", "X-Forwarded-For: 192.0.2.7"], "198.51.100.1", "address_not_allowed"),
        ("GET \(path)", ["X-API-Key: rbtk_secret", "X-Forwarded-For: 192.0.2.7"], "10.0.0.1", "forwarded"),
        ("DELETE \(path)", ["X-API-Key: rbtk_secret"], "192.0.2.7", "method_not_allowed"),
        ("GET \(path)", ["X-API-Key: rbtk_secret", "Host: other.test"], "192.0.2.7", "route_not_found"),
        ("GET /healthz", ["Host: other.test"], "192.0.2.7", "forwarded"),
        ("GET /api/v1/organizations/../devices", [], "192.0.2.7", "path_dot_segment"),
        ("GET /nowhere", [], "192.0.2.7", "route_not_found"),
    ] as [(String, [String], String, String)])
    func `decisions`(request: String, fields: [String], peer: String, expected: String) throws {
        #expect(try fixture().outcome(request, fields, from: peer) == expected)
    }

    @Test func `the upstream gets the identity and not the key`() throws {
        let forwarded = try fixture().forwarded(
            "GET \(Self.path)?limit=5", ["X-API-Key: rbtk_secret", "Cookie: a=b", "X_Auth_Subject: root"])
        #expect(forwarded.target == "\(Self.path)?limit=5")
        #expect(forwarded.values("X-Auth-Subject") == ["ci@acme"])
        #expect(forwarded.values("X-Org") == ["acme"])
        #expect(forwarded.values("Cookie") == [])
        #expect(!forwarded.lines.contains { $0.contains("rbtk_") || $0.contains("root") })
        #expect(forwarded.grant.rate?.limit.name == "gold")
    }

    @Test func `a token is limited by the route, and the third request is refused`() throws {
        let fixture = try fixture()
        let payload =
            #"{"iss":"https://issuer.test","aud":"gateway","sub":"alice","exp":1800000100,"scope":"devices:read x"}"#
        let fields = ["Authorization: Bearer \(String(decoding: Sample.token(payload), as: UTF8.self))"]
        #expect(try fixture.outcome("GET \(Self.path)", fields) == "forwarded")
        #expect(try fixture.outcome("GET \(Self.path)", fields) == "forwarded")
        #expect(try fixture.outcome("GET \(Self.path)", fields) == "rate_limited")
        #expect(try fixture.outcome("GET \(Self.path)", ["X-API-Key: rbtk_secret"]) == "forwarded")
    }
}
