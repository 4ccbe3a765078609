import Core
import Testing

@testable import Policy

@Suite struct PolicyComparisonTests {
    static func document(_ text: String, _ file: String) throws -> PolicyDocument {
        let document = PolicyDocument(text.utf8.span, file: file)
        return try #require(document)
    }

    static func changes(_ old: String, _ new: String) throws -> [String] {
        PolicyComparison.changes(from: try document(old, "old.json"), to: try document(new, "new.json"))
            .map { "\($0.rule.file): \($0)" }
    }

    static let cases: [(String, String, [String])] = [
        (#"{"a":1,"routes":[]}"#, #"{"routes":[],"a":1}"#, []),
        (
            #"{"routes":[{"name":"devices","authorize":{"scopes":["read"]}}]}"#,
            #"{"routes":[{"name":"devices","authorize":{"scopes":["read","devices:write"]}}]}"#,
            [#"new.json: route devices: now also asks for the scope "devices:write""#]
        ),
        (
            #"{"routes":[{"name":"a"},{"name":"b","upstream":"x"}]}"#,
            #"{"routes":[{"name":"b","upstream":"y"},{"name":"c"}]}"#,
            [
                #"old.json: route a: is gone"#,
                #"new.json: route b: now goes to the upstream "y"; it went to "x""#,
                #"new.json: route c: is new: {"name":"c"}"#,
            ]
        ),
        (
            #"{"routes":[{"name":"a","authenticate":["k"]},{"name":"b","authenticate":"none"}]}"#,
            #"{"routes":[{"name":"a","authenticate":"none"},{"name":"b","authenticate":["k"]}]}"#,
            [
                #"new.json: route a: is now open to everybody; it asked for ["k"]"#,
                #"new.json: route b: now asks for ["k"]; it was open to everybody"#,
            ]
        ),
        (
            #"{"key_sets":{"s":{"keys":[{"kty":"oct","kid":"a","k":"U1"},{"kty":"oct","kid":"b","k":"U2"}]}}}"#,
            #"{"key_sets":{"s":{"keys":[{"kty":"oct","kid":"c","k":"U3"},{"kty":"oct","kid":"b","k":"U4"}]}}}"#,
            [
                #"old.json: key set s, key a: is gone"#,
                #"new.json: key set s, key b: has another secret"#,
                #"new.json: key set s, key c: is new: {"kty":"oct","kid":"c"}"#,
            ]
        ),
        (
            #"{"key_sets":{"s":{"keys":[{"kty":"oct","kid":"a","k":"U1"},{"kty":"oct","kid":"b","k":"U2"}]}}}"#,
            #"{"key_sets":{"s":{"keys":[{"kty":"oct","kid":"b","k":"U2"},{"kty":"oct","kid":"a","k":"U1"}]}}}"#, []
        ),
        (
            #"{"authenticators":{"k":{"keys":[{"id":"ci","sha256":"00","scopes":["a"]},{"id":"old","sha256":"11"}]}}}"#,
            #"{"authenticators":{"k":{"keys":[{"id":"ci","sha256":"22","scopes":[]},{"id":"new","sha256":"33"}]}}}"#,
            [
                #"new.json: authenticator k, key ci: has another secret"#,
                #"new.json: authenticator k, key ci: no longer has the scope "a""#,
                #"old.json: authenticator k, key old: is gone"#,
                #"new.json: authenticator k, key new: is new: {"id":"new"}"#,
            ]
        ),
        (
            #"{"limits":{"gold":{"requests":10,"per":"1s"}}}"#, #"{"limits":{"gold":{"requests":20,"per":"1s","burst":5}},"https_only":true}"#,
            [
                "new.json: limit gold: requests is now 20; it was 10",
                "new.json: limit gold: burst is now 5; it was not set",
                "new.json: policy: https_only is now true; it was not set",
            ]
        ),
        (
            #"{"key_sets":{"s":{"file":"a"}},"trusted_proxies":["10.0.0.0/8"]}"#, #"{"trusted_proxies":[]}"#,
            [
                "old.json: key set s: is gone",
                #"new.json: policy: trusted_proxies no longer has "10.0.0.0/8""#,
            ]
        ),
        (
            #"{"listeners":[{"address":"a:1"}]}"#, #"{"listeners":[{"address":"a:1","tls":{}},{"address":"a:2"}]}"#,
            ["new.json: listener a:1: tls is now {}; it was not set", #"new.json: listener a:2: is new: {"address":"a:2"}"#]
        ),
        (
            #"{"limits":{"a":{}},"routes":[{"name":"r","authorize":{"mode":"shadow"}}]}"#,
            #"{"limits":{"a":{"mode":"shadow"}},"routes":[{"name":"r","authorize":{}}]}"#,
            [
                "new.json: limit a: is only tried now: what would be refused passes",
                "old.json: route r: authorize is no longer only tried: what it refuses is refused",
            ]
        ),
        (
            #"{"limits":{"g":{}},"routes":[{"name":"a","limits":["g"],"upstream":"u"},{"name":"b","upstream":"u"}]}"#,
            #"{"limits":{"g":{}},"defaults":{"limits":["g"],"upstream":"u"},"routes":[{"name":"a"},{"limits":null,"name":"b"}]}"#, []
        ),
        (
            #"{"defaults":{"limits":["g"]},"routes":[{"name":"a"},{"name":"b"},{"name":"c","limits":["h"]},{"name":"d","limits":null}]}"#,
            #"{"defaults":{"limits":["k"]},"routes":[{"name":"a"},{"name":"b"},{"name":"c","limits":["h"]},{"name":"d","limits":null}]}"#,
            [
                #"new.json: route a: is now also limited by "k""#, #"new.json: route a: is no longer limited by "g""#,
                #"new.json: route b: is now also limited by "k""#, #"new.json: route b: is no longer limited by "g""#,
            ]
        ),
        (
            #"{"defaults":{"authenticate":["k"],"accept":["a/b"]},"routes":[{"name":"a","upstream":"u"},{"name":"b","upstream":"u"}]}"#,
            #"{"defaults":{"authenticate":["k"]},"routes":[{"name":"a","upstream":"u"},{"name":"b","upstream":"u","authenticate":"none"}]}"#,
            [
                #"old.json: route a: accept no longer has "a/b""#,
                #"new.json: route b: is now open to everybody; it asked for ["k"]"#, #"old.json: route b: accept no longer has "a/b""#,
            ]
        ),
        (
            #"{"defaults":{"upstream":"u"},"routes":[{"name":"a","action":{"publish_keys":{}}}]}"#,
            #"{"routes":[{"name":"a","action":{"publish_keys":{}}}]}"#, []
        ),
        (#"{"tests":[{"name":"t"},{"name":"t"}]}"#, #"{"tests":[{"name":"t"},{"name":"t"},{"name":"u"}]}"#, [
            #"new.json: test u: is new: {"name":"u"}"#
        ]),
    ]

    @Test(arguments: cases)
    func `what changed is said in words`(old: String, new: String, lines: [String]) throws {
        #expect(try Self.changes(old, new) == lines)
    }

    @Test func `a change points at its value in the new policy, and at what is gone in the old one`() throws {
        let old = try Self.document("{\n \"limits\": {\n  \"a\": { \"burst\": 1 },\n  \"b\": {} } }", "old.json")
        let new = try Self.document("{\n \"limits\": {\n  \"a\": { \"burst\": 2 } } }", "new.json")
        let rules = PolicyComparison.changes(from: old, to: new).map { "\($0.rule) \($0.rule.path)" }
        #expect(rules == ["new.json:3:19 limits.a.burst", "old.json:4:8 limits.b"])
    }

    @Test func `what a route inherits is shown where the defaults have it, in the new policy or in the old one`() throws {
        let old = try Self.document("{\n\"defaults\":{\"accept\":[\"a/b\"]},\n\"routes\":[{\"name\":\"x\"},{\"name\":\"a\"}]}", "old.json")
        let new = try Self.document("{\n\"routes\":[{\"name\":\"a\"}],\n\"defaults\":{\"limits\":[\"g\"]}}", "new.json")
        let rules = PolicyComparison.changes(from: old, to: new).map { "\($0.rule) \($0.rule.path)" }
        #expect(rules == ["old.json:3:11 routes[0]", "old.json:2:22 defaults.accept", "new.json:3:22 defaults.limits"])
    }

    @Test func `tests are compared wherever they are, each shown in its file`() throws {
        let first = #"{"name":"a","expect":{"status":401}}"#, second = #"{"name":"b","expect":{"status":403}}"#
        func policy(_ own: String, _ file: String?, _ name: String) throws -> PolicyDocument {
            let tests = file.flatMap { TestsDocument($0.utf8.span, file: "more.json") }
            let document = PolicyDocument("{\"tests_file\":\"m\",\"tests\":[\(own)]}".utf8.span, file: name, tests: tests)
            return try #require(document)
        }
        let old = try policy("\(first),\(second)", nil, "old.json")
        #expect(PolicyComparison.changes(from: old, to: try policy(second, "[\(first)]", "new.json")).isEmpty)
        let new = try policy(second, "{\"tests\":[{\"name\":\"c\"},\(first.replacing("401", with: "404"))]}", "new.json")
        let changes = PolicyComparison.changes(from: old, to: new).map { "\($0.rule.file) \($0.rule.path): \($0)" }
        #expect(
            changes == [
                "more.json tests[1].expect.status: test a: expect.status is now 404; it was 401",
                #"more.json tests[0]: test c: is new: {"name":"c"}"#,
            ])
    }

    @Test(arguments: cases)
    func `nothing changes from a policy to itself`(old: String, new: String, lines: [String]) throws {
        #expect(try Self.changes(new, new).isEmpty && Self.changes(old, old).isEmpty)
    }
}
