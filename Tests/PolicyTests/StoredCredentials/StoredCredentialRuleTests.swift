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
        (#"{"apiKey":"k","expiresIn":"1"}"#, .lifetimeInvalid), (#"{"apiKey":"k","expiresIn":0}"#, .lifetimeInvalid),
        (#"{"apiKey":"k","expiresIn":-5}"#, .lifetimeInvalid), (#"{"apiKey":"k","expiresIn":false}"#, .lifetimeInvalid),
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
        for lifetime in ["1e400", "9223372036854775807", "315360001"] {
            let document = try rule.read(kept: #"{"apiKey":"k","expiresIn":\#(lifetime)}"#.utf8.span)
            #expect(document.lifetime == .seconds(315_360_000))
        }
    }

    @Test(arguments: [
        ("", CredentialDocumentFault.notJSON), ("{", .notJSON), (#"{"apiKey":"k","apiKey":"k"}"#, .notJSON),
        (#"{"apiKey":"k","expiresIn":5}"#, .refreshTokenInvalid), (#"{"apiKey":"k","refreshToken":"r"}"#, .lifetimeInvalid),
        (#"{"apiKey":"k","refreshToken":null,"expiresIn":5}"#, .refreshTokenInvalid),
        (#"{"apiKey":"k","refreshToken":"r","expiresIn":null}"#, .lifetimeInvalid),
        (#"{"apiKey":"k","refreshToken":"r","expiresIn":5,"x":""# + String(repeating: "x", count: 70_000) + #""}"#, .tooLarge),
    ])
    func `an answer to a refresh has key, refresh token and lifetime`(answer: String, fault: CredentialDocumentFault) throws {
        let rule = try Self.rule()
        #expect(throws: fault) { try rule.refreshed(answer.utf8.span) }
        #expect(try rule.refreshed(#"{"apiKey":"k","refreshToken":"r","expiresIn":5}"#.utf8.span).lifetime == .seconds(5))
    }

    @Test func `key, refresh token and lifetime may have other names`() throws {
        let rule = try Self.rule {
            $0.key = "/access/0"
            $0.refreshToken = "/next~1one"
            $0.lifetime = "/for"
        }
        let document = try rule.refreshed(#"{"access":["k"],"next/one":"r","for":7}"#.utf8.span)
        #expect(document.isRefreshable && document.lifetime == .seconds(7))
    }
}
