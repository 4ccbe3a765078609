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
        #expect(fixture.call(.patch, me, json: #"{"user":{"password":"another horse"}}"#).status == 422)
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

    private static func members(_ password: String, _ current: String? = nil) -> String {
        "{\"user\":{\"password\":\(password)\(current.map { ",\"current_password\":\($0)" } ?? "")}}"
    }

    @Test(arguments: [true, false])
    mutating func `an own password is changed and removed with the current one`(isOwnOnly: Bool) {
        let id = fixture.addUser("a@example.com")
        fixture.configuration.isOwnOnly = isOwnOnly
        fixture.caller.subject = id
        // The first one replaces none.
        #expect(fixture.call(.patch, id, json: Self.members(#""correct horse""#)).status == 200)
        let first = fixture.index.users[id]
        for (current, reason) in [
            (nil, "parameters_invalid"), (#""""#, "parameters_invalid"), ("null", "parameters_invalid"), ("7", "parameters_invalid"),
            (#""wrong horse""#, "current_password_wrong"), (#""correct horse ""#, "current_password_wrong"),
        ] {
            #expect(fixture.call(.patch, id, json: Self.members(#""another horse""#, current)).reason == reason, "\(current ?? "")")
            #expect(fixture.call(.patch, id, json: Self.members("null", current)).reason == reason, "\(current ?? "")")
        }
        #expect(fixture.index.users[id] == first)
        #expect(fixture.call(.patch, id, json: Self.members(#""another horse""#, #""correct horse""#)).status == 200)
        #expect(fixture.call(.patch, id, json: Self.members("null", #""another horse""#)).isTrue("has_password") == false)
    }

    @Test mutating func `an operator sets a password without the current one, and one that is given is checked`() {
        let id = fixture.addUser("a@example.com")
        fixture.caller.grantsAnything = true
        fixture.caller.subject = id
        #expect(fixture.call(.patch, id, json: Self.members(#""correct horse""#)).status == 200)
        #expect(fixture.call(.patch, id, json: Self.members(#""another horse""#)).status == 200)
        let wrong = fixture.call(.patch, id, json: Self.members(#""third horse""#, #""correct horse""#))
        #expect(wrong.status == 422 && wrong.reason == "current_password_wrong")
        #expect(fixture.call(.patch, id, json: Self.members(#""third horse""#, #""another horse""#)).status == 200)
    }

    @Test mutating func `a route that lets callers grant anything asks for the own password where it is for own records`() {
        let id = fixture.addUser("a@example.com")
        fixture.caller.subject = id
        #expect(fixture.call(.patch, id, json: Self.members(#""correct horse""#)).status == 200)
        fixture.configuration.isOwnOnly = true
        fixture.caller.grantsAnything = true
        #expect(fixture.call(.patch, id, json: Self.members(#""another horse""#)).reason == "parameters_invalid")
    }

    @Test mutating func `a current password has a meaning where one is replaced`() {
        let id = fixture.addUser("a@example.com")
        fixture.caller.subject = id
        #expect(
            fixture.call(.patch, id, json: Self.members(#""correct horse""#, #""x""#)).messages
                == ["Current password is given, and the user has none"])
        #expect(
            fixture.call(.patch, id, json: #"{"user":{"name":"x","current_password":"x"}}"#).messages
                == ["Current password is given without a password to set"])
        #expect(make(#""email":"b@example.com","current_password":"x""#).status == 422)
    }

    @Test(arguments: [
        #""password":"short""#, #""password":"zero\u0000byte""#, #""password":"correct horse","scopes":["root"]"#,
        #""password":"correct horse","email":"taken@example.com""#, #""password":"correct horse","unknown":1"#,
    ])
    mutating func `a user that is refused has no password hashed`(members: String) {
        _ = fixture.addUser("taken@example.com")
        let id = fixture.addUser("a@example.com")
        #expect(fixture.call(.patch, id, json: "{\"user\":{\(members)}}").decision == nil)
        let email = members.contains("email") ? "" : #","email":"b@example.com""#
        #expect(make(members + email).decision == nil)
        #expect(fixture.worked == [])
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
