import Core
import Policy
import Store
import Testing

@testable import TokenService

struct APIKeyResourceBoundsTests {
    private var fixture = ManagementFixture(.apiKeys)
    private let end = ManagementFixture.now.advanced(by: .seconds(3600))

    private mutating func make(_ members: String = "") -> ManagementFixture.Answer {
        fixture.call(.post, json: #"{"api_key":{"name":"a"\#(members)}}"#)
    }

    private mutating func free(_ members: String = "") -> String {
        fixture.caller.grantsAnything = true
        defer { fixture.caller.grantsAnything = false }
        return make(members)["id"] ?? ""
    }

    private mutating func bind() {
        fixture.caller.bounds = CredentialBounds(
            addresses: AddressSet([CIDRBlock("10.0.0.0/30"), CIDRBlock("2001:db8::/64")].compactMap { $0 }), expiresAt: end,
            limits: ["slow"])
    }

    @Test mutating func `a new key has the bounds of its maker's credential`() {
        bind()
        let id = make()["id"] ?? ""
        let key = fixture.key(id)
        #expect(key?.allowedAddresses.map(\.description) == ["10.0.0.0/30", "2001:db8::/64"])
        #expect(key?.limits == ["slow"] && key?.secrets.map(\.expiresAt) == [end])
        #expect(make(#","allow_ips":["10.0.0.1"],"expires_in":"1h""#).status == 201)
    }

    @Test(arguments: [
        #","expires_in":"3601s""#, #","allow_ips":["10.0.0.0/29"]"#, #","allow_ips":["0.0.0.0/0","::/0"]"#,
        #","allow_ips":["2001:db8::1","192.0.2.1"]"#, #","limits":["fast"]"#,
    ])
    mutating func `no key is made that is freer than its maker`(members: String) {
        bind()
        #expect(make(members).status == 403)
        #expect(fixture.index.keys.isEmpty)
        fixture.caller.grantsAnything = true
        #expect(make(members).status == 201)
    }

    @Test mutating func `a key does not lift its own bounds`() {
        bind()
        let id = make()["id"] ?? ""
        for blocks in ["", #""10.0.0.0/8""#, #""10.0.0.0/30","192.0.2.1""#] {
            #expect(fixture.call(.patch, id, json: #"{"api_key":{"allow_ips":[\#(blocks)]}}"#).status == 403, "\(blocks)")
        }
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"limits":[]}}"#).status == 403)
        #expect(fixture.call(.post, id, operation: "rotate", json: #"{"api_key":{"expires_in":"2h"}}"#).status == 403)
        #expect(fixture.call(.post, id, operation: "rotate").status == 200)
        #expect(fixture.key(id)?.secrets.map(\.expiresAt) == [end])
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"allow_ips":["10.0.0.1"]}}"#).status == 200)
    }

    @Test mutating func `freer keys can be narrowed and ended by a key with bounds, and not taken over`() {
        let (open, foreign) = (free(#","scopes":["admin_realm"]"#), free(#","enabled":false"#))
        bind()
        for id in [open, foreign] { #expect(fixture.call(.post, id, operation: "rotate").status == 403) }
        #expect(fixture.call(.patch, foreign, json: #"{"api_key":{"scopes":["admin_realm"]}}"#).status == 403)
        #expect(fixture.call(.patch, foreign, json: #"{"api_key":{"enabled":true}}"#).status == 403)
        #expect(fixture.call(.patch, open, json: #"{"api_key":{"allow_ips":["192.0.2.0/24"],"scopes":[]}}"#).status == 200)
        #expect(fixture.call(.patch, open, json: #"{"api_key":{"allow_ips":["192.0.2.0/23"]}}"#).status == 403)
        #expect(fixture.call(.delete, open).status == 202)
    }

    @Test mutating func `another user's key is widened by nobody else`() {
        let (me, other) = (fixture.addUser("a@example.com"), fixture.addUser("b@example.com"))
        let id = free(#","user_id":"\#(other)","allow_ips":["10.0.0.1"]"#)
        fixture.caller.subject = me
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"allow_ips":[]}}"#).status == 403)
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"enabled":false}}"#).status == 200)
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"enabled":true}}"#).status == 403)
        fixture.caller.subject = other
        #expect(fixture.call(.patch, id, json: #"{"api_key":{"enabled":true,"allow_ips":[]}}"#).status == 200)
    }

    @Test mutating func `limits chosen for one key are not for others, and a user's stay with him`() {
        let user = fixture.addUser("a@example.com")
        let (nobodys, own) = (free(#","limits":["fast"]"#), free(#","limits":["fast"],"user_id":"\#(user)""#))
        fixture.caller.subject = user
        #expect(fixture.call(.post, nobodys, operation: "rotate").status == 403)
        #expect(fixture.call(.post, own, operation: "rotate").status == 200)
    }
}
