import Core
import Crypto
import Dispatch
import Foundation
import Policy
import Store
import Synchronization
import Testing

@testable import TokenService

struct LoginActionTests {
    private static let good = #"{"email":"Ada@Example.org","password":"correct horse"}"#

    private static func user(_ change: (inout StoredUser) -> Void = { _ in }) throws -> StoredUser {
        let cost = try #require(ServiceFixture.cost)
        var user = StoredUser(
            id: "usr_1", email: "ada@example.org", name: "Ada",
            passwordHash: try #require(PasswordHash(of: Array("correct horse".utf8), cost: cost)).encoded,
            scopes: ["read"], createdAt: WallTime(seconds: 1_700_000_000), tokensValidFrom: WallTime(seconds: 1_700_000_000))
        change(&user)
        return user
    }

    private static func fixture(_ change: (inout StoredUser) -> Void = { _ in }) throws -> ServiceFixture {
        try ServiceFixture([.putUser(try user(change))])
    }

    @Test func `an address in any case and the password bring a token`() throws {
        let answer = try Self.fixture().answer("login", content: Self.good, type: "application/json")
        #expect(answer["payload"]?["sub"]?.text == "usr_1")
        #expect(answer["payload"]?["scope"]?.text == "read")
        #expect(answer["expires_in"]?.integer == 3600)
        #expect(answer["refresh_token"]?.text?.utf8.count == 64)
    }

    @Test(arguments: ["a\tb c d", "line\nline", " spaces ", "\u{7F}\u{85}\u{A0}", "pässwörd", String(repeating: "p", count: 255)])
    func `every password that can be set signs in`(password: String) throws {
        let cost = try #require(ServiceFixture.cost)
        let hash = try #require(PasswordHash(of: Array(password.utf8), cost: cost)).encoded
        let fixture = try Self.fixture { $0.passwordHash = hash }
        let content = try String(decoding: JSONEncoder().encode(["email": "ada@example.org", "password": password]), as: UTF8.self)
        #expect(try fixture.answer("login", content: content, type: "application/json")["payload"]?["sub"]?.text == "usr_1")
    }

    @Test(arguments: [
        #"{"email":"ada@example.org","password":"wrong"}"#, #"{"email":"nobody@example.org","password":"correct horse"}"#,
        #"{"email":"ada@example.org\u0020","password":"correct horse"}"#,
        #"{"email":"ada@example.org","password":"correct horse "}"#,
    ])
    func `whatever is wrong, the answer is the same`(content: String) throws {
        #expect(try Self.fixture().refusal("login", content: content, type: "application/json") == "login_failed")
    }

    private enum SignIn: CaseIterable {
        case unknown, wrongPassword, disabled, withoutPassword, brokenHash, otherSpelling, endlessPassword, zeroByte, right
    }

    @Test(arguments: SignIn.allCases)
    private func `every sign-in computes one hash of one cost, so that time tells nothing`(kind: SignIn) throws {
        let hash = "$scrypt$ln=15,r=8,p=1$\(String(repeating: "A", count: 22))$\(String(repeating: "A", count: 43))"
        var user = try Self.user { $0.passwordHash = hash }
        var email = "ada@example.org"
        var password = "wrong"
        switch kind {
        case .unknown: email = "nobody@example.org"
        case .wrongPassword: break
        case .disabled: user.isEnabled = false
        case .withoutPassword: user.passwordHash = nil
        case .brokenHash: user.passwordHash = "$scrypt$ln=15"
        case .otherSpelling: email = "ada@example.org."
        case .endlessPassword: password = String(repeating: "p", count: 255)
        case .zeroByte: password = #"right\u0000"#
        case .right: password = "right"
        }
        let costs = Mutex<[Scrypt.Cost]>([])
        // The hash above is that of "right" and of nothing else.
        let fixture = try ServiceFixture([.putUser(user)]) { password, _, cost, count in
            costs.withLock { $0.append(cost) }
            return [UInt8](repeating: password == Array("right".utf8) ? 0 : 1, count: count)
        }
        let content = #"{"email":"\#(email)","password":"\#(password)"}"#
        let refusal = try fixture.refusal("login", content: content, type: "application/json")
        #expect(refusal == (kind == .right ? nil : "login_failed"))
        #expect(costs.withLock { $0 } == [.standard])
    }

    @Test func `no password is looked at for a client that has left`() throws {
        let outcome = try Self.fixture().perform("login", content: Self.good, type: "application/json", hasLeft: true)
        guard case .refuse(.overloaded, _, _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func `disabled users and users without a password do not sign in`() throws {
        let disabled = try Self.fixture { $0.isEnabled = false }
        #expect(try disabled.refusal("login", content: Self.good, type: "application/json") == "login_failed")
        let without = try Self.fixture { $0.passwordHash = nil }
        #expect(try without.refusal("login", content: Self.good, type: "application/json") == "login_failed")
    }

    @Test(arguments: [
        ("", nil, "content_type_not_supported"), ("x", "text/plain", "content_type_not_supported"),
        ("{}", "application/json", "parameters_invalid"), ("[1]", "application/json", "content_malformed"),
        (#"{"email":"a@b.c","password":7}"#, "application/json", "parameters_invalid"),
        (#"{"email":"a@b.c","password":"x","more":1}"#, "application/json", "parameters_invalid"),
        (#"{"email":"a@b.c","password":"x","password":"y"}"#, "application/json", "content_malformed"),
        (#"{"email":["a@b.c"],"password":"x"}"#, "application/json", "parameters_invalid"),
    ])
    func `content that is refused`(content: String, type: String?, reason: String) throws {
        #expect(try Self.fixture().refusal("login", content: content, type: type) == reason)
    }

    @Test func `a password in the query is refused`() throws {
        let refusal = try Self.fixture().refusal(
            "login", query: "email=ada@example.org&password=correct+horse", content: Self.good, type: "application/json")
        #expect(refusal == "parameters_invalid")
    }

    @Test(arguments: ["ada@example.org", "nobody@example.org"])
    func `attempts at one account are counted, whether it is there or not`(email: String) throws {
        let fixture = try Self.fixture()
        let wrong = #"{"email":"\#(email)","password":"wrong"}"#
        for _ in 0..<3 {
            #expect(try fixture.refusal("login", content: wrong, type: "application/json") == "login_failed")
        }
        #expect(try fixture.refusal("login", content: wrong, type: "application/json") == "too_many_attempts")
        // Another account is none of its business, and time heals.
        let other = #"{"email":"other@example.org","password":"wrong"}"#
        #expect(try fixture.refusal("login", content: other, type: "application/json") == "login_failed")
        fixture.clock.advance(61)
        #expect(try fixture.refusal("login", content: wrong, type: "application/json") == "login_failed")
    }

    @Test func `what Unicode takes for the same address is another account`() throws {
        let fixture = try Self.fixture { $0.email = "a`b@example.org" }
        let content = { (mark: String) in #"{"email":"a\#(mark)b@example.org","password":"correct horse"}"# }
        // U+1FEF is a backtick to Unicode: were it one to the look-up, one account had two budgets.
        #expect("a\u{1FEF}b" == "a`b")
        #expect(try fixture.refusal("login", content: content("\u{1FEF}"), type: "application/json") == "login_failed")
        #expect(try fixture.refusal("login", content: content("`"), type: "application/json") == nil)
    }

    // MARK: Refresh tokens

    private static func refresh(_ token: String) -> String { #"{"refresh_token":"\#(token)"}"# }

    private static func signIn(_ fixture: ServiceFixture) throws -> String {
        try #require(try fixture.answer("login", content: good, type: "application/json")["refresh_token"]?.text)
    }

    @Test func `a refresh token brings the next one, once`() throws {
        let fixture = try Self.fixture()
        let first = try Self.signIn(fixture)
        let answer = try fixture.answer("refresh", content: Self.refresh(first), type: "application/json")
        let second = try #require(answer["refresh_token"]?.text)
        #expect(second != first)
        #expect(answer["payload"]?["sub"]?.text == "usr_1")
        // Used again: the family ends, the token that is good now with it.
        let refused = "refresh_token_invalid"
        #expect(try fixture.refusal("refresh", content: Self.refresh(first), type: "application/json") == refused)
        #expect(try fixture.refusal("refresh", content: Self.refresh(second), type: "application/json") == refused)
        #expect(try fixture.store.contents().tokenFamilies.isEmpty)
    }

    @Test func `a key says who may ask, and only a refresh token is exchanged`() throws {
        let fixture = try Self.fixture()
        let caller = try ServiceFixture.identity()
        let shown = Self.refresh(try Self.signIn(fixture))
        #expect(try fixture.refusal("refresh", as: caller) == "parameters_invalid")
        #expect(try fixture.refusal("refresh", as: caller, content: "{}", type: "application/json") == "parameters_invalid")
        let answer = try fixture.answer("refresh", as: caller, content: shown, type: "application/json")
        // The token is of who signed in, not of who calls.
        #expect(answer["payload"]?["sub"]?.text == "usr_1")
    }

    @Test func `of many who use one refresh token at one time, one gets an answer`() throws {
        let fixture = try Self.fixture()
        let token = try Self.signIn(fixture)
        let answers = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 16) { _ in
            let content = Self.refresh(token)
            if let outcome = try? fixture.perform("refresh", content: content, type: "application/json"), case .answer = outcome {
                answers.withLock { $0 += 1 }
            }
        }
        #expect(answers.withLock { $0 } == 1)
        #expect(try fixture.store.contents().tokenFamilies.isEmpty)
    }

    @Test func `families end with their time, their user and their user's password`() throws {
        let fixture = try Self.fixture()
        let token = try Self.signIn(fixture)
        fixture.clock.advance(3600)
        #expect(
            try fixture.refusal("refresh", content: Self.refresh(token), type: "application/json") == "refresh_token_invalid")

        for change in [
            { (user: inout StoredUser) in user.isEnabled = false },
            { (user: inout StoredUser) in user.tokensValidFrom = WallTime(seconds: 1_800_000_001) },
        ] {
            let fixture = try Self.fixture()
            let token = try Self.signIn(fixture)
            let changed = try Self.user(change)
            let done = fixture.service.registry?.change { _ throws(ActionRefusal) in ([.putUser(changed)], ()) }
            guard case .success = done else {
                Issue.record("the change was refused")
                return
            }
            let refusal = try fixture.refusal("refresh", content: Self.refresh(token), type: "application/json")
            #expect(refusal == "refresh_token_invalid")
        }
    }

    @Test func `a sign-in lasts no longer than its family may`() throws {
        let fixture = try Self.fixture()
        var token = try Self.signIn(fixture)
        for _ in 0..<4 {
            fixture.clock.advance(2500)
            let answer = try fixture.answer("refresh", content: Self.refresh(token), type: "application/json")
            token = try #require(answer["refresh_token"]?.text)
        }
        // 10,000 of 10,800 seconds have gone; the last one ends with the family.
        fixture.clock.advance(801)
        #expect(
            try fixture.refusal("refresh", content: Self.refresh(token), type: "application/json") == "refresh_token_invalid")
    }

    @Test(arguments: ["", "x", String(repeating: "A", count: 64), String(repeating: "=", count: 64)])
    func `texts that are no refresh token of ours`(token: String) throws {
        let refusal = try Self.fixture().refusal("refresh", content: Self.refresh(token), type: "application/json")
        #expect(refusal == (token.isEmpty ? "parameters_invalid" : "refresh_token_invalid"))
    }

    @Test func `the refresh tokens of a key end with its secret`() throws {
        let key = StoredKey(
            id: "key_1", authenticator: "keys", name: "ci", subject: "somebody", scopes: ["read"],
            createdAt: WallTime(seconds: 1_700_000_000),
            secrets: [.init(digest: ServiceFixture.digest, createdAt: WallTime(seconds: 1_700_000_000))])
        let fixture = try ServiceFixture([.putKey(key)])
        let identity = try ServiceFixture.identity(scopes: ["read"], id: "key_1")
        let first = try fixture.answer("mint-refresh", as: identity)
        let token = try #require(first["refresh_token"]?.text)
        let answer = try fixture.answer("refresh", content: Self.refresh(token), type: "application/json")
        #expect(answer["payload"]?["id"]?.text == KeyFamily(ServiceFixture.digest).text)
        let next = try #require(answer["refresh_token"]?.text)

        var rotated = key
        let other = OpenSSLCryptography().sha256("another".utf8.span)
        rotated.secrets = [.init(digest: other, createdAt: fixture.clock.now.wall.advanced(by: .seconds(1)))]
        let changed = rotated
        _ = fixture.service.registry?.change { _ throws(ActionRefusal) in ([.putKey(changed)], ()) }
        #expect(
            try fixture.refusal("refresh", content: Self.refresh(next), type: "application/json") == "refresh_token_invalid")
    }

    @Test func `a token that was shown brings one of the same life`() throws {
        let fixture = try Self.fixture()
        let answer = try fixture.answer("login", content: Self.good, type: "application/json")
        #expect(answer["payload"]?["rn"]?.bool == false)
        let token = try fixture.token(in: answer)
        // Its claims say that it may not be renewed, and so it is not.
        #expect(try fixture.refusal("renew", as: .token(token)) == "token_not_renewable")
    }
}
