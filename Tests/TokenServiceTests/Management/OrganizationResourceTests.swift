import Core
import Policy
import Store
import Testing

@testable import TokenService

/// Organisations, projects and memberships, which belong together.
struct OrganizationResourceTests {
    private var fixture = ManagementFixture(.organizations)

    init() { fixture.caller.grantsAnything = true }

    private mutating func call(
        _ resource: ManagementConfiguration.Resource, _ method: Core.Method, _ item: String? = nil, query: String = "",
        json: String? = nil
    ) -> ManagementFixture.Answer {
        var other = fixture.turned(to: resource)
        let answer = other.call(method, item, query: query, json: json)
        fixture.index = other.index
        return answer
    }

    private mutating func organization(_ slug: String) -> String {
        call(.organizations, .post, json: #"{"organization":{"slug":"\#(slug)"}}"#)["id"] ?? ""
    }

    @Test mutating func `slugs are plain and unique`() {
        let id = organization("acme")
        #expect(id.hasPrefix("org_"))
        for slug in ["acme", "Acme", "a/b", "", "-a", "a_b", "a.b", "%61", "ä", String(repeating: "a", count: 64)] {
            #expect(call(.organizations, .post, json: #"{"organization":{"slug":"\#(slug)"}}"#).status == 422, "\(slug)")
        }
        #expect(call(.organizations, .patch, id, json: #"{"organization":{"slug":"acme-2","name":"Acme"}}"#)["slug"] == "acme-2")
        #expect(call(.organizations, .get, query: "slug=acme-2").ids == [id])
    }

    @Test mutating func `projects belong to one organization, and slugs are unique in it`() {
        let (acme, other) = (organization("acme"), organization("other"))
        let body = #"{"project":{"slug":"warehouse","organization_id":"\#(acme)"}}"#
        let project = call(.projects, .post, json: body)["id"] ?? ""
        #expect(call(.projects, .post, json: body).messages == ["Slug has already been taken"])
        #expect(call(.projects, .post, json: #"{"project":{"slug":"warehouse","organization_id":"\#(other)"}}"#).status == 201)
        #expect(call(.projects, .get, query: "organization_id=\(acme)").ids == [project])
        #expect(call(.projects, .post, json: #"{"project":{"slug":"x"}}"#).messages == ["Organization can't be blank"])
        #expect(call(.organizations, .delete, acme).status == 202)
        #expect(call(.projects, .get, project).status == 404)
    }

    @Test mutating func `memberships join users with organizations and projects`() {
        let (acme, other) = (organization("acme"), organization("other"))
        let user = fixture.addUser("a@example.com")
        let project = call(.projects, .post, json: #"{"project":{"slug":"w","organization_id":"\#(acme)"}}"#)["id"] ?? ""
        let made = call(
            .memberships, .post, json: #"{"membership":{"user_id":"\#(user)","organization_id":"\#(acme)","project_id":"\#(project)"}}"#)
        #expect(made.status == 201 && made["role"] == "member" && made["id"] == "\(user).\(acme).\(project)")
        let id = made["id"] ?? ""
        #expect(call(.memberships, .patch, id, json: #"{"membership":{"role":"admin"}}"#)["role"] == "admin")
        let wrong = [
            #""user_id":"usr_x","organization_id":"\#(acme)""#, #""user_id":"\#(user)","organization_id":"org_x""#,
            #""user_id":"\#(user)","organization_id":"\#(other)","project_id":"\#(project)""#, #""organization_id":"\#(acme)""#,
            #""user_id":"\#(user)","organization_id":"\#(acme)","project_id":"\#(project)""#,
            #""user_id":"\#(user)","organization_id":"\#(acme)","role":"a b""#,
        ]
        for members in wrong {
            #expect(call(.memberships, .post, json: "{\"membership\":{\(members)}}").status == 422, "\(members)")
        }
        #expect(call(.memberships, .delete, id).status == 202 && call(.memberships, .get, id).status == 404)
    }

    @Test mutating func `a path that names an organization confines everything to it`() {
        let (acme, other) = (organization("acme"), organization("other"))
        let user = fixture.addUser("a@example.com")
        let far = call(.memberships, .post, json: #"{"membership":{"user_id":"\#(user)","organization_id":"\#(other)"}}"#)["id"] ?? ""
        let foreign = call(.projects, .post, json: #"{"project":{"slug":"p","organization_id":"\#(other)"}}"#)["id"] ?? ""
        fixture.organization = "acme"
        #expect(call(.organizations, .get).ids == [acme])
        #expect(call(.organizations, .post, json: #"{"organization":{"slug":"new"}}"#).status == 405)
        #expect(call(.organizations, .delete, acme).status == 405 && call(.organizations, .get, other).status == 404)
        #expect(call(.organizations, .patch, acme, json: #"{"organization":{"slug":"other2"}}"#).status == 403)
        #expect(call(.memberships, .get, far).status == 404 && call(.memberships, .delete, far).status == 404)
        #expect(call(.projects, .delete, foreign).status == 404)
        let escape = #"{"membership":{"user_id":"\#(user)","organization_id":"\#(other)","role":"admin"}}"#
        #expect(call(.memberships, .post, json: escape).status == 422)
        #expect(call(.memberships, .post, json: #"{"membership":{"user_id":"\#(user)"}}"#).status == 201)
        fixture.organization = "nowhere"
        #expect(call(.memberships, .post, json: #"{"membership":{"user_id":"\#(user)"}}"#).status == 404)
        #expect(call(.organizations, .get).ids.isEmpty)
    }

    @Test mutating func `nobody gives, changes or takes a role that he does not have there`() {
        let (acme, other) = (organization("acme"), organization("other"))
        let project = call(.projects, .post, json: #"{"project":{"slug":"w","organization_id":"\#(acme)"}}"#)["id"] ?? ""
        let (me, you) = (fixture.addUser("a@example.com"), fixture.addUser("b@example.com"))
        func content(_ user: String, _ place: String, _ role: String) -> String {
            #"{"membership":{"user_id":"\#(user)",\#(place),"role":"\#(role)"}}"#
        }
        let whole = #""organization_id":"\#(acme)""#
        let part = whole + #","project_id":"\#(project)""#
        let elsewhere = #""organization_id":"\#(other)""#
        let own = call(.memberships, .post, json: content(me, part, "admin"))["id"] ?? ""
        let owner = call(.memberships, .post, json: content(you, elsewhere, "admin"))["id"] ?? ""
        fixture.caller.grantsAnything = false
        fixture.caller.subject = me
        #expect(call(.memberships, .post, json: content(you, whole, "admin")).status == 403)
        #expect(call(.memberships, .post, json: content(me, elsewhere, "admin")).status == 403)
        #expect(call(.memberships, .post, json: content(you, part, "owner")).status == 403)
        #expect(call(.memberships, .patch, own, json: #"{"membership":{"role":"owner"}}"#).status == 403)
        #expect(call(.memberships, .patch, owner, json: #"{"membership":{"role":"admin"}}"#).status == 403)
        #expect(call(.memberships, .delete, owner).status == 403)
        #expect(call(.memberships, .post, json: content(you, part, "admin")).status == 201)
        // Somebody of the whole organisation is somebody in each of its projects.
        fixture.caller.grantsAnything = true
        _ = call(.memberships, .post, json: content(me, whole, "owner"))
        fixture.caller.grantsAnything = false
        #expect(call(.memberships, .patch, own, json: #"{"membership":{"role":"owner"}}"#).status == 200)
        // A caller who is no user has no roles.
        fixture.caller.subject = nil
        #expect(call(.memberships, .delete, own).status == 403)
    }
}
