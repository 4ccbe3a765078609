import Core
import Policy
import Store
import Testing

@testable import TokenService

/// Contents and answers in the shape of another system.
struct ManagementShapeTests {
    private var fixture: ManagementFixture

    init() {
        fixture = ManagementFixture(.apiKeys)
        fixture.configuration.isOwnOnly = true
        fixture.configuration.inheritsScopes = true
        fixture.configuration.namesAreOptional = true
        fixture.configuration.shape.members = [
            "id": "id", "name": "comment", "key": "api_key", "created_at": "created", "last_used_at": "accessed",
        ]
        fixture.configuration.shape.isWrapped = false
        fixture.configuration.shape.list = .array
        fixture.configuration.shape.deletedStatus = 204
        fixture.caller.subject = fixture.addUser("a@example.com", scopes: ["read", "write"])
        fixture.caller.scopes = ["write", "read"]
    }

    private static func names(_ node: JSONNode) -> [String] {
        if case .object(let members) = node.value { members.map(\.name) } else { [] }
    }

    @Test mutating func `members have the system's names, and others are not shown`() {
        let made = fixture.call(.post, json: #"{"comment":"ci"}"#)
        #expect(made.status == 201 && made["comment"] == "ci")
        #expect(Self.names(made.body) == ["id", "comment", "api_key", "created", "accessed"])
        let id = made["id"] ?? ""
        #expect(fixture.key(id)?.name == "ci" && fixture.key(id)?.owner == fixture.caller.subject)
        let shown = fixture.call(.get, id)
        #expect(Self.names(shown.body) == ["id", "comment", "created", "accessed"])
        let renamed = fixture.call(.patch, id, json: #"{"comment":"CD"}"#)
        #expect(renamed["comment"] == "CD" && fixture.events.last?.changed == ["name"])
        #expect(fixture.call(.patch, id, form: "comment=CI")["comment"] == "CI")
    }

    @Test(arguments: [
        #""scopes":["root"]"#, #""name":"x""#, #""enabled":false"#, #""limits":["any"]"#, #""user_id":"usr_x""#, #""key":"x""#,
        #""expires_in":"1s""#, #""api_key":{"name":"x"}"#, #""id":"key_x""#,
    ])
    mutating func `members that the system does not have are not taken under our names`(member: String) {
        #expect(fixture.call(.post, json: "{\(member)}").status == 422)
        #expect(fixture.index.keys.isEmpty)
    }

    @Test(arguments: [nil, "{}", #"{"comment":null}"#, #"{"comment":""}"#])
    mutating func `a name may be left out`(content: String?) {
        let made = fixture.call(.post, json: content)
        guard made.status == 201, case .null? = made.body["comment"]?.value else {
            Issue.record("\(made)")
            return
        }
        #expect(fixture.key(made["id"] ?? "")?.name == "")
    }

    @Test mutating func `messages call members as the request does`() {
        fixture.configuration.namesAreOptional = false
        #expect(fixture.call(.post, json: "{}").messages == ["Comment can't be blank"])
        #expect(fixture.call(.post, json: #"{"comment":1}"#).messages.first == "Comment is not a string")
        #expect(fixture.call(.post, json: #"{"comment":"a","name":"b"}"#).messages == ["name is not a known parameter"])
    }

    @Test mutating func `a list is the records alone, page by page`() throws {
        for name in ["a", "b", "c"] { _ = fixture.call(.post, json: "{\"comment\":\"\(name)\"}") }
        func comments(_ answer: ManagementFixture.Answer) -> [String] {
            guard case .array(let nodes) = answer.body.value else { return [] }
            return nodes.compactMap { if case .string(let text)? = $0["comment"]?.value { text } else { nil } }
        }
        #expect(Set(comments(fixture.call(.get))) == ["a", "b", "c"])
        let first = fixture.call(.get, query: "max_results=2&direction=asc")
        guard case .array(let nodes) = first.body.value, case .string(let last)? = nodes.last?["id"]?.value else {
            Issue.record("no list")
            return
        }
        #expect(nodes.count == 2 && comments(fixture.call(.get, query: "direction=asc&after=\(last)")).count == 1)
        fixture.configuration.shape.list = .object(items: "keys", more: "has_more")
        #expect(Self.names(fixture.call(.get).body) == ["has_more", "keys"])
    }

    @Test mutating func `a removal may be answered without content`() {
        let id = fixture.call(.post, json: "{}")["id"] ?? ""
        let answer = fixture.call(.delete, id)
        #expect(answer.status == 204 && answer.decision?.body == [] && fixture.key(id) == nil)
        #expect(fixture.call(.delete, id).status == 404)
    }

    @Test mutating func `a new key has the scopes of its maker's credential and no more`() {
        fixture.caller.scopes = ["read"]
        let made = fixture.call(.post, json: "{}")
        #expect(fixture.key(made["id"] ?? "")?.scopes == ["read"])
        fixture.configuration.inheritsScopes = false
        let plain = fixture.call(.post, json: "{}")
        #expect(fixture.key(plain["id"] ?? "")?.scopes == [])
        // Where contents name scopes, an empty list is one.
        fixture.configuration.inheritsScopes = true
        fixture.configuration.shape.members?["scopes"] = "scopes"
        let empty = fixture.call(.post, json: #"{"scopes":[]}"#)
        #expect(fixture.key(empty["id"] ?? "")?.scopes == [])
        #expect(fixture.call(.post, json: #"{"scopes":["write"]}"#).status == 403)
    }

    @Test mutating func `a key made with a confined credential is confined`() {
        fixture.caller.bounds.expiresAt = fixture.now.advanced(by: .seconds(60))
        let made = fixture.call(.post, json: "{}")
        #expect(fixture.key(made["id"] ?? "")?.secrets.first?.expiresAt == fixture.caller.bounds.expiresAt)
    }

    @Test mutating func `a key of no user sees itself, makes no others, and may end itself`() {
        fixture.configuration.isOwnOnly = false
        let subject = fixture.caller.subject
        fixture.caller.subject = nil
        let ids = (0..<2).map { _ in fixture.call(.post, json: "{}")["id"] ?? "" }
        fixture.configuration.isOwnOnly = true
        fixture.caller.subject = ids[0]
        fixture.caller.key = ManagementCaller.Key(id: ids[0], authenticator: "keys")
        #expect(fixture.call(.get, ids[0]).status == 200 && fixture.call(.get, ids[1]).status == 404)
        #expect(fixture.call(.post, json: "{}").status == 403)
        #expect(fixture.call(.delete, ids[1]).status == 404 && fixture.call(.delete, ids[0]).status == 204)
        fixture.caller.subject = subject
        #expect(fixture.call(.get, ids[1]).status == 404)
    }

    @Test(arguments: ManagementConfiguration.Resource.allCases)
    func `every member that answers have can be named`(resource: ManagementConfiguration.Resource) {
        var fixture = ManagementFixture(resource)
        fixture.caller.grantsAnything = true
        let user = fixture.addUser("a@example.com")
        var other = fixture.turned(to: .organizations)
        other.caller.grantsAnything = true
        let organization = other.call(.post, json: #"{"organization":{"slug":"acme"}}"#)["id"] ?? ""
        fixture.index = other.index
        let content =
            switch resource {
            case .apiKeys: #"{"api_key":{"name":"a"}}"#
            case .jwtKeys: #"{"jwt_key":{"algo":"hs256","use":"sign"}}"#
            case .users: #"{"user":{"email":"b@example.com"}}"#
            case .organizations: #"{"organization":{"slug":"b"}}"#
            case .projects: #"{"project":{"slug":"b","organization_id":"\#(organization)"}}"#
            case .memberships: #"{"membership":{"user_id":"\#(user)","organization_id":"\#(organization)"}}"#
            }
        let made = fixture.call(.post, json: content)
        #expect(made.status == 201 && Set(Self.names(made.body)).isSubset(of: resource.members), "\(made.body)")
        #expect(Set(resource.indispensableMembers).isSubset(of: Self.names(made.body)))
    }
}
