import Core
import Policy
import Store
import Testing

@testable import TokenService

/// Locks of realms hold for all that is made with what is locked.
struct TokenRealmTests {
    /// A service with the key "key", locked to this realm, and a signing key of a realm that is newer than all others.
    private static func fixture(lock: String?) throws -> ServiceFixture {
        let fixture = try ServiceFixture([.putKey(ServiceFixture.storedKey(realm: lock))])
        _ = try fixture.answer("mint", as: try ServiceFixture.identity(), realm: "rl_NEW")
        return fixture
    }

    private static func refreshToken(_ answer: JSONNode) throws -> String { try #require(answer["refresh_token"]?.text) }

    private static func realm(_ outcome: ActionOutcome, _ fixture: ServiceFixture) throws -> String? {
        guard case .answer(let answer) = outcome else {
            Issue.record("\(outcome)")
            return nil
        }
        return try fixture.token(in: try JSONNode.parse(answer.body.span)).realm
    }

    private static func reason(_ outcome: ActionOutcome) -> String? {
        if case .refuse(let denial, _, _) = outcome { denial.reason } else { nil }
    }

    @Test func `a locked key's token is signed by a key of its realm where the route knows none`() throws {
        let fixture = try Self.fixture(lock: "rl_A")
        let identity = try ServiceFixture.identity(realm: "rl_A")
        let token = try fixture.token(in: try fixture.answer("mint", as: identity, query: "no_ip_protection=true&renewable=true"))
        #expect(token.realm == "rl_A")
        #expect(Identity.token(token).lockedRealm == "rl_A")
        #expect(try fixture.token(in: try fixture.answer("mint", as: .token(token))).realm == "rl_A")
        #expect(try fixture.refusal("mint", as: identity, realm: "rl_B") == "realm_not_allowed")
        #expect(try fixture.refusal("mint", as: .token(token), realm: "rl_B") == "realm_not_allowed")
    }

    @Test func `a free key's token is signed by a key of no realm`() throws {
        let fixture = try Self.fixture(lock: nil)
        #expect(try fixture.token(in: try fixture.answer("mint", as: try ServiceFixture.identity())).realm == nil)
        let realms = try fixture.store.contents().signingKeys.map(\.realm)
        #expect(realms.count == 2 && realms.contains("rl_NEW") && realms.contains(nil))
    }

    @Test func `a token of one realm and a key locked to another go together nowhere`() throws {
        let fixture = try Self.fixture(lock: nil)
        let answer = try fixture.answer("mint", as: try ServiceFixture.identity(), realm: "rl_B")
        let text = try #require(answer["token"]?.text)
        for (lock, realm) in [(nil, "rl_B"), ("rl_B", "rl_B"), ("rl_A", nil)] {
            let parent = try ServiceFixture.authenticator(scopes: ["read", "write"], realm: lock)
            #expect(try fixture.verified(text, parent: parent).flatMap { Identity.token($0).lockedRealm } == realm)
            #expect(try (fixture.verified(text, parent: parent) == nil) == (realm == nil))
        }
    }

    @Test func `a refreshed token stays in the realm of the first one`() throws {
        let fixture = try Self.fixture(lock: nil)
        let first = try fixture.answer("mint-refresh", as: try ServiceFixture.identity(), realm: "rl_A")
        let token = try Self.refreshToken(first)
        #expect(Self.reason(try fixture.refresh(token, realm: "rl_B")) == "realm_not_allowed")
        // What was refused has not used it up.
        #expect(try Self.realm(try fixture.refresh(token), fixture) == "rl_A")
    }

    @Test(arguments: [nil, "rl_A"])
    func `a locked key's refresh token is good in its realm alone`(named: String?) throws {
        let fixture = try Self.fixture(lock: "rl_A")
        let first = try fixture.answer("mint-refresh", as: try ServiceFixture.identity(realm: "rl_A"))
        let token = try Self.refreshToken(first)
        #expect(Self.reason(try fixture.refresh(token, realm: "rl_B")) == "realm_not_allowed")
        #expect(try Self.realm(try fixture.refresh(token, realm: named), fixture) == "rl_A")
    }

    @Test func `a refresh token of a key that was locked since is locked too`() throws {
        let fixture = try Self.fixture(lock: nil)
        let free = try Self.refreshToken(try fixture.answer("mint-refresh", as: try ServiceFixture.identity()))
        let bound = try Self.refreshToken(
            try fixture.answer("mint-refresh", as: try ServiceFixture.identity(), realm: "rl_B"))
        _ = fixture.service.registry?.change { _ throws(ActionRefusal) in
            ([.putKey(ServiceFixture.storedKey(realm: "rl_A"))], ())
        }
        #expect(Self.reason(try fixture.refresh(free, realm: "rl_B")) == "realm_not_allowed")
        #expect(try Self.realm(try fixture.refresh(free), fixture) == "rl_A")
        #expect(Self.reason(try fixture.refresh(bound)) == "refresh_token_invalid")
    }
}
