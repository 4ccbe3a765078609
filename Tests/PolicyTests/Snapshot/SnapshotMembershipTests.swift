import Core
import Testing

@testable import Policy

/// Routes that ask where a user belongs.
@Suite struct SnapshotMembershipTests {
    private static func fixture() throws -> PolicyFixture {
        func membership(_ project: String?, _ roles: [String] = []) -> MembershipConfiguration {
            MembershipConfiguration(
                organization: PolicyFixture.located("{path.org}"), project: project.map(PolicyFixture.located), roles: roles)
        }
        let fixture = try PolicyFixture { configuration in
            configuration.authenticators["keys"]?.change { keys in
                keys.isStored = true
                keys.keys.append(PolicyFixture.record("file", secret: "of-file") { $0.subject = "u1" })
            }
            configuration.routes = [
                PolicyFixture.route("/o/{org}/devices", PolicyFixture.anyOf("keys", "jwt")) {
                    $0.authorization.membership = membership(nil)
                    $0.setRequestHeaders = [
                        HeaderTemplate(name: "X-Mail", template: PolicyFixture.located("{user.email} ({user.name})"))
                    ]
                },
                PolicyFixture.route("/o/{org}/p/{project}", PolicyFixture.anyOf("keys", "jwt")) {
                    $0.authorization.membership = membership("{path.project}")
                },
                PolicyFixture.route("/o/{org}/admin", PolicyFixture.optional("keys")) {
                    $0.authorization.membership = membership(nil, ["admin", "owner"])
                },
            ]
        }
        return fixture
    }

    private static let fields = ["X-API-Key: s1"]

    private static func publish(
        _ memberships: [DirectoryUser.Membership], in fixture: PolicyFixture, isEnabled: Bool = true
    ) throws {
        let user = DirectorySamples.user("u1") {
            $0.memberships = memberships
            $0.isEnabled = isEnabled
        }
        let key = DirectorySamples.key("k1", secret: "s1", owner: "u1")
        fixture.directory.publish(try DirectorySamples.directory([key], users: [user]))
    }

    private static func member(_ organization: String, _ project: String? = nil, role: String = "member")
        -> DirectoryUser.Membership
    {
        DirectoryUser.Membership(organization: organization, project: project, role: role)
    }

    @Test(arguments: [
        ("/o/acme/devices", "forwarded"), ("/o/acme/p/warehouse", "forwarded"), ("/o/globex/devices", "membership_missing"),
        ("/o/globex/p/lab", "forwarded"), ("/o/globex/p/shop", "membership_missing"), ("/o/ACME/devices", "membership_missing"),
        ("/o/acm/devices", "membership_missing"), ("/o/acmee/devices", "membership_missing"),
        ("/o/%61cme/devices", "forwarded"), ("/o/globexl/p/ab", "membership_missing"), ("/o/acme/admin", "membership_missing"),
        ("/o/initech/admin", "forwarded"),
    ])
    func `a path of an organization or project`(path: String, outcome: String) throws {
        let fixture = try Self.fixture()
        try Self.publish(
            [Self.member("acme"), Self.member("globex", "lab"), Self.member("initech", role: "owner")], in: fixture)
        #expect(try fixture.outcome("GET \(path)", Self.fields) == outcome)
    }

    @Test func `a removal takes effect at once, whoever shows what`() throws {
        let fixture = try Self.fixture()
        // A key of a file and a token of an issuer's speak for the user whose id is their subject.
        let payload = Sample.payload.replacing("alice", with: "u1")
        let callers = [
            Self.fields, ["X-API-Key: of-file"],
            ["Authorization: Bearer \(String(decoding: Sample.token(payload), as: UTF8.self))"],
        ]
        for fields in callers {
            try Self.publish([Self.member("acme")], in: fixture)
            for _ in 0..<2 { #expect(try fixture.outcome("GET /o/acme/devices", fields) == "forwarded") }
            try Self.publish([], in: fixture)
            #expect(try fixture.outcome("GET /o/acme/devices", fields) == "membership_missing")
        }
        try Self.publish([Self.member("acme")], in: fixture, isEnabled: false)
        #expect(try fixture.outcome("GET /o/acme/devices", Self.fields) == "key_disabled")
        #expect(try fixture.outcome("GET /o/acme/devices", callers[1]) == "membership_missing")
    }

    @Test func `somebody nobody knows belongs nowhere`() throws {
        let fixture = try Self.fixture()
        try Self.publish([Self.member("acme")], in: fixture)
        #expect(try fixture.outcome("GET /o/acme/devices", ["X-API-Key: \(PolicyFixture.key)"]) == "membership_missing")
        #expect(try fixture.outcome("GET /o/acme/admin") == "credential_missing")
    }

    @Test func `the upstream can be told the user's address and name`() throws {
        let fixture = try Self.fixture()
        try Self.publish([Self.member("acme")], in: fixture)
        let forwarded = try fixture.forwarded("GET /o/acme/devices", Self.fields)
        #expect(forwarded.values("X-Mail") == ["u1@example.com (User u1)"])
    }
}
