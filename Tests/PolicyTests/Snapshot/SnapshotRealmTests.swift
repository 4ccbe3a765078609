import Core
import Testing

@testable import Policy

/// Which realm a request is about.
@Suite struct SnapshotRealmTests {
    private static func fixture(isRequired: Bool = true) throws -> PolicyFixture {
        try PolicyFixture { configuration in
            configuration.authenticators["keys"]?.change { keys in
                keys.takesRealmSuffix = true
                keys.sources = [.header("X-API-Key"), .bearer(prefix: "k_")]
                keys.keys += [
                    PolicyFixture.record("free", secret: "k_free"),
                    PolicyFixture.record("locked", secret: "k_locked") { $0.realm = "one" },
                ]
            }
            configuration.routes = [
                PolicyFixture.route("/r", PolicyFixture.anyOf("keys")) {
                    $0.realm = RealmConfiguration(header: "X-Realm", parameter: "realm_id", isRequired: isRequired)
                    $0.setRequestHeaders = [HeaderTemplate(name: "X-Tenant", template: PolicyFixture.located("{realm}"))]
                },
                PolicyFixture.route("/plain", PolicyFixture.anyOf("keys")),
            ]
        }
    }

    /// The realm the upstream is told, or the reason of the refusal.
    private static func realm(_ query: String, _ fields: [String], isRequired: Bool = true) throws -> String {
        let fixture = try fixture(isRequired: isRequired)
        let outcome = try fixture.outcome("GET /r\(query)", fields)
        guard outcome == "forwarded" else { return outcome }
        let forwarded = try fixture.forwarded("GET /r\(query)", fields)
        #expect(forwarded.values("X-Realm").isEmpty && forwarded.values("Authorization").isEmpty)
        return forwarded.values("X-Tenant").first ?? "none"
    }

    private static let free = "X-API-Key: k_free"
    private static let locked = "X-API-Key: k_locked"

    @Test(arguments: [
        ("", [free, "X-Realm: one"], "one"), ("", ["Authorization: Bearer k_free,one"], "one"),
        ("", ["Authorization: Bearer k_free", "X-Realm: one"], "one"),
        ("", ["Authorization: Bearer k_free,one", "X-Realm: one"], "one"),
        ("", ["Authorization: Bearer k_free,one", "X-Realm: two"], "realm_conflict"),
        ("?realm_id=two", [free, "X-Realm: one"], "two"), ("?realm_id=two", ["Authorization: Bearer k_free,one"], "two"),
        ("?realm_id=two", [free], "two"), ("?x=1&realm%5Fid=two", [free], "two"),
        ("?realm_id=two", ["Authorization: Bearer k_free,one", "X-Realm: three"], "realm_conflict"),
        ("", [free], "realm_missing"), ("", [locked], "one"), ("", ["Authorization: Bearer k_locked"], "one"),
        ("?realm_id=one", [locked, "X-Realm: one"], "one"), ("?realm_id=two", [locked], "realm_not_allowed"),
        ("", [locked, "X-Realm: two"], "realm_not_allowed"), ("?realm_id=one", [locked, "X-Realm: two"], "realm_not_allowed"),
        ("", ["Authorization: Bearer k_locked,two"], "realm_not_allowed"), ("", ["Authorization: Bearer k_locked,one"], "one"),
        ("", ["Authorization: Bearer k_free,"], "realm_missing"), ("", ["Authorization: Bearer k_free,one,one"], "realm_missing"),
        ("", ["Authorization: Bearer k_free, one"], "realm_missing"), ("", [free, "X-Realm:"], "realm_missing"),
        ("", [free, "X-Realm: one", "X-Realm: one"], "realm_conflict"), ("?realm_id=one&realm_id=one", [free], "realm_conflict"),
        ("?realm_id=", [free], "realm_missing"), ("?realm_id=a%0D%0Ab", [free], "realm_missing"),
        ("?realm_id=a%20b", [locked], "realm_missing"), ("", ["X-API-Key: k_free,one"], "credential_unknown"),
        ("", ["Authorization: Bearer k_none,one"], "credential_unknown"),
    ])
    func `a realm follows from what is named`(query: String, fields: [String], realm: String) throws {
        #expect(try Self.realm(query, fields) == realm)
    }

    @Test(arguments: [
        "Realm_id=two", "realm_id[]=two", "realm_id%5B0%5D=two", "realm_id=one&REALM_ID=two", "a=1;realm_id=two", ";realm_id=two", "+realm_id=two",
        "realm_id%00=two", "realm.id=two", "realm_id%20=two", "realm%255Fid=two", "%u0072ealm_id=two", "__proto__[realm_id]=two", "realm_id.x=two",
        "realmId=two", "%ef%bd%92ealm_id=two", "a=1&amp;realm_id=two",
    ])
    func `a parameter that some parser takes for the realm's is refused, whoever asks`(query: String) throws {
        for field in [Self.free, Self.locked] { #expect(try Self.realm("?\(query)", [field, "X-Realm: one"]) == "realm_ambiguous") }
        #expect(try Self.realm("?\(query)", [Self.locked], isRequired: false) == "realm_ambiguous")
    }

    @Test func `a header of another spelling is not read and does not go on`() throws {
        let fixture = try Self.fixture()
        let forwarded = try fixture.forwarded("GET /r", [Self.free, "X-Realm: one", "X_Realm: two", "x.realm: two"])
        #expect(forwarded.values("X-Tenant") == ["one"])
        #expect(forwarded.values("X_Realm").isEmpty && forwarded.values("x.realm").isEmpty)
    }

    @Test func `where none is needed, none is told`() throws {
        #expect(try Self.realm("", [Self.free], isRequired: false) == "none")
        #expect(try Self.realm("", [Self.free, "X-Realm: one"], isRequired: false) == "one")
        #expect(try Self.realm("?realm_id=two", [Self.locked], isRequired: false) == "realm_not_allowed")
    }

    @Test func `a suffix is cut off where no realm is asked for`() throws {
        let fixture = try Self.fixture()
        #expect(try fixture.outcome("GET /plain", ["Authorization: Bearer k_free,one"]) == "forwarded")
    }

    @Test func `the content of an action names a realm as the parameter does`() throws {
        let open = RequestRealm(isRequired: true)
        #expect(try open.resolved(content: NamedRealms("one")) == "one")
        #expect(throws: Denial.realmMissing) { try open.resolved() }
        #expect(throws: Denial.realmMissing) { try open.resolved(content: NamedRealms("a b")) }
        let named = RequestRealm(query: NamedRealms("one"), fallback: "two", isRequired: true)
        #expect(try named.resolved(content: NamedRealms("one")) == "one")
        #expect(throws: Denial.realmConflict) { try named.resolved(content: NamedRealms("two")) }
        let locked = RequestRealm(lock: "one", isRequired: true)
        #expect(throws: Denial.realmNotAllowed) { try locked.resolved(content: NamedRealms("two")) }
        #expect(try locked.resolved(content: NamedRealms("one")) == "one")
    }

    @Test(arguments: [
        ("?user[realm_id]=two", [free, "X-Realm: one"], "two"), ("?user%5Brealm_id%5D=two", [free], "two"),
        ("?realm_id=two&user[realm_id]=two&org[realm_id]=two", [free], "two"), ("?user[realm_id]=two", [locked], "realm_not_allowed"),
        ("?user[realm_id]=one", [locked], "one"), ("?user[realm_id]=one&org[realm_id]=two", [free], "realm_ambiguous"),
        ("?realm_id=one&user[realm_id]=two", [free], "realm_ambiguous"), ("?realm_id=one&user[realm_id]=two", [locked], "realm_not_allowed"),
        ("?user[realm_id]=one&user[realm_id]=one", [free], "realm_conflict"), ("?user[a][realm_id]=two", [free], "realm_missing"),
        ("?user[a][realm_id]=two", [free, "X-Realm: two"], "two"), ("?user[a][realm_id]=two", [free, "X-Realm: one"], "realm_ambiguous"),
        ("?user[a][realm_id]=two", [locked], "realm_not_allowed"), ("?user[][realm_id]=one&user[][realm_id]=two", [locked], "realm_not_allowed"),
        ("?user[][realm_id]=one&user[][realm_id]=one", [locked], "one"), ("?user[realm_id]=a%20b", [free], "realm_missing"),
    ])
    func `a resource in the query names its realm, and nothing deeper contradicts it`(query: String, fields: [String], realm: String) throws {
        #expect(try Self.realm(query, fields) == realm)
    }

    @Test(arguments: [
        "user[realm_id", "user]realm_id]=two", "user[realm_id][]=one", "user[realm_id]x=one", "user.realm_id=one", "user[Realm_id]=one",
        "user[+realm_id+]=one", "user[realmId]=one", "user%255Brealm_id%255D=one", "user%5B%5Brealm_id%5D=one", "a=1;user[realm_id]=one",
        "user[realm_id][realm_id]=one", "realm_id[realm_id]=one", "[user][realm_id]=one", "user['realm_id']=one", "a%26user[realm_id]=one",
        "user]a[realm_id]=one", "user[a][[realm_id]=one",
    ])
    func `a nested parameter in another spelling is refused, whoever asks`(query: String) throws {
        for field in [Self.free, Self.locked] { #expect(try Self.realm("?\(query)", [field, "X-Realm: one"]) == "realm_ambiguous") }
    }
}
