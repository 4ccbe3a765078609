import Core
import Crypto
import HTTP1
import Testing

@testable import Policy

/// Policies put to tests of their own.
@Suite struct PolicyRehearsalTests {
    /// A policy of one key, one issuer whose keys nobody has, and three routes.
    static func policy(_ tests: String) -> String {
        let digest = Sample.cryptography.sha256("a key of ci".utf8.span).hex
        let late = Sample.cryptography.sha256("another key of ci".utf8.span).hex
        return """
            {
              "listeners": [{ "address": "127.0.0.1:0" }],
              "upstreams": { "origin": { "servers": ["http://127.0.0.1:9"] } },
              "key_sets": { "issuer": { "url": "http://issuer.test/keys" } },
              "authenticators": {
                "keys": { "type": "api_key", "from": ["bearer:acme_"], "keys": [
                  { "id": "ci", "subject": "ci@acme", "scopes": ["read"],
                    "secrets": [
                      { "sha256": "\(digest)", "expires_at": "2026-06-01T00:00:00Z" },
                      { "sha256": "\(late)", "not_before": "2026-05-01T00:00:00Z", "expires_at": "2027-01-01T00:00:00Z" }
                    ] },
                  { "id": "home", "sha256": "\(String(digest.reversed()))", "allow_ips": ["10.0.0.0/8"] }
                ] },
                "jwt": { "type": "jwt", "issuer": "https://issuer.test", "audiences": ["api"],
                         "algorithms": ["RS256", "ES256"], "key_set": "issuer" },
                "mtls": { "type": "certificate", "subject_from": "san_dns" }
              },
              "limits": { "few": { "requests": 3, "per": "1m", "burst": 3 } },
              "routes": [
                { "name": "read", "match": { "path": "/a/{org}", "methods": ["GET"] }, "authenticate": ["keys", "jwt"],
                  "authorize": { "scopes": ["read"] }, "body_bytes": "1KiB",
                  "request_headers": { "set": { "X-Org": "{path.org}" } }, "upstream": "origin" },
                { "name": "few", "match": { "path": "/few" }, "authenticate": ["keys", "jwt"], "limits": ["few"],
                  "upstream": "origin" },
                { "name": "own", "match": { "path": "/own/{org}" }, "authenticate": ["jwt"],
                  "authorize": { "claims": { "/org": "{path.org}" } }, "upstream": "origin" },
                { "name": "both", "match": { "path": "/both" }, "authenticate": { "all_of": ["keys", "mtls"] },
                  "upstream": "origin" }
              ],
              "tests": [\(tests)]
            }
            """
    }

    static func run(_ tests: String) throws -> [PolicyTestResult] {
        let read = ConfigurationReader.read(policy(tests).utf8.span, file: "gateway.json")
        #expect(read.diagnostics.map(\.description) == [])
        let configuration = try #require(read.configuration)
        var results: [PolicyTestResult] = []
        let isCompiled = PolicyRehearsal.run(
            configuration.tests, of: configuration,
            environment: TestEnvironment(cell: KeySetCell(name: "issuer", isRemote: true)),
            now: WallTime(seconds: 1_780_000_000), readHead: readHead, each: { results.append($0) })
        #expect(isCompiled)
        return results
    }

    static func readHead(_ bytes: Span<UInt8>, _ bounds: Bounds, _ head: inout RequestHead) -> Denial? {
        var parser = RequestHeadParser()
        switch parser.parse(bytes, bounds: bounds, into: &head) {
        case .complete: return nil
        case .incomplete: return .headTimeout
        case .malformed(let fault):
            return .malformedRequest(reason: fault.reason, status: fault.status, detail: fault.detail)
        }
    }

    static let met = [
        #""request": "GET /a/x", "expect": { "status": 401, "reason": "credential_missing", "route": "read" }"#,
        #""request": "POST /a/x", "expect": { "status": 405, "response_headers": { "Allow": "GET, HEAD" } }"#,
        #""request": "GET http://api.test/nothing", "expect": { "reason": "route_not_found", "allowed": false }"#,
        ##""request": "GET /a/x#y", "expect": { "status": 400 }"##,
        #""request": "GET /a/x?q=1", "key": "ci", "expect": { "allowed": true, "upstream": "origin", "target": "/a/x?q=1" }"#,
        #""request": "GET /a/x", "key": "ci", "headers": { "X_Auth_Subject": "root", "X-Other": "1" }, "expect": { "request_headers": { "X-Auth-Subject": "ci@acme", "X-Org": "x", "X-Other": "1", "Host": "localhost" }, "absent_request_headers": ["Authorization", "X-Nothing"] }"#,
        #""request": "GET /a/x", "key": "ci", "at": "2026-02-01T00:00:00Z", "expect": { "allowed": true }"#,
        #""request": "GET /a/x", "key": "ci", "at": "2026-12-31T00:00:00Z", "expect": { "allowed": true }"#,
        #""request": "GET /a/x", "key": "ci", "at": "2027-01-01T00:00:00Z", "expect": { "reason": "key_expired" }"#,
        #""request": "GET /few", "key": "home", "expect": { "status": 403, "reason": "address_not_allowed" }"#,
        #""request": "GET /few", "key": "home", "from": "10.1.2.3", "expect": { "allowed": true }"#,
        #""request": "GET /a/x", "key": "home", "from": "10.1.2.3", "expect": { "reason": "scope_missing" }"#,
        #""request": "GET /a/x", "key": "ci", "body_bytes": "2KiB", "expect": { "status": 413, "reason": "body_too_large" }"#,
        #""request": "GET /own/acme", "token": { "claims": { "sub": "u", "org": "acme" } }, "expect": { "allowed": true, "request_headers": { "X-Auth-Subject": "u", "X-Auth-Issuer": "https://issuer.test" } }"#,
        #""request": "GET /own/other", "token": { "claims": { "sub": "u", "org": "acme" } }, "expect": { "reason": "claim_mismatch" }"#,
        #""request": "GET /own/acme", "token": { "age": "1h" }, "expect": { "reason": "token_expired" }"#,
        #""request": "GET /own/acme", "token": { "claims": { "exp": null } }, "expect": { "reason": "token_claim_missing" }"#,
        #""request": "GET /own/acme", "token": { "claims": { "aud": ["other"] } }, "expect": { "reason": "token_audience_wrong" }"#,
        #""request": "GET /own/acme", "token": { "algorithm": "HS256" }, "expect": { "reason": "token_algorithm_not_allowed" }"#,
        #""request": "GET /own/acme", "token": { "signature": "forged" }, "expect": { "reason": "token_signature_invalid" }"#,
        #""request": "GET /own/acme", "token": { "signature": "unknown" }, "expect": { "reason": "token_key_unknown" }"#,
        #""request": "GET /few", "key": "ci", "repeat": 3, "expect": { "allowed": true, "response_headers": { "X-RateLimit-Remaining": "0" }, "absent_response_headers": ["Retry-After"] }"#,
        #""request": "GET /few", "key": "ci", "repeat": 4, "expect": { "status": 429, "response_headers": { "Retry-After": "20" } }"#,
        #""request": "GET /few", "headers": { "Authorization": "Bearer acme_wrong{n}" }, "repeat": 101, "expect": { "reason": "too_many_failures" }"#,
        #""request": "GET /few", "headers": { "Authorization": "Bearer acme_wrong" }, "repeat": 500, "expect": { "reason": "credential_unknown" }"#,
        #""request": "GET /few", "headers": { "Authorization": "Bearer acme_wrong" }, "expect": { "reason": "credential_unknown" }"#,
        #""request": "GET /a/x", "key": { "scopes": ["read"], "subject": "s" }, "expect": { "request_headers": { "X-Auth-Subject": "s", "X-Auth-Credential": "test" } }"#,
        #""request": "GET /a/x", "key": { "scopes": ["write"] }, "expect": { "reason": "scope_missing" }"#,
        #""request": "GET /both", "key": "ci", "certificate": { "san_dns": "ci.test" }, "expect": { "allowed": true }"#,
        #""request": "GET /both", "key": "ci", "expect": { "reason": "credential_missing" }"#,
    ]

    @Test(arguments: met)
    func `a test that holds is met`(text: String) throws {
        let results = try Self.run("{ \"name\": \"t\", \(text) }")
        #expect(results.count == 1)
        for result in results {
            #expect(result.mismatches.map { "\($0.member): \($0.found)" } == [])
            #expect(result.diagnostic == nil)
        }
    }

    @Test func `tests of one run do not see each other`() throws {
        let all = Self.met.map { "{ \"name\": \"t\", \($0) }" }
        let results = try Self.run((all + all.reversed()).joined(separator: ","))
        #expect(results.count == Self.met.count * 2 && results.allSatisfy(\.isMet))
    }

    static let unmet: [(String, [String])] = [
        (
            #""request": "GET /a/x", "key": "ci", "expect": { "status": 200, "allowed": false }"#,
            [
                #"expect.allowed: true (forwarded by "read" to "origin"), not false"#,
                #"expect.status: the upstream's (forwarded by "read" to "origin"), not 200"#,
            ]
        ),
        (
            #""request": "GET /a/x", "expect": { "status": 403, "reason": "scope_missing", "route": "few", "upstream": "origin", "target": "/" }"#,
            [
                #"expect.status: 401 (refused: credential_missing by the route "read"), not 403"#,
                #"expect.reason: "credential_missing", not "scope_missing""#,
                #"expect.route: "read", not "few""#,
                #"expect.upstream: none (refused: credential_missing by the route "read"), not "origin""#,
                #"expect.target: none (refused: credential_missing by the route "read"), not "/""#,
            ]
        ),
        (
            #""request": "GET /a/x", "key": "ci", "expect": { "request_headers": { "X-Auth-Subject": "root", "X-None": "1" }, "absent_request_headers": ["x_org"] }"#,
            [
                #"expect.request_headers.X-Auth-Subject: "ci@acme", not "root""#,
                #"expect.request_headers.X-None: absent, not "1""#,
                #"expect.absent_request_headers: "x", not no "x_org""#,
            ]
        ),
        (
            #""request": "GET /nothing", "expect": { "absent_request_headers": ["Cookie"] }"#,
            [#"expect.absent_request_headers: none (refused: route_not_found), not a request without "Cookie""#]
        ),
        (
            #""request": "GET /a/x", "key": "nobody", "expect": { "status": 401 }"#,
            [#"key: no key of the id "nobody", not a key of a route's authenticator"#]
        ),
        (
            #""request": "GET /a/x", "token": { "authenticator": "keys" }, "expect": { "status": 401 }"#,
            [#"token.authenticator: "keys", not an authenticator of type jwt"#]
        ),
    ]

    @Test(arguments: unmet)
    func `a test that does not hold says what was found`(text: String, lines: [String]) throws {
        let result = try #require(try Self.run("{ \"name\": \"t\", \(text) }").first)
        #expect(result.mismatches.map { "\($0.member): \($0.found), not \($0.expected)" } == lines)
        #expect(!result.isMet)
        #expect(result.diagnostic?.code == .testFailed && result.diagnostic?.position?.line == result.position.line)
    }

    @Test func `no token of a test is good under the policy itself`() throws {
        let read = ConfigurationReader.read(Self.policy("").utf8.span, file: "gateway.json")
        let configuration = try #require(read.configuration)
        let cell = Sample.cell(try Sample.keySet(Sample.key()))
        let snapshot = try #require(
            Snapshot.compile(configuration, environment: TestEnvironment(cell: cell)).snapshot)
        let environment = RehearsalEnvironment(TestEnvironment(cell: cell), now: Sample.now)
        guard case .jwt(let jwt) = configuration.authenticators["jwt"]?.kind else { return }
        let token = RehearsalToken(key: environment.key, kid: "k").compact(.init(), for: jwt, now: Sample.now.wall)
        let digest = Sample.cryptography.sha256("a key of ci".utf8.span)
        for value in [token, RehearsalCryptography.value(for: digest, prefix: "acme_")] {
            let head = try PolicyFixture.head("GET /few", ["Authorization: Bearer \(value)"])
            let outcome = Trial(snapshot).make(head, connection: try PolicyFixture.facts(), now: Sample.now)
            #expect(outcome.refusal != nil)
        }
    }
}
