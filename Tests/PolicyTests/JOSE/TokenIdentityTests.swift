import Core
import Testing

@testable import Policy

struct TokenIdentityTests {
    private func identity(
        _ claims: String, _ change: (inout JWTAuthenticatorConfiguration) -> Void = { _ in }
    ) throws -> TokenIdentity {
        let node = try JSONNode.parse(claims.utf8.span)
        return try TokenIdentity(node, pointers: ClaimPointers(Sample.configuration(change)))
    }

    @Test(
        arguments: ["iss", "sub", "jti"],
        [#"a\r\nX-Admin: 1"#, #"a\u0000"#, #"\t"#, #"\u007f"#, #"\u0085"#, #"\u001b[31m"#])
    func `a control character makes the token malformed`(name: String, value: String) {
        #expect(throws: TokenFault.malformed) { try identity("{\"\(name)\":\"\(value)\"}") }
    }

    @Test(arguments: ["iss", "sub", "jti"], ["1", "null", "true", "[]", "{}", "[\"a\"]"])
    func `a registered claim that is no string makes the token malformed`(name: String, value: String) {
        #expect(throws: TokenFault.malformed) { try identity("{\"\(name)\":\(value)}") }
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
        #"{"scope":1}"#, #"{"scope":null}"#, #"{"scope":{}}"#, #"{"scope":["a",1]}"#, #"{"scope":"a\tb"}"#,
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
        #expect(try identity(claims).addresses?.contains(IPAddress(v4: 0x0A00_0001)) == isAllowed)
    }

    @Test func `without the claim every address is allowed`() throws {
        #expect(try identity("{}").addresses == nil)
    }

    @Test(arguments: [
        #"null"#, #"1"#, #"{}"#, #""""#, #"["10.0.0.1",1]"#, #""10.0.0.1/08""#, #""::ffff:10.0.0.1/104""#,
        #""10.0.0.1/33""#, #""010.0.0.1""#,
        #"" 10.0.0.1""#,
        #""10.0.0.1, 10.0.0.2""#, #"["*"]"#, #""localhost""#,
    ])
    func `addresses in no known form make the token malformed`(value: String) {
        #expect(throws: TokenFault.malformed) { try identity("{\"ips\":\(value)}") }
    }

    @Test func `sixty-four addresses are taken and one more is not`() throws {
        let list = Array(repeating: "\"10.0.0.1\"", count: 65)
        #expect(try identity("{\"ips\":[\(list.dropLast().joined(separator: ","))]}").addresses != nil)
        #expect(throws: TokenFault.malformed) { try identity("{\"ips\":[\(list.joined(separator: ","))]}") }
    }
}
