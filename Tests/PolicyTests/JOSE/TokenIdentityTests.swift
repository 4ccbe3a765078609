import Core
import Testing

@testable import Policy

struct TokenIdentityTests {
    private func identity(
        _ claims: String, _ change: (inout JWTAuthenticatorConfiguration) -> Void = { _ in }
    ) throws -> TokenIdentity {
        let node = try JSONNode.parse(claims.utf8.span, dialect: .foreign)
        return try TokenIdentity(node, pointers: ClaimPointers(Sample.configuration(change)))
    }

    @Test(
        arguments: ["iss", "sub", "jti"],
        [#"a\r\nX-Admin: 1"#, #"a\u0000"#, #"\t"#, #"\u007f"#, #"\u0085"#, #"\u001b[31m"#])
    func `a control character makes the token malformed`(name: String, value: String) {
        #expect(throws: TokenFault.malformed) { try identity("{\"\(name)\":\"\(value)\"}") }
    }

    private func member(_ claims: String, _ change: (inout JWTAuthenticatorConfiguration) -> Void = { _ in }) throws -> String? {
        do {
            _ = try identity(claims, change)
            return nil
        } catch { return (error as? TokenFault)?.member }
    }

    @Test(arguments: ["iss", "sub", "jti"], ["1.5", "1e30", "true", "[]", "{}", "[\"a\"]", #""a\ud83d""#, #""\ufffd""#])
    func `a claim that is used and names nothing makes the token malformed, and is named`(name: String, value: String) throws {
        #expect(throws: TokenFault.malformed) { try identity("{\"\(name)\":\(value)}") }
        #expect(try member("{\"\(name)\":\(value)}") == name)
    }

    @Test(arguments: [
        ("7", "7"), ("-7", "-7"), ("0", "0"), ("-0", "0"), ("7.0", "7"), ("7e2", "700"), ("9223372036854775807", "9223372036854775807"),
        ("18446744073709551615", "18446744073709551615"), ("340282366920938463463374607431768211456", "340282366920938463463374607431768211456"),
    ])
    func `an integer names a subject and a token`(value: String, name: String) throws {
        let found = try identity("{\"sub\":\(value),\"jti\":\(value)}")
        #expect(found.subject == name && found.id == name)
    }

    @Test func `null is absent`() throws {
        let found = try identity(#"{"iss":null,"sub":null,"jti":null,"scope":null,"ips":null}"#) { $0.addressesClaim = "/ips" }
        #expect(found.issuer == nil && found.subject == nil && found.id == nil && found.scopes == nil && found.addresses == nil)
        #expect(try identity(#"{"scope":null,"scp":"a"}"#).scopes == ["a"])
    }

    @Test func `claims that are not used refuse nothing`() throws {
        let claims = #"{"sub":[1],"uid":"u","scp":7,"scope":"a","ips":"n/a","aud":{},"name":"\ud83d","big":18446744073709551615}"#
        #expect(try identity(claims) { $0.subjectClaim = "/uid" }.subject == "u")
    }

    @Test func `a fault names a claim by its name on top, else by its pointer`() throws {
        #expect(try member(#"{"user":{"id":[]}}"#) { $0.subjectClaim = "/user/id" } == "/user/id")
        #expect(try member(#"{"https://ns/roles":1}"#) { $0.scopesClaim = "/https:~1~1ns~1roles" } == "https://ns/roles")
        #expect(try member(#"{"scp":1}"#) == "scp")
        #expect(try member(#"{"scope":"a\ud800"}"#) == "scope")
        #expect(try member(#"{"ips":1}"#) { $0.addressesClaim = "/ips" } == "ips")
    }

    @Test func `addresses are looked for only where the policy names their claim or the token is derived`() throws {
        #expect(try identity(#"{"ips":"10.0.0.1"}"#).addresses == nil)
        let derived = try identity(#"{"ips":"10.0.0.1"}"#) { configuration in
            let claim = Located("/uid", at: SourcePosition(line: 1, column: 1), path: "")
            configuration.derivedFrom = TokenDerivationConfiguration(source: .users, claim: claim)
        }
        #expect(derived.addresses != nil)
    }

    @Test(arguments: [#""#, " ", "  ", #"   "#, #"\u00a0"#, #"\u200b \u3000"#])
    func `a blank subject, id or issuer names nothing`(value: String) throws {
        let found = try identity(#"{"sub":"\#(value)","jti":"\#(value)","iss":"\#(value)"}"#)
        #expect(found.subject == nil && found.id == nil && found.issuer == nil)
        #expect(try identity(#"{"sub":" a "}"#).subject == " a ")
    }

    @Test func `letters of every script are no controls`() throws {
        #expect(try identity(#"{"sub":"Zoë \u00a0 李"}"#).subject == "Zoë \u{A0} 李")
    }

    @Test(arguments: [
        (#"{}"#, nil), (#"{"scope":""}"#, []), (#"{"scope":"  a   b "}"#, ["a", "b"]),
        (#"{"scope":["a","b"]}"#, ["a", "b"]),
        (#"{"scp":"a b"}"#, ["a", "b"]), (#"{"scp":["a"]}"#, ["a"]), (#"{"scope":"a","scp":"b"}"#, ["a"]),
        (#"{"scope":["a b","","c"]}"#, ["c"]), (#"{"roles":["x"]}"#, nil),
    ] as [(String, [String]?)])
    func `scopes`(claims: String, scopes: [String]?) throws {
        #expect(try identity(claims).scopes == scopes)
    }

    @Test(arguments: [
        #"{"scope":1}"#, #"{"scope":{}}"#, #"{"scope":["a",1]}"#, #"{"scope":"a\tb"}"#,
        #"{"scope":"a\r\n"}"#,
        #"{"scope":["a\n"]}"#,
    ])
    func `scopes in no known form make the token malformed`(claims: String) {
        #expect(throws: TokenFault.malformed) { try identity(claims) }
    }

    @Test func `subject and scopes come from the claims that the authenticator names`() throws {
        let claims = #"{"sub":"s","scope":"no","https://ns/roles":["admin"],"user":{"id":42}}"#
        let found = try identity(claims) { configuration in
            configuration.subjectClaim = "/user/id"
            configuration.scopesClaim = "/https:~1~1ns~1roles"
        }
        #expect(found.subject == "42")
        #expect(found.scopes == ["admin"])
        #expect(try identity(#"{"sub":"s"}"#) { $0.subjectClaim = "/user/id" }.subject == nil)
        #expect(throws: TokenFault.malformed) { try identity(#"{"user":1.5}"#) { $0.subjectClaim = "/user" } }
    }

    @Test(arguments: [
        (#"{"ips":"10.0.0.1"}"#, true), (#"{"ips":["192.0.2.0/24","10.0.0.0/8"]}"#, true),
        (#"{"ips":"::ffff:10.0.0.1"}"#, true), (#"{"ips":["10.0.0.9/8"]}"#, true), (#"{"ips":"10.0.0.9/30"}"#, false),
        (#"{"ips":"10.0.0.2"}"#, false), (#"{"ips":[]}"#, false),
        (#"{"ips":"::/0"}"#, false),
    ])
    func `addresses`(claims: String, isAllowed: Bool) throws {
        #expect(try identity(claims) { $0.addressesClaim = "/ips" }.addresses?.contains(IPAddress(v4: 0x0A00_0001)) == isAllowed)
    }

    @Test func `without the claim every address is allowed`() throws {
        #expect(try identity("{}").addresses == nil)
    }

    @Test(arguments: [
        #"1"#, #"{}"#, #""""#, #"["10.0.0.1",1]"#, #""10.0.0.1/08""#, #""::ffff:10.0.0.1/104""#,
        #""10.0.0.1/33""#, #""010.0.0.1""#,
        #"" 10.0.0.1""#,
        #""10.0.0.1, 10.0.0.2""#, #"["*"]"#, #""localhost""#,
    ])
    func `addresses in no known form make the token malformed`(value: String) {
        #expect(throws: TokenFault.malformed) { try identity("{\"ips\":\(value)}") { $0.addressesClaim = "/ips" } }
    }

    @Test func `sixty-four addresses are taken and one more is not`() throws {
        let list = Array(repeating: "\"10.0.0.1\"", count: 65)
        #expect(try identity("{\"ips\":[\(list.dropLast().joined(separator: ","))]}") { $0.addressesClaim = "/ips" }.addresses != nil)
        #expect(throws: TokenFault.malformed) { try identity("{\"ips\":[\(list.joined(separator: ","))]}") { $0.addressesClaim = "/ips" } }
    }
}
