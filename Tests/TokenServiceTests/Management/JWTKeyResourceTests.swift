import Core
import Policy
import Store
import Testing

@testable import TokenService

struct JWTKeyResourceTests {
    private var fixture: ManagementFixture = {
        var fixture = ManagementFixture(.jwtKeys)
        fixture.realm = "rl_1"
        return fixture
    }()

    private static let body = #"{"jwt_key":{"algo":"hs256","use":"sign"}}"#

    @Test mutating func `a new key has an id, a secret of 32 random bytes, and its realm`() {
        let answer = fixture.call(.post, json: Self.body)
        #expect(answer.status == 201)
        #expect(answer["id"]?.hasPrefix("jky_") == true && answer["id"]?.utf8.count == 26)
        #expect(answer["key"]?.hasPrefix("jsk_") == true && answer["key"]?.utf8.count == 47)
        #expect(answer["algo"] == "hs256" && answer["use"] == "sign" && answer["realm_id"] == "rl_1")
        #expect(answer.isTrue("expired") == false)
        let stored = fixture.index.signingKeys[answer["id"] ?? ""]
        #expect(stored.map { String(decoding: $0.material, as: UTF8.self) } == answer["key"])
        #expect(fixture.events.map(\.name) == ["realm.updated"])
        #expect(fixture.events.first?.cause == "jwt_key.created" && fixture.events.first?.realm == "rl_1")
    }

    @Test mutating func `a form with nested names makes the same key as JSON`() {
        let answer = fixture.call(.post, form: "jwt_key[algo]=hs256&jwt_key%5Buse%5D=sign")
        #expect(answer.status == 201 && answer["algo"] == "hs256")
    }

    @Test mutating func `a key that is given is kept as it is`() {
        let secret = "jsk_m2y4UYnjRCXzuZVq57bJJSDoqOFMuQCFmLp4Nh9gcbk"
        let answer = fixture.call(.post, json: #"{"jwt_key":{"algo":"hs256","use":"sign","key":"\#(secret)"}}"#)
        #expect(answer["key"] == secret)
        let again = fixture.call(.post, json: #"{"jwt_key":{"algo":"hs256","use":"sign","key":"\#(secret)"}}"#)
        #expect(again.status == 422 && again.messages == ["Key has already been taken"])
    }

    @Test(arguments: [
        (#"{"jwt_key":{"use":"sign"}}"#, "Algo can't be blank"),
        (#"{"jwt_key":{"algo":"","use":"sign"}}"#, "Algo can't be blank"),
        (#"{"jwt_key":{"algo":null,"use":"sign"}}"#, "Algo can't be blank"),
        (#"{"jwt_key":{"algo":"none","use":"sign"}}"#, "Algo is not included in the list"),
        (#"{"jwt_key":{"algo":"HS256","use":"sign"}}"#, "Algo is not included in the list"),
        (#"{"jwt_key":{"algo":7,"use":"sign"}}"#, "Algo is not a string"),
        (#"{"jwt_key":{"algo":"hs256"}}"#, "Use can't be blank"),
        (#"{"jwt_key":{"algo":"hs256","use":"enc"}}"#, "Use is not included in the list"),
        (#"{"jwt_key":{"algo":"hs256","use":"sign","key":"short"}}"#, "Key is too short (minimum is 32 bytes)"),
        (#"{"jwt_key":{"algo":"rs256","use":"sign","key":"-----BEGIN PRIVATE KEY-----xxxxxxxxx"}}"#, "Key is no RSA private key of 2048 to 8192 bits as PKCS #8 in PEM form, not encrypted"),
        (#"{"jwt_key":{"algo":"hs256","use":"sign","kid":"x"}}"#, "kid is not a known parameter"),
        (#"{"jwt_key":"hs256"}"#, "Jwt key is not an object"),
        (#"{"jwt_key":null}"#, "Jwt key can't be blank"),
        (#"{}"#, "Jwt key can't be blank"),
        (#"{"algo":"hs256"}"#, "Jwt key can't be blank"),
    ])
    mutating func `what is wrong is said, and nothing is made`(body: String, message: String) {
        let answer = fixture.call(.post, json: body)
        #expect(answer.status == 422 && answer.messages.contains(message), "\(answer.messages)")
        #expect(fixture.index.signingKeys.isEmpty && fixture.events.isEmpty)
    }

    @Test(arguments: ["", "[]", "7", "{\"jwt_key\":", "{\"jwt_key\":{},\"jwt_key\":{}}", "\u{FEFF}{}", "nul"])
    mutating func `content that is no JSON object is malformed`(body: String) {
        let answer = fixture.call(.post, json: body)
        #expect(answer.status == (body.isEmpty ? 422 : 400))
    }

    @Test mutating func `other content types are not taken`() {
        #expect(fixture.call(.post, json: Self.body, type: "text/plain").status == 415)
        #expect(fixture.call(.post, json: Self.body, type: "multipart/form-data").status == 415)
    }

    @Test mutating func `lists go from the newest to the oldest, page by page`() {
        var ids: [String] = []
        for _ in 0..<5 {
            fixture.now = fixture.now.advanced(by: .milliseconds(5))
            ids.append(fixture.call(.post, json: Self.body)["id"] ?? "")
        }
        let newest = Array(ids.reversed())
        #expect(fixture.call(.get).ids == newest)
        #expect(fixture.call(.get, query: "direction=asc&sort=id").ids == ids)
        let first = fixture.call(.get, query: "max_results=2")
        #expect(first.ids == Array(newest[..<2]) && first.isTrue("more_results") == true)
        let second = fixture.call(.get, query: "max_results=2&after=\(newest[1])")
        #expect(second.ids == Array(newest[2..<4]) && second.isTrue("more_results") == true)
        let third = fixture.call(.get, query: "max_results=2&after=\(newest[3])")
        #expect(third.ids == [newest[4]] && third.isTrue("more_results") == false)
        #expect(fixture.call(.get, query: "direction=asc&after=\(ids[3])").ids == [ids[4]])
    }

    @Test(arguments: [
        "max_results=0", "max_results=101", "max_results=-1", "max_results=1e1", "max_results=%31%20", "max_results=1&max_results=2",
        "sort=algo", "direction=up", "after=jky_0000000000000000000000", "limit=5", "max_results[]=5", "after[x]=1", "direction=DESC",
        "a=%zz", "a=%FF", "=1",
    ])
    mutating func `lists refuse what they do not know`(query: String) {
        #expect(fixture.call(.get, query: query).status == 422)
    }

    @Test mutating func `keys of another realm and another set are not there`() {
        let id = fixture.call(.post, json: Self.body)["id"] ?? ""
        fixture.realm = "rl_2"
        #expect(fixture.call(.get, id).status == 404 && fixture.call(.get).ids.isEmpty)
        #expect(fixture.call(.delete, id).status == 404)
        fixture.realm = nil
        #expect(fixture.call(.get, id).status == 404)
        fixture.realm = "rl_1"
        #expect(fixture.call(.get, id).status == 200)
        fixture.configuration.keySet?.value = "other"
        #expect(fixture.call(.get, id).status == 404)
    }

    @Test mutating func `the realm is the lock's, the call's, the default's, in this order`() {
        fixture.realm = nil
        fixture.requestRealm = RequestRealm(fallback: "rl_default", isRequired: true)
        #expect(fixture.call(.post, json: Self.body)["realm_id"] == "rl_default")
        let named = #"{"realm_id":"rl_call","jwt_key":{"algo":"hs256","use":"sign"}}"#
        #expect(fixture.call(.post, json: named)["realm_id"] == "rl_call")
        let inside = #"{"jwt_key":{"algo":"hs256","use":"sign","realm_id":"rl_inside"}}"#
        #expect(fixture.call(.post, json: inside)["realm_id"] == "rl_inside")
        #expect(fixture.call(.post, query: "realm_id=rl_query", json: inside).status == 400)
        #expect(fixture.call(.post, query: "realm_id=rl_query", json: Self.body)["realm_id"] == "rl_query")
        #expect(fixture.call(.post, query: "realm_id=rl_query", json: named).status == 400)
        fixture.requestRealm = RequestRealm(lock: "rl_lock", isRequired: true)
        #expect(fixture.call(.post, json: Self.body)["realm_id"] == "rl_lock")
        #expect(fixture.call(.post, json: named).status == 403)
        #expect(fixture.call(.post, json: inside).status == 403)
        #expect(fixture.call(.post, json: inside.replacing("rl_inside", with: "rl_lock"))["realm_id"] == "rl_lock")
        fixture.requestRealm = RequestRealm(isRequired: true)
        #expect(fixture.call(.post, json: Self.body).status == 400)
        #expect(fixture.call(.post, json: named).status == 201)
    }

    @Test mutating func `a deleted key expires and stays for some hours`() {
        let id = fixture.call(.post, json: Self.body)["id"] ?? ""
        let answer = fixture.call(.delete, id)
        #expect(answer.status == 202 && answer["id"] == id)
        #expect(fixture.call(.get, id).isTrue("expired") == true)
        #expect(fixture.index.signingKeys[id]?.removedAt == fixture.now.advanced(by: .seconds(4 * 3600)))
        #expect(fixture.events.map(\.cause) == ["jwt_key.created", "jwt_key.expired"])
        // Once is enough: the time of its end does not move.
        fixture.now = fixture.now.advanced(by: .seconds(3600))
        #expect(fixture.call(.delete, id).status == 202 && fixture.events.count == 2)
        fixture.now = fixture.now.advanced(by: .seconds(3 * 3600))
        #expect(fixture.call(.get, id).status == 404 && fixture.call(.get).ids.isEmpty)
    }

    @Test(arguments: ["query", "digit", "spelling", "form", "json"])
    mutating func `force removes at once, however it is spelled`(how: String) {
        let id = fixture.call(.post, json: Self.body)["id"] ?? ""
        let answer =
            switch how {
            case "query": fixture.call(.delete, id, query: "force=true")
            case "digit": fixture.call(.delete, id, query: "force=1")
            case "spelling": fixture.call(.delete, id + "&force=true")
            case "form": fixture.call(.delete, id, form: "force=true")
            default: fixture.call(.delete, id, json: #"{"force":true}"#)
            }
        #expect(answer.status == 202 && fixture.index.signingKeys.isEmpty)
        #expect(fixture.events.map(\.cause) == ["jwt_key.created", "jwt_key.deleted"])
    }

    @Test mutating func `replaced keys are never in the way of new ones, and are bounded themselves`() {
        for round in 1...3 {
            let ids = (0..<JWTKeyResource.keyLimit).map { _ in fixture.call(.post, json: Self.body)["id"] ?? "" }
            let refused = fixture.call(.post, json: Self.body)
            #expect(refused.status == 422 && refused.messages == ["Keys of a realm are limited to 50"])
            for id in ids { #expect(fixture.call(.delete, id).status == 202) }
            #expect(fixture.index.signingKeys.count == round * JWTKeyResource.keyLimit)
        }
        let id = fixture.call(.post, json: Self.body)["id"] ?? ""
        let refused = fixture.call(.delete, id)
        #expect(refused.status == 422)
        #expect(refused.messages == ["Replaced keys of a realm are limited to 150: \"force\" ends one at once"])
        #expect(fixture.index.signingKeys[id]?.removedAt == nil)
        // In another realm there is room, by force here too, and in time.
        fixture.realm = "rl_2"
        let other = fixture.call(.post, json: Self.body)["id"] ?? ""
        #expect(fixture.call(.delete, other).status == 202)
        fixture.realm = "rl_1"
        #expect(fixture.call(.delete, id, query: "force=true").status == 202)
        let last = fixture.call(.post, json: Self.body)["id"] ?? ""
        fixture.now = fixture.now.advanced(by: .seconds(4 * 3600))
        #expect(fixture.call(.delete, last).status == 202)
    }

    @Test mutating func `an RSA key that is given is kept, and its public half is shown`() throws {
        fixture.material = .standard
        let made = try #require(SigningMaterial.make(for: .rs256))
        let key = StoredSigningKey(
            id: "x", keySet: "own", realm: nil, algorithm: .rs256, material: made, createdAt: ManagementFixture.now)
        guard case .pair(let publicKey?, let privateKey?) = SigningMaterial.shown(key) else { throw ServiceFixture.Unexpected() }
        let text = privateKey.replacing("\n", with: "\\n")
        let answer = fixture.call(.post, json: #"{"jwt_key":{"algo":"rs256","use":"sign","key":"\#(text)"}}"#)
        #expect(answer.status == 201 && answer["key"] == publicKey && answer["private_key"] == nil)
        #expect(fixture.index.signingKeys[answer["id"] ?? ""]?.material == made)
        let again = fixture.call(.post, json: #"{"jwt_key":{"algo":"rs256","use":"sign","key":"\#(text)"}}"#)
        #expect(again.status == 422 && again.messages == ["Key has already been taken"])
        let form = privateKey.replacing("\n", with: "%0A").replacing("+", with: "%2B")
        fixture.realm = "rl_2"
        let other = fixture.call(.post, form: "jwt_key[algo]=rs256&jwt_key[use]=sign&jwt_key[key]=\(form)")
        #expect(other.status == 201 && other["key"] == publicKey)
    }

    @Test(arguments: ["PUBLIC KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])
    mutating func `every other text is refused with one sentence`(label: String) throws {
        fixture.material = .standard
        let text = PEMText.encode(try #require(SigningMaterial.make(for: .rs256)), label: label).replacing("\n", with: "\\n")
        let answer = fixture.call(.post, json: #"{"jwt_key":{"algo":"rs256","use":"sign","key":"\#(text)"}}"#)
        #expect(answer.status == 422)
        #expect(answer.messages == ["Key is no RSA private key of 2048 to 8192 bits as PKCS #8 in PEM form, not encrypted"])
        #expect(fixture.index.signingKeys.isEmpty)
    }

    @Test mutating func `force is true or false, and said once`() {
        let id = fixture.call(.post, json: Self.body)["id"] ?? ""
        for query in ["force=yes", "force=2", "force=true&force=true", "force=True"] {
            #expect(fixture.call(.delete, id, query: query).status == 422, "\(query)")
        }
        #expect(fixture.call(.delete, id + "&force=true", query: "force=false").status == 422)
        #expect(fixture.call(.get, id + "&force=true").status == 404)
        #expect(fixture.index.signingKeys[id]?.removedAt == nil)
    }

    @Test mutating func `private halves take a scope of their own and being asked for`() {
        let id = fixture.call(.post, json: #"{"jwt_key":{"algo":"rs256","use":"sign"}}"#)["id"] ?? ""
        #expect(fixture.call(.get, id)["private_key"] == nil)
        #expect(fixture.call(.get, id)["key"]?.contains("PRIVATE") != true)
        #expect(fixture.call(.get, id, query: "private=true").status == 403)
        #expect(fixture.call(.get, query: "private=true").status == 403)
        fixture.configuration.privateKeyScope = "read_private_keys"
        #expect(fixture.call(.get, id, query: "private=true").status == 403)
        fixture.caller.scopes.insert("read_private_keys")
        #expect(fixture.call(.get, id)["private_key"] == nil)
        #expect(fixture.call(.get, id, query: "private=true").status == 200)
    }

    @Test(arguments: [Method.put, .patch, .post, .options, .other])
    mutating func `a key is looked up and deleted, nothing else`(method: Core.Method) {
        let id = fixture.call(.post, json: Self.body)["id"] ?? ""
        #expect(fixture.call(method, id, json: Self.body).status == 405)
        #expect(fixture.call(.post, id, operation: "rotate").status == 404)
    }
}
