import Core
import Testing

@testable import Policy

/// Tests of policies whose keys, tokens and users are kept in a store.
@Suite struct RehearsalStoreTests {
    static func policy(_ tests: String) -> String {
        """
        {
          "listeners": [{ "address": "127.0.0.1:0" }],
          "store": { "sqlite": "var/p.db", "encryption_key": "env:KEY" },
          "upstreams": { "origin": { "servers": ["http://127.0.0.1:9"] } },
          "key_sets": { "own": { "stored": true } },
          "authenticators": {
            "keys": { "type": "api_key", "from": ["header:Api-Key"], "stored": true, "keys": [
              { "id": "filed", "sha256": "\(String(repeating: "a", count: 64))" }
            ] },
            "made": { "type": "jwt", "from": ["bearer"], "algorithms": ["HS256"], "key_set": "own",
                      "derived_from": { "authenticator": "keys", "claim": "/lives/with" } },
            "people": { "type": "jwt", "from": ["bearer"], "algorithms": ["HS256"], "key_set": "own", "issuer": "us",
                        "derived_from": { "users": true, "claim": "/sub" } }
          },
          "limits": { "few": { "requests": 3, "per": "1m", "burst": 3 } },
          "routes": [
            { "name": "read", "match": { "path": "/read" }, "authenticate": ["keys", "made"],
              "authorize": { "scopes": ["read"] }, "realm": { "header": "X-Realm", "required": false }, "upstream": "origin" },
            { "name": "any", "match": { "path": "/any" }, "authenticate": ["keys"], "upstream": "origin" },
            { "name": "member", "match": { "path": "/o/{org}/{project}" }, "authenticate": ["keys", "people"],
              "authorize": { "membership": { "organization": "{path.org}", "project": "{path.project}", "roles": ["admin"] } },
              "request_headers": { "set": { "X-Email": "{user.email}" } }, "upstream": "origin" }
          ],
          "tests": [\(tests)]
        }
        """
    }

    static func run(_ tests: String) throws -> [PolicyTestResult] {
        let read = ConfigurationReader.read(policy(tests).utf8.span, file: "gateway.json")
        #expect(read.diagnostics.filter { $0.severity == .error }.map(\.description) == [])
        let configuration = try #require(read.configuration)
        var results: [PolicyTestResult] = []
        let isCompiled = PolicyRehearsal.run(
            configuration.tests, of: configuration,
            environment: TestEnvironment(cell: KeySetCell(name: "own", isRemote: false)),
            now: WallTime(seconds: 1_780_000_000), readHead: PolicyRehearsalTests.readHead, each: { results.append($0) })
        #expect(isCompiled)
        return results
    }

    static let member = #""user": { "memberships": [{ "organization": "acme", "project": "x", "role": "admin" }] }"#

    static let met = [
        #""request": "GET /read", "key": { "scopes": ["read"] }, "expect": { "allowed": true, "request_headers": { "X-Auth-Subject": "test", "X-Auth-Scopes": "read" } }"#,
        #""request": "GET /read", "key": { "scopes": ["write"], "subject": "s" }, "expect": { "reason": "scope_missing" }"#,
        #""request": "GET /any", "key": { "enabled": false }, "expect": { "reason": "key_disabled" }"#,
        #""request": "GET /any", "key": { "expires_at": "2020-01-01T00:00:00Z" }, "expect": { "reason": "key_expired" }"#,
        #""request": "GET /any", "key": { "allow_ips": ["10.0.0.0/8"] }, "expect": { "reason": "address_not_allowed" }"#,
        #""request": "GET /any", "key": { "allow_ips": ["10.0.0.0/8"] }, "from": "10.0.0.1", "expect": { "allowed": true }"#,
        #""request": "GET /any", "key": { "limits": ["few"] }, "repeat": 4, "expect": { "reason": "rate_limited" }"#,
        #""request": "GET /any", "key": {}, "repeat": 4, "expect": { "allowed": true }"#,
        #""request": "GET /any", "key": "filed", "expect": { "allowed": true }"#,
        #""request": "GET /any", "headers": { "Api-Key": "x" }, "expect": { "reason": "credential_unknown" }"#,
        #""request": "GET /read", "key": { "scopes": ["read"], "realm": "rl_1" }, "headers": { "X-Realm": "rl_2" }, "expect": { "reason": "realm_not_allowed" }"#,
        #""request": "GET /read", "token": { "authenticator": "made", "key": { "scopes": ["read"] } }, "expect": { "allowed": true }"#,
        #""request": "GET /read", "token": { "authenticator": "made", "key": {} }, "expect": { "reason": "scope_missing" }"#,
        #""request": "GET /read", "token": { "authenticator": "made", "key": "filed" }, "expect": { "reason": "scope_missing" }"#,
        #""request": "GET /read", "token": { "authenticator": "made", "key": { "enabled": false } }, "expect": { "reason": "token_revoked" }"#,
        #""request": "GET /read", "token": { "authenticator": "made" }, "expect": { "reason": "token_claim_missing" }"#,
        #""request": "GET /read", "token": { "authenticator": "made", "claims": { "lives": { "with": "nobody" } } }, "expect": { "reason": "token_revoked" }"#,
        #""request": "GET /o/acme/x", "key": {}, \#(member), "expect": { "allowed": true, "request_headers": { "X-Email": "test@example.com" } }"#,
        #""request": "GET /o/acme/y", "key": {}, \#(member), "expect": { "reason": "membership_missing" }"#,
        #""request": "GET /o/acme/x", "key": {}, "expect": { "reason": "membership_missing" }"#,
        #""request": "GET /o/acme/x", "token": { "authenticator": "people" }, \#(member), "expect": { "allowed": true }"#,
        #""request": "GET /o/other/x", "token": { "authenticator": "people" }, \#(member), "expect": { "reason": "membership_missing" }"#,
        #""request": "GET /o/acme/x", "token": { "authenticator": "people", "claims": { "sub": "u" } }, "expect": { "reason": "token_revoked" }"#,
        #""request": "GET /o/acme/x", "token": { "authenticator": "people", "age": "1m" }, "user": { "tokens_valid_from": "2999-01-01T00:00:00Z" }, "expect": { "reason": "token_revoked" }"#,
        #""request": "GET /o/acme/x", "key": {}, "user": { "enabled": false, "id": "u", "name": "U" }, "expect": { "reason": "key_disabled" }"#,
        #""request": "GET /read", "key": { "scopes": ["read"] }, "user": { "scopes": ["other"] }, "expect": { "reason": "scope_missing" }"#,
    ]

    @Test(arguments: met)
    func `a test that supposes what the store holds is met`(text: String) throws {
        let result = try #require(try Self.run("{ \"name\": \"t\", \(text) }").first)
        #expect(result.mismatches.map { "\($0.member): \($0.found)" } == [])
    }

    @Test func `what one test supposes is gone for the next one`() throws {
        let all = Self.met.map { "{ \"name\": \"t\", \($0) }" }
        let results = try Self.run((all + all.reversed()).joined(separator: ","))
        #expect(results.count == Self.met.count * 2 && results.allSatisfy(\.isMet))
    }

    static let impossible: [(String, String)] = [
        (
            #""request": "GET /any", "key": { "authenticator": "made" }, "expect": { "status": 401 }"#,
            #"key.authenticator: "made", not a route's authenticator of API keys"#
        ),
        (
            #""request": "GET /read", "token": { "authenticator": "made", "key": "nobody" }, "expect": { "status": 401 }"#,
            #"key: no key of the id "nobody", not a key of a route's authenticator"#
        ),
    ]

    @Test(arguments: impossible)
    func `a credential that cannot be shown fails the test`(text: String, line: String) throws {
        let result = try #require(try Self.run("{ \"name\": \"t\", \(text) }").first)
        #expect(result.mismatches.map { "\($0.member): \($0.found), not \($0.expected)" } == [line])
    }
}
