import Core
import Policy
import Store
import Testing

@testable import TokenService

struct UserResourceTests {
    private var fixture = ManagementFixture(.users)

    private mutating func make(_ members: String = #""email":"User@Example.com","password":"correct horse""#) -> ManagementFixture.Answer {
        fixture.call(.post, json: #"{"user":{\#(members)}}"#)
    }

    @Test mutating func `a user has an address in small letters, and no answer shows the password`() {
        let answer = make()
        #expect(answer.status == 201 && answer["email"] == "user@example.com" && answer.isTrue("has_password") == true)
        let id = answer["id"] ?? ""
        #expect(fixture.index.users[id]?.passwordHash?.hasPrefix("$scrypt$") == true)
        let body = String(decoding: answer.decision?.body ?? [], as: UTF8.self)
        #expect(!body.contains("scrypt") && !body.contains("horse"))
        #expect(!fixture.events.contains { String(decoding: $0.json, as: UTF8.self).contains("horse") })
        #expect(make(#""email":"USER@example.com""#).messages == ["Email has already been taken"])
    }

    @Test(arguments: [
        #""email":"nobody""#, #""email":"a@b@c""#, #""email":"@b""#, #""email":"a b@c""#, #""name":"x""#,
        #""email":"a@b","password":"short""#, #""email":"a@b","password":12345678"#, #""email":"a@b","tokens_valid_from":0"#,
        #""email":"a@b","password_hash":"$scrypt$""#,
    ])
    mutating func `what is no user is not made`(members: String) {
        #expect(make(members).status == 422)
        #expect(fixture.index.users.isEmpty)
    }

    @Test mutating func `a new password ends the tokens that were issued before`() {
        let id = make()["id"] ?? ""
        let before = fixture.index.users[id]
        fixture.now = fixture.now.advanced(by: .seconds(60))
        #expect(fixture.call(.patch, id, json: #"{"user":{"password":"another horse"}}"#).status == 200)
        #expect(fixture.index.users[id]?.passwordHash != before?.passwordHash)
        #expect(fixture.index.users[id]?.tokensValidFrom == WallTime(seconds: fixture.now.seconds + 1))
        #expect(fixture.events.map(\.name) == ["user.created", "user.password_changed"])
        #expect(fixture.call(.patch, id, json: #"{"user":{"password":null}}"#).isTrue("has_password") == false)
    }

    @Test mutating func `signing out ends tokens and refresh tokens, and keeps the password`() {
        let id = make()["id"] ?? ""
        var undo: [StoreChange] = []
        let family = TokenFamily(
            id: "f", issuer: "login", subject: id, key: nil, scopes: [], current: Digest256(1, 2, 3, 4), createdAt: fixture.now,
            expiresAt: .distantFuture)
        fixture.index.apply(.putTokenFamily(family), undo: &undo)
        let hash = fixture.index.users[id]?.passwordHash
        #expect(fixture.call(.post, id, operation: "sign_out").status == 200)
        #expect(fixture.index.tokenFamilies.isEmpty && fixture.index.users[id]?.passwordHash == hash)
        #expect(fixture.index.users[id]?.tokensValidFrom == WallTime(seconds: fixture.now.seconds + 1))
    }

    // MARK: Nobody makes himself more than he is

    @Test mutating func `nobody gives scopes that he lacks, or takes over an account that has them`() {
        #expect(make(#""email":"a@b","scopes":["root"]"#).status == 403)
        let id = fixture.addUser("root@example.com", scopes: ["root"])
        for change in [#""password":"taken over""#, #""email":"mine@example.com""#, #""scopes":[]"#, #""enabled":false,"name":"x""#] {
            #expect(fixture.call(.patch, id, json: "{\"user\":{\(change)}}").status == 403, "\(change)")
        }
        #expect(fixture.call(.patch, id, json: #"{"user":{"enabled":false}}"#).status == 200)
        #expect(fixture.call(.patch, id, json: #"{"user":{"enabled":true}}"#).status == 403)
    }

    @Test mutating func `nobody takes over an account with memberships that he lacks`() {
        let (me, victim) = (fixture.addUser("me@example.com"), fixture.addUser("victim@example.com"))
        var undo: [StoreChange] = []
        func join(_ user: String, _ role: String, project: String? = nil) -> StoreChange {
            let identity = StoredMembership.Identity(user: user, organization: "org_1", project: project)
            return .putMembership(StoredMembership(identity: identity, role: role))
        }
        fixture.caller.subject = me
        fixture.index.apply(join(victim, "admin"), undo: &undo)
        let changes = [#""password":"taken over""#, #""email":"mine@example.com""#]
        for role in [nil, "member", "owner"] {
            if let role { fixture.index.apply(join(me, role), undo: &undo) }
            for change in changes { #expect(fixture.call(.patch, victim, json: "{\"user\":{\(change)}}").status == 403, "\(change)") }
        }
        #expect(fixture.call(.patch, me, json: #"{"user":{"password":"correct horse"}}"#).status == 200)
        fixture.index.apply(join(me, "admin"), undo: &undo)
        #expect(fixture.call(.patch, victim, json: #"{"user":{"password":"correct horse"}}"#).status == 200)
        fixture.index.apply(join(victim, "member", project: "prj_1"), undo: &undo)
        #expect(fixture.call(.patch, victim, json: #"{"user":{"password":"taken over"}}"#).status == 403)
        fixture.caller.grantsAnything = true
        #expect(fixture.call(.patch, victim, json: #"{"user":{"password":"another horse"}}"#).status == 200)
    }

    @Test(arguments: [
        CredentialBounds(addresses: AddressSet([CIDRBlock("10.0.0.1")].compactMap { $0 })),
        CredentialBounds(expiresAt: ManagementFixture.now.advanced(by: .seconds(60))),
    ])
    mutating func `a credential with bounds opens no account that can do something`(bounds: CredentialBounds) {
        let id = fixture.addUser("a@example.com", scopes: ["admin_realm"])
        fixture.caller.bounds = bounds
        #expect(make(#""email":"b@example.com","scopes":["admin_realm"]"#).status == 403 && make().status == 201)
        #expect(fixture.call(.patch, id, json: #"{"user":{"password":"taken over"}}"#).status == 403)
        fixture.caller.subject = id
        #expect(fixture.call(.patch, id, json: #"{"user":{"password":"taken over"}}"#).status == 403)
    }

    @Test mutating func `who sees himself alone changes his password, and not what he may do`() {
        let id = fixture.addUser("a@example.com", scopes: ["read"])
        let other = fixture.addUser("b@example.com")
        fixture.configuration.isOwnOnly = true
        fixture.caller.subject = id
        fixture.caller.scopes = ["read"]
        #expect(fixture.call(.get).ids == [id] && fixture.call(.get, other).status == 404)
        #expect(fixture.call(.patch, id, json: #"{"user":{"password":"correct horse"}}"#).status == 200)
        #expect(fixture.call(.patch, id, json: #"{"user":{"scopes":["read","write"]}}"#).status == 403)
        #expect(fixture.call(.patch, id, json: #"{"user":{"email":"c@example.com"}}"#).status == 403)
        #expect(fixture.call(.delete, id).status == 405 && make().status == 405)
    }

    @Test mutating func `a credential locked to a realm has nothing to do with users`() {
        fixture.caller.realmLock = "rl_1"
        #expect(fixture.call(.get).status == 403 && make().status == 403)
    }

    @Test mutating func `who is deleted takes keys and memberships along`() {
        let id = make()["id"] ?? ""
        var keys = fixture.turned(to: .apiKeys)
        keys.caller.grantsAnything = true
        let key = keys.call(.post, json: #"{"api_key":{"name":"a","user_id":"\#(id)"}}"#)["id"] ?? ""
        #expect(keys.key(key)?.owner == id)
        fixture.index = keys.index
        #expect(fixture.call(.delete, id).status == 202)
        #expect(fixture.index.users.isEmpty && fixture.index.keys.isEmpty)
    }
}
