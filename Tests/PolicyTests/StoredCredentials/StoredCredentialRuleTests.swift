import Core
import Testing

@testable import Policy

struct StoredCredentialRuleTests {
    static func rule(_ change: (inout StoredCredentialConfiguration) -> Void = { _ in }) throws -> StoredCredentialRule {
        var configuration = StoredCredentialConfiguration(
            claim: PolicyFixture.located("/https:~1~1a.b/authData"), position: SourcePosition(line: 1, column: 1))
        change(&configuration)
        return try StoredCredentialRule(name: "app", configuration, refresh: nil)
    }

    static func token(_ claims: String) throws -> VerifiedToken {
        let token = Sample.token(claims)
        switch try Sample.verifier().verify(token.span, now: Sample.now) {
        case .verified(let verified): return verified
        case .refused, .notMine, .unknownKey: throw PolicyFixture.FixtureError()
        }
    }

    static func claims(_ data: String, _ more: String = #","iat":1799999990"#) -> String {
        #"{"iss":"https://issuer.test","aud":"gateway","sub":"u","exp":1800003600\#(more),"https://a.b":{"authData":\#(data)}}"#
    }

    @Test func `a token brings what its claim holds, good from its iat on`() throws {
        let token = try Self.token(Self.claims(#"{"apiKey":"k","refreshToken":"r","expiresIn":100}"#))
        let brought = try #require(try Self.rule().brought(by: token, now: Sample.now))
        #expect(brought.signIn == SignInTime(issuedAt: 1_799_999_990, endsAt: 1_800_003_600))
        #expect(brought.expiresAt == WallTime(seconds: 1_800_000_090))
        #expect(brought.document.isRefreshable)
        #expect(String(decoding: brought.document.bytes, as: UTF8.self) == #"{"apiKey":"k","refreshToken":"r","expiresIn":100}"#)
        #expect(brought.isGood(at: WallTime(seconds: 1_800_000_089)) && !brought.isGood(at: WallTime(seconds: 1_800_000_090)))
    }

    @Test func `a token without the claim brings nothing`() throws {
        let token = try Self.token(#"{"iss":"https://issuer.test","aud":"gateway","sub":"u","exp":1800003600}"#)
        #expect(try Self.rule().brought(by: token, now: Sample.now) == nil)
    }

    @Test func `without iat a key's time begins when its token is seen, and may be a part of a second`() throws {
        let token = try Self.token(Self.claims(#"{"apiKey":"k","expiresIn":0.5}"#, ""))
        let brought = try #require(try Self.rule().brought(by: token, now: Sample.now))
        #expect(brought.signIn == SignInTime(endsAt: 1_800_003_600) && !brought.document.isRefreshable)
        #expect(brought.expiresAt == Sample.now.wall.advanced(by: .milliseconds(500)))
    }

    @Test(arguments: [
        ("[]", CredentialDocumentFault.notAnObject), ("null", .notAnObject), ("{}", .keyInvalid),
        (#"{"apiKey":1}"#, .keyInvalid), (#"{"apiKey":""}"#, .keyInvalid), (#"{"apiKey":"a b"}"#, .keyInvalid),
        (#"{"apiKey":"a\r\nX: y"}"#, .keyInvalid), (#"{"apiKey":"é"}"#, .keyInvalid),
        (#"{"apiKey":null}"#, .keyInvalid), (#"{"apiKey":"k","refreshToken":""}"#, .refreshTokenInvalid),
        (#"{"apiKey":"k","refreshToken":"r r"}"#, .refreshTokenInvalid),
        (#"{"apiKey":"k","expiresIn":"0"}"#, .lifetimeInvalid), (#"{"apiKey":"k","expiresIn":0}"#, .lifetimeInvalid),
        (#"{"apiKey":"k","expiresIn":-5}"#, .lifetimeInvalid), (#"{"apiKey":"k","expiresIn":false}"#, .lifetimeInvalid),
        (#"{"apiKey":"k","expiresIn":"-5"}"#, .lifetimeInvalid), (#"{"apiKey":"k","expiresIn":"1e9"}"#, .lifetimeInvalid),
        (#"{"apiKey":"k","expiresIn":" 20 "}"#, .lifetimeInvalid), (#"{"apiKey":"k","expiresIn":""}"#, .lifetimeInvalid),
        (#"{"apiKey":"k","expiresIn":"NaN"}"#, .lifetimeInvalid), (#"{"apiKey":"k","expiresIn":"inf"}"#, .lifetimeInvalid),
        (#"{"apiKey":"k","expiresIn":"5."}"#, .lifetimeInvalid), (#"{"apiKey":"k","expiresIn":".5"}"#, .lifetimeInvalid),
        (#"{"apiKey":"k","expiresIn":"0x10"}"#, .lifetimeInvalid), (#"{"apiKey":"k","expiresIn":"1.2.3"}"#, .lifetimeInvalid),
        (#"{"apiKey":"k","expiresIn":"٣"}"#, .lifetimeInvalid), (#"{"apiKey":"k","expiresIn":["5"]}"#, .lifetimeInvalid),
    ])
    func `a document of another shape is none`(document: String, fault: CredentialDocumentFault) throws {
        let rule = try Self.rule()
        #expect(throws: fault) { try rule.read(kept: document.utf8.span) }
        let token = try Self.token(Self.claims(document))
        #expect(throws: fault) { try rule.brought(by: token, now: Sample.now) }
    }

    @Test func `null is as if it were left out`() throws {
        let document = try Self.rule().read(kept: #"{"apiKey":"k","refreshToken":null,"expiresIn":null}"#.utf8.span)
        #expect(!document.isRefreshable && document.lifetime == nil)
    }

    @Test(arguments: [("2e9", 2_000_000_000), ("1800000000.75", 1_800_000_000), ("1e18", 1_000_000_000_000_000_000)])
    func `dates with a fraction or an exponent count in whole seconds`(exp: String, seconds: Int64) throws {
        let claims = Self.claims(#"{"apiKey":"k"}"#, "").replacing("1800003600", with: exp)
        let brought = try #require(try Self.rule().brought(by: try Self.token(claims), now: Sample.now))
        #expect(brought.signIn == SignInTime(endsAt: seconds))
    }

    @Test func `a far end is ten years away, and no number traps`() throws {
        let rule = try Self.rule()
        for lifetime in ["1e400", "9223372036854775807", "315360001", "\"" + String(repeating: "9", count: 400) + "\""] {
            let document = try rule.read(kept: #"{"apiKey":"k","expiresIn":\#(lifetime)}"#.utf8.span)
            #expect(document.lifetime == .seconds(315_360_000))
        }
    }

    @Test(arguments: [("\"20000\"", 20_000_000), ("\"3600.5\"", 3_600_500), ("\"007\"", 7_000), ("2.5e1", 25_000)])
    func `a lifetime may be a text of digits, in tokens and in answers alike`(lifetime: String, milliseconds: Int64) throws {
        let document = #"{"apiKey":"k","refreshToken":"r","expiresIn":\#(lifetime)}"#
        let rule = try Self.rule()
        let brought = try #require(try rule.brought(by: Self.token(Self.claims(document)), now: Sample.now))
        #expect(brought.document.lifetime == .milliseconds(milliseconds))
        #expect(try rule.refreshed(document.utf8.span, after: brought.document).lifetime == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        (#"{"apiKey":"n","expiresIn":5}"#, "/refreshToken", #"{"apiKey":"n","expiresIn":5,"refreshToken":"r"}"#),
        (#"{"apiKey":"n","refreshToken":null,"expiresIn":5}"#, "/refreshToken", #"{"apiKey":"n","refreshToken":"r","expiresIn":5}"#),
        (#"{"apiKey":"n","refreshToken":"s","expiresIn":5}"#, "/refreshToken", #"{"apiKey":"n","refreshToken":"s","expiresIn":5}"#),
        (#"{"apiKey":"n","expiresIn":5}"#, "/tokens/next", #"{"apiKey":"n","expiresIn":5,"tokens":{"next":"r"}}"#),
    ])
    func `an answer without a refresh token leaves the one that was shown`(answer: String, pointer: String, kept: String) throws {
        let rule = try Self.rule { $0.refreshToken = pointer }
        let used = try rule.read(kept: #"{"apiKey":"k","refreshToken":"r","tokens":{"next":"r"},"expiresIn":9}"#.utf8.span)
        let document = try rule.refreshed(answer.utf8.span, after: used)
        #expect(String(decoding: document.bytes, as: UTF8.self) == kept)
        #expect(document.isRefreshable && document.lifetime == .seconds(5))
    }

    @Test func `what is kept with the old refresh token can be read again`() throws {
        let rule = try Self.rule()
        let used = try rule.read(kept: #"{"apiKey":"k","refreshToken":"r\#(String(repeating: "r", count: 8000))"}"#.utf8.span)
        let answer = { (bytes: Int) in
            let empty = #"{"apiKey":"k","expiresIn":5,"x":""}"#
            return #"{"apiKey":"k","expiresIn":5,"x":"\#(String(repeating: "x", count: bytes - empty.utf8.count))"}"#
        }
        #expect(throws: CredentialDocumentFault.tooLarge) { try rule.refreshed(answer(60_000).utf8.span, after: used) }
        let document = try rule.refreshed(answer(57_000).utf8.span, after: used)
        #expect(try rule.read(kept: document.bytes.span).isRefreshable)
    }

    @Test(arguments: [
        ("", CredentialDocumentFault.notJSON), ("{", .notJSON), (#"{"apiKey":"k","apiKey":"k"}"#, .notJSON),
        (#"{"apiKey":"k","refreshToken":"","expiresIn":5}"#, .refreshTokenInvalid),
        (#"{"apiKey":"k","refreshToken":"r"}"#, .lifetimeInvalid),
        (#"{"apiKey":"k","refreshToken":7,"expiresIn":5}"#, .refreshTokenInvalid),
        (#"{"apiKey":"k","refreshToken":"r","expiresIn":null}"#, .lifetimeInvalid),
        (#"{"apiKey":"k","refreshToken":"r","expiresIn":5,"x":""# + String(repeating: "x", count: 70_000) + #""}"#, .tooLarge),
    ])
    func `an answer to a refresh has key and lifetime`(answer: String, fault: CredentialDocumentFault) throws {
        let rule = try Self.rule()
        let used = try rule.read(kept: #"{"apiKey":"k","refreshToken":"r"}"#.utf8.span)
        #expect(throws: fault) { try rule.refreshed(answer.utf8.span, after: used) }
        let good = #"{"apiKey":"k","refreshToken":"r","expiresIn":5}"#
        #expect(try rule.refreshed(good.utf8.span, after: used).lifetime == .seconds(5))
    }

    @Test func `key, refresh token and lifetime may have other names`() throws {
        let rule = try Self.rule {
            $0.key = "/access/0"
            $0.refreshToken = "/next~1one"
            $0.lifetime = "/for"
        }
        let used = try rule.read(kept: #"{"access":["k"],"next/one":"r"}"#.utf8.span)
        let document = try rule.refreshed(#"{"access":["k"],"next/one":"r","for":7}"#.utf8.span, after: used)
        #expect(document.isRefreshable && document.lifetime == .seconds(7))
    }
}
