import Core
import Testing

@testable import Policy

/// What becomes of content that a route changes.
struct ContentRulesTests {
    private static let app = #"{"apiKey":"k1","quota":12345678901234567890,"roles":["a",{"b":null}]}"#

    private static func change(_ pointer: String, _ template: String?) throws -> ContentRules.Change {
        let names = try #require(JSONPointer(pointer)).names.map { ParameterName($0) }
        guard let template else { return ContentRules.Change(names: names, value: nil) }
        let parts = try TemplateSyntax.parse(template)
        if parts.count == 1, case .storedCredential(let place) = parts[0] {
            return ContentRules.Change(names: names, value: .stored(try #require(JSONPointer(place))))
        }
        let value = try #require(ValueTemplate(parts, pattern: try PathPattern("/{org}/**")))
        return ContentRules.Change(names: names, value: .text(value))
    }

    /// The content that goes on, or the reason of the refusal.
    private static func changed(
        _ content: String, _ changes: [(String, String?)], _ type: RealmContent.MediaType = .json
    ) throws -> String {
        let rules = ContentRules(try changes.map(change))
        var source = TemplateSource(identity: .anonymous, client: IPAddress(v4: 0), route: "r")
        source.realm = "rl"
        let document = CredentialDocument(node: try JSONNode.parse(app.utf8.span), lifetime: nil, isRefreshable: false)
        source.stored = UpstreamCredential(
            document: document, signIn: SignInTime(issuedAt: 0, endsAt: 0), expiresAt: nil, obtainedAt: Instant(nanoseconds: 0))
        func run(_ content: [UInt8]) throws(Denial) -> [UInt8] {
            try rules.changed(content, type, source, path: "/acme/x".utf8.span, requestID: "rq".utf8.span)
        }
        do throws(Denial) {
            let once = try run(Array(content.utf8))
            #expect(try run(once) == once, "twice is as once")
            return String(decoding: once, as: UTF8.self)
        } catch { return error.reason }
    }

    private static let key: (String, String?) = ("/apiKey", "{stored_credential./apiKey}")

    @Test(arguments: [
        ("{}", #"{"apiKey":"k1"}"#), ("", #"{"apiKey":"k1"}"#), (#"{"apiKey":"mine","b":1}"#, #"{"apiKey":"k1","b":1}"#),
        (#" {"a" : 1.50e+2, "n":123456789012345678901234567890, "b":[ true,null ]} "#,
            #"{"a":1.50e+2,"n":123456789012345678901234567890,"b":[true,null],"apiKey":"k1"}"#),
        (#"{"apikey":"mine","APIKEY":"mine","api_key":"mine","apiKey[]":["mine"],"b":1}"#, #"{"b":1,"apiKey":"k1"}"#),
        (#"{"api\u004bey":"mine"}"#, #"{"apiKey":"k1"}"#), (#"{"apiKey":{"a":1}}"#, #"{"apiKey":"k1"}"#),
        (#"{"a":{"apiKey":"another"}}"#, #"{"a":{"apiKey":"another"},"apiKey":"k1"}"#),
        (#"{"apiKey":1,"apiKey":2}"#, "content_malformed"), ("[]", "content_malformed"), (#""x""#, "content_malformed"),
        ("{", "content_malformed"), ("\u{FEFF}{}", "content_malformed"), ("null", "content_malformed"),
    ])
    func `a member is set whatever the client sent, and the rest stays`(content: String, result: String) throws {
        #expect(try Self.changed(content, [Self.key]) == result)
    }

    @Test(arguments: [
        #"{"__proto__":{"debug":1}}"#, #"{"\u005f_proto__":{"debug":1}}"#, #"{"auth":{"__proto__":{"key":1}}}"#,
    ])
    func `JavaScript's prototype keeps nothing that is removed`(content: String) throws {
        #expect(try Self.changed(content, [("/debug", nil), ("/auth/key", nil)]) == "content_malformed")
    }

    @Test(arguments: ["__proto__[debug]=1", "a=1&__proto__.debug=1", "a[__proto__][debug]=1", "%5F_proto__%5Bdebug%5D=1"])
    func `nor does the prototype in a form`(content: String) throws {
        #expect(try Self.changed(content, [("/debug", nil)], .form) == "content_malformed")
    }

    @Test(arguments: [
        ("{}", #"{"auth":{"key":"k1"}}"#), (#"{"auth":{"key":"mine","b":1}}"#, #"{"auth":{"key":"k1","b":1}}"#),
        (#"{"auth":null}"#, #"{"auth":{"key":"k1"}}"#), (#"{"auth":[]}"#, "content_malformed"), (#"{"auth":"x"}"#, "content_malformed"),
        (#"{"Auth":{"key":"mine"}}"#, "content_malformed"), (#"{"auth":{},"auth.key":"mine"}"#, "content_malformed"),
        (#"{"auth":{"KEY":"mine"}}"#, #"{"auth":{"key":"k1"}}"#),
    ])
    func `parents are made where they are missing, and nothing takes their place`(content: String, result: String) throws {
        #expect(try Self.changed(content, [("/auth/key", "{stored_credential./apiKey}")]) == result)
    }

    @Test func `a stored value keeps its type, and a text is one string`() throws {
        let changes: [(String, String?)] = [
            ("/q", "{stored_credential./quota}"), ("/r", "{stored_credential./roles}"),
            ("/o", "{path.org}/{realm}"), ("/a~1b", "x"),
        ]
        #expect(
            try Self.changed("{}", changes)
                == #"{"q":12345678901234567890,"r":["a",{"b":null}],"o":"acme/rl","a/b":"x"}"#)
    }

    @Test(arguments: [
        (#"{"x":1,"secret":2,"Secret":3}"#, #"{"x":1}"#), (#"{"x":{"secret":2}}"#, #"{"x":{"secret":2}}"#), ("{}", "{}"),
    ])
    func `a member is removed in every spelling`(content: String, result: String) throws {
        #expect(try Self.changed(content, [("/secret", nil)]) == result)
    }

    @Test(arguments: ["{subject}", "{stored_credential./none}", "{stored_credential./roles/1}x"])
    func `a value of which a part is absent is not set, and the client's does not go on`(template: String) throws {
        #expect(try Self.changed(#"{"a":1,"who":"root","WHO":"root"}"#, [("/who", template)]) == #"{"a":1}"#)
        #expect(try Self.changed("a=1&who=root&WHO=root", [("/who", template)], .form) == "a=1")
    }

    @Test(arguments: [
        ("", "apiKey=k1"), ("a=1", "a=1&apiKey=k1"), ("apiKey=mine&a=%31+2", "a=%31+2&apiKey=k1"),
        ("apiKey=x&a=1&api%4Bey=y&APIKEY=z&apiKey[]=w&apiKey.x=v", "a=1&apiKey=k1"), ("a=1;apiKey=mine&b=2", "b=2&apiKey=k1"),
        ("a=1&api%254Bey=mine", "a=1&apiKey=k1"), ("user[apiKey]=mine", "user[apiKey]=mine&apiKey=k1"), ("a=%zz", "content_malformed"),
        ("a=%FF", "content_malformed"), ("_charset_=utf-7&a=1", "content_type_not_supported"),
    ])
    func `a parameter of a form is set whatever the client sent`(content: String, result: String) throws {
        #expect(try Self.changed(content, [Self.key], .form) == result)
    }

    @Test func `a value is escaped where it is put`() throws {
        #expect(try Self.changed("{}", [("/k", #"a"b\c&d=e"#)]) == #"{"k":"a\"b\\c&d=e"}"#)
        #expect(try Self.changed("", [("/k", #"a"b&d=e é"#)], .form) == "k=a%22b%26d%3De%20%C3%A9")
        #expect(try Self.changed("", [("/r", "{stored_credential./roles}"), ("/q", "{stored_credential./quota}")], .form) == "q=12345678901234567890")
    }
}
