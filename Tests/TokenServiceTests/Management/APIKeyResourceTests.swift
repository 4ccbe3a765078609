import Core
import Crypto
import Policy
import Store
import Testing

@testable import TokenService

struct APIKeyResourceTests {
    private var fixture = ManagementFixture(.apiKeys)

    private mutating func make(_ members: String = #""name":"ci""#) -> ManagementFixture.Answer {
        fixture.call(.post, json: #"{"api_key":{\#(members)}}"#)
    }

    @Test mutating func `a secret is shown once and kept as its digest`() {
        let answer = make()
        let id = answer["id"] ?? ""
        #expect(answer.status == 201 && id.hasPrefix("key_"))
        let secret = answer["key"] ?? ""
        #expect(fixture.key(id)?.secrets.map(\.digest) == [OpenSSLCryptography().sha256(secret.utf8.span)])
        let shown = fixture.call(.get, id)
        #expect(shown["key"] == nil && shown["name"] == "ci" && shown["subject"] == id)
        #expect(fixture.call(.get).collection.allSatisfy { $0["key"] == nil })
        #expect(fixture.events.map(\.name) == ["api_key.created"])
        #expect(!fixture.events.contains { String(decoding: $0.json, as: UTF8.self).contains(secret) })
    }

    @Test mutating func `use and age are told, and what is not used can be asked for`() {
        let (old, young, used) = (make()["id"] ?? "", "", make()["id"] ?? "")
        fixture.now = fixture.now.advanced(by: .seconds(100 * 86_400))
        let fresh = make()["id"] ?? young
        fixture.usage[used] = KeyUsage(key: used, count: 7, lastUsedAt: fixture.now.advanced(by: .seconds(-60)))
        #expect(fixture.call(.get, query: "unused_for=90d").ids == [old])
        #expect(Set(fixture.call(.get, query: "unused_for=30s").ids) == [old, used])
        #expect(Set(fixture.call(.get).ids) == [old, used, fresh])
        let shown = fixture.call(.get, used)
        #expect(shown.body["age_days"].map { "\($0.value)" }?.contains("100") == true)
        #expect(shown["last_used_at"]?.hasPrefix("2027-") == true)
        #expect(fixture.call(.get, query: "unused_for=soon").status == 422)
    }

    @Test mutating func `a rotated key is young again`() {
        let (old, rotated) = (make()["id"] ?? "", make()["id"] ?? "")
        fixture.now = fixture.now.advanced(by: .seconds(100 * 86_400))
        #expect(Set(fixture.call(.get, query: "older_than=90d").ids) == [old, rotated])
        #expect(fixture.call(.post, rotated, operation: "rotate").status == 200)
        #expect(fixture.call(.get, query: "older_than=90d").ids == [old])
        #expect(fixture.call(.get, rotated).body["age_days"]?.integer == 0)
        #expect(fixture.call(.get, query: "older_than=").status == 422)
    }

    // MARK: Rotation

    @Test mutating func `a rotation ends the old secret at once unless they are to overlap`() {
        let id = make()["id"] ?? ""
        let first = fixture.key(id)?.secrets.first?.digest
        let rotated = fixture.call(.post, id, operation: "rotate")
        #expect(rotated.status == 200 && rotated["key"] != nil)
        #expect(fixture.key(id)?.secrets.count == 1 && fixture.key(id)?.secrets.first?.digest != first)
        let second = fixture.key(id)?.secrets.first?.digest
        #expect(fixture.call(.post, id, operation: "rotate", json: #"{"api_key":{"overlap":"24h","expires_in":"90d"}}"#).status == 200)
        let secrets = fixture.key(id)?.secrets ?? []
        #expect(secrets.count == 2 && secrets.last?.digest == second)
        #expect(secrets.last?.expiresAt == fixture.now.advanced(by: .seconds(86_400)))
        #expect(secrets.first?.expiresAt == fixture.now.advanced(by: .seconds(90 * 86_400)))
        #expect(fixture.events.map(\.name) == ["api_key.created", "api_key.rotated", "api_key.rotated"])
    }

    @Test mutating func `a rotation never makes an old secret last longer, and their number is bounded`() {
        let id = make(#""name":"ci","expires_in":"1h""#)["id"] ?? ""
        let end = fixture.now.advanced(by: .seconds(3600))
        _ = fixture.call(.post, id, operation: "rotate", json: #"{"api_key":{"overlap":"24h"}}"#)
        #expect(fixture.key(id)?.secrets.last?.expiresAt == end)
        var last = 200
        for _ in 0..<20 { last = fixture.call(.post, id, operation: "rotate", json: #"{"api_key":{"overlap":"24h"}}"#).status }
        #expect(last == 409 && fixture.key(id)?.secrets.count == 16)
        #expect(fixture.call(.post, id, operation: "explode").status == 404)
        #expect(fixture.call(.get, id, operation: "rotate").status == 405)
    }

    // MARK: Nobody makes himself more than he is

    @Test mutating func `no key gets a scope that its maker lacks`() {
        fixture.caller.scopes = ["admin_realm", "orders:read"]
        #expect(make(#""name":"a","scopes":["orders:read"]"#).status == 201)
        let refused = make(#""name":"a","scopes":["orders:read","orders:write"]"#)
        #expect(refused.status == 403 && refused.messages == ["Scopes include orders:write, which the caller does not have"])
        let id = make()["id"] ?? ""
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"scopes":["orders:write"]}}"#).status == 403)
        #expect(fixture.key(id)?.scopes == [])
        fixture.caller.grantsAnything = true
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"scopes":["orders:write"]}}"#).status == 200)
    }

    @Test mutating func `a stronger key can be revoked or disabled, and not taken over`() {
        fixture.caller.grantsAnything = true
        let id = make(#""name":"strong","scopes":["root"],"allow_ips":["10.0.0.0/8"]"#)["id"] ?? ""
        fixture.caller.grantsAnything = false
        #expect(fixture.call(.post, id, operation: "rotate").status == 403)
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"allow_ips":[]}}"#).status == 403)
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"scopes":[]}}"#).status == 403)
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"name":"renamed"}}"#).status == 200)
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"enabled":false}}"#).status == 200)
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"enabled":true}}"#).status == 403)
        #expect(fixture.key(id)?.isEnabled == false && fixture.key(id)?.secrets.count == 1)
        #expect(fixture.call(.delete, id).status == 202 && fixture.key(id) == nil)
    }

    @Test(arguments: [#""subject":"victim""#, #""limits":["unlimited"]"#, #""user_id":"usr_victim""#])
    mutating func `identities, limits and owners are not for everybody to choose`(member: String) {
        #expect(make("\"name\":\"a\",\(member)").status == 403)
        #expect(fixture.index.keys.isEmpty)
    }

    @Test mutating func `a key made by a user is that user's`() {
        let user = fixture.addUser("a@example.com", scopes: ["admin_realm"])
        let other = fixture.addUser("b@example.com")
        fixture.caller.subject = user
        let id = make()["id"] ?? ""
        #expect(fixture.key(id)?.owner == user && fixture.key(id)?.subject == user)
        #expect(make(#""name":"x","user_id":"\#(other)""#).status == 403)
        #expect(make(#""name":"x","subject":"\#(other)""#).status == 422)
        fixture.caller.grantsAnything = true
        let given = make(#""name":"x","user_id":"\#(other)""#)["id"] ?? ""
        #expect(fixture.key(given)?.owner == other)
        #expect(make(#""name":"x","user_id":"usr_nobody""#).messages == ["User does not exist"])
    }

    @Test mutating func `where callers see their own keys alone, others are not there`() {
        let (a, b) = (fixture.addUser("a@example.com"), fixture.addUser("b@example.com"))
        fixture.configuration.isOwnOnly = true
        fixture.caller.subject = a
        let id = make()["id"] ?? ""
        fixture.caller.subject = b
        #expect(fixture.call(.get).ids.isEmpty && fixture.call(.get, id).status == 404)
        #expect(fixture.call(.delete, id).status == 404 && fixture.call(.post, id, operation: "rotate").status == 404)
        #expect(make(#""name":"x","user_id":"\#(a)""#).status == 422)
        for subject in [nil, "nobody", ""] {
            fixture.caller.subject = subject
            #expect(fixture.call(.get).ids.isEmpty && make().status == 403)
        }
        fixture.caller.subject = a
        #expect(fixture.call(.get).ids == [id])
    }

    @Test mutating func `a credential locked to a realm makes and sees keys of that realm alone`() {
        fixture.caller.grantsAnything = true
        let free = make(#""name":"free""#)["id"] ?? ""
        let elsewhere = make(#""name":"elsewhere","realm":"rl_2""#)["id"] ?? ""
        fixture.caller.realmLock = "rl_1"
        #expect(make(#""name":"a","realm":"rl_2""#).status == 403)
        let own = make()["id"] ?? ""
        #expect(fixture.key(own)?.realm == "rl_1")
        #expect(fixture.call(.get).ids == [own])
        for id in [free, elsewhere] { #expect(fixture.call(.delete, id).status == 404) }
        #expect(fixture.call(.patch, own, json: #"{"api_key":{"realm":"rl_2"}}"#).status == 422)
    }

    @Test mutating func `keys of another authenticator are not there`() {
        let id = make()["id"] ?? ""
        fixture.configuration.authenticator?.value = "others"
        #expect(fixture.call(.get, id).status == 404 && fixture.call(.get).ids.isEmpty)
        #expect(make().status == 503)
    }

    @Test(arguments: [
        (#""name":"""#, "Name can't be blank"), (#""name":"a","scopes":["a b"]"#, "Scopes hold what is no scope"),
        (#""name":"a","scopes":"a""#, "Scopes is not a list of strings"),
        (#""name":"a","scopes":["a","a"]"#, "Scopes has empty, equal, or more than 256 entries"),
        (#""name":"a","allow_ips":["10.0.0.1/8"]"#, "Allow ips holds what is no address and no network"),
        (#""name":"a","enabled":"true""#, "Enabled is not true or false"),
        (#""name":"a","expires_in":-1"#, "Expires in is not a duration such as 30s, 12h or 90d"),
        (#""name":"a","expires_in":1e400"#, "Expires in is not a duration such as 30s, 12h or 90d"),
        (#""name":"a","id":"mine""#, "id is not a known parameter"), (#""name":"a\u0000b""#, "Name contains a control character"),
        (#""name":"a","key":"mine""#, "key is not a known parameter"),
    ])
    mutating func `members are read strictly`(members: String, message: String) {
        let answer = make(members)
        #expect(answer.status == 422 && answer.messages == [message], "\(answer.messages)")
    }

    @Test mutating func `a path that names an organization has no keys under it`() {
        fixture.organization = "acme"
        #expect(fixture.call(.get).status == 404)
    }
}
