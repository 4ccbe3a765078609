import Core
import Crypto
import Policy
import Store
import Testing

@testable import TokenService

/// What refresh tokens bring is what they were begun with, and no more.
struct RefreshDecisionTests {
    private let fixture: ServiceFixture

    init() throws { fixture = try ServiceFixture([.putKey(ServiceFixture.storedKey())]) }

    /// The refresh token that comes with a token of these options.
    private func begin(_ query: String = "") throws -> String {
        let answer = try fixture.answer("mint-refresh", as: try ServiceFixture.identity(), query: query)
        return try #require(answer["refresh_token"]?.text)
    }

    private func content(_ outcome: ActionOutcome) throws -> JSONNode {
        guard case .answer(let answer) = outcome else {
            Issue.record("\(outcome)")
            throw ServiceFixture.Unexpected()
        }
        return try JSONNode.parse(answer.body.span)
    }

    private func reason(_ outcome: ActionOutcome) -> String? {
        if case .refuse(let denial, _, _) = outcome { denial.reason } else { nil }
    }

    @Test func `a token bound to addresses stays bound to them when it is refreshed`() throws {
        var token = try begin("ips=203.0.113.9,10.0.0.0/24")
        for _ in 0..<3 {
            let answer = try content(try fixture.refresh(token))
            #expect(answer["payload"]?["ips"]?.texts == ["203.0.113.9", "10.0.0.0/24"])
            token = try #require(answer["refresh_token"]?.text)
        }
    }

    @Test(arguments: [("ips=203.0.113.9", "token_option_not_allowed"), ("scope=read", "token_option_not_allowed"), ("", nil)])
    func `what was asked for needs a claim where tokens are refreshed`(query: String, refusal: String?) throws {
        let token = try begin(query)
        #expect(reason(try fixture.refresh(token, at: "refresh-bare")) == refusal)
        // What was refused has not used it up.
        if refusal != nil { #expect(reason(try fixture.refresh(token)) == nil) }
    }

    @Test(arguments: [("expires_in=5", 5), ("expires_in=100000", 3600), ("", 3600)])
    func `the lifetime that was asked for bounds what is refreshed`(query: String, lifetime: Int64) throws {
        var token = try begin(query)
        for _ in 0..<2 {
            let answer = try content(try fixture.refresh(token))
            #expect(answer["payload"]?["expt"]?.integer == lifetime)
            token = try #require(answer["refresh_token"]?.text)
        }
    }

    @Test func `scopes that were asked for stay when the key gets others`() throws {
        let token = try begin("scope=read")
        put(ServiceFixture.storedKey(scopes: ["read", "write", "admin"]))
        #expect(try content(try fixture.refresh(token))["payload"]?["scope"]?.text == "read")
    }

    @Test func `a refresh token ends with the secret it was begun with`() throws {
        let now = fixture.clock.now.wall
        var rotated = ServiceFixture.storedKey()
        rotated.secrets[0].expiresAt = now.advanced(by: .seconds(10))
        rotated.secrets.append(
            .init(digest: OpenSSLCryptography().sha256("another".utf8.span), createdAt: now.advanced(by: .seconds(-5))))
        put(rotated)
        let token = try begin()
        let answer = try content(try fixture.refresh(token))
        #expect(answer["payload"]?["id"]?.text == KeyFamily(ServiceFixture.digest).text)
        let next = try #require(answer["refresh_token"]?.text)
        fixture.clock.advance(11)
        #expect(reason(try fixture.refresh(next)) == "refresh_token_invalid")
        #expect(try fixture.store.contents().tokenFamilies.isEmpty)
    }

    @Test func `no refresh token and nothing that it brings lives longer than the secret`() throws {
        let end = fixture.clock.now.wall.advanced(by: .seconds(100))
        var token = try begin()
        put(ServiceFixture.storedKey(confined: .init(end: end)))
        for rest in [60, 20, 1] as [Int64] {
            fixture.clock.advance(end.seconds - rest - fixture.clock.now.wall.seconds)
            let answer = try content(try fixture.refresh(token))
            #expect(answer["payload"]?["exp"]?.integer == end.seconds)
            #expect(answer["expires_in"]?.integer == rest)
            #expect(answer["refresh_expires_in"]?.integer == rest)
            token = try #require(answer["refresh_token"]?.text)
        }
        fixture.clock.advance(1)
        #expect(reason(try fixture.refresh(token)) == "refresh_token_invalid")
    }

    @Test func `a secret that ends within a second has ended`() throws {
        let token = try begin()
        put(ServiceFixture.storedKey(confined: .init(end: fixture.clock.now.wall.advanced(by: .milliseconds(500)))))
        #expect(reason(try fixture.refresh(token)) == "refresh_token_invalid")
    }

    @Test func `addresses that the key was confined to since confine what is refreshed`() throws {
        let bound = try begin("ips=192.0.2.0/24,203.0.113.9")
        let free = try begin()
        let elsewhere = try begin("ips=203.0.113.9")
        put(ServiceFixture.storedKey(confined: .init(addresses: ["192.0.2.0/28", "10.0.0.0/8"])))
        #expect(try content(try fixture.refresh(bound))["payload"]?["ips"]?.texts == ["192.0.2.0/28"])
        #expect(try content(try fixture.refresh(free))["payload"]?["ips"]?.texts == ["10.0.0.0/8", "192.0.2.0/28"])
        #expect(reason(try fixture.refresh(elsewhere)) == "token_option_not_allowed")
    }

    private func put(_ key: StoredKey) {
        _ = fixture.service.registry?.change { _ throws(ActionRefusal) in ([.putKey(key)], ()) }
    }
}
