import Core
import Testing

@testable import Store

/// What every store does, asked of each of them.
struct CredentialStoreTests {
    enum Kind: CaseIterable { case memory, sqlite }

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func store(_ kind: Kind) throws -> any CredentialStore {
        switch kind {
        case .memory: MemoryStore()
        case .sqlite: try SQLiteStore(path: folder.store, encryptionKey: Samples.encryptionKey())
        }
    }

    @Test(arguments: Kind.allCases)
    func `a new store is empty and stands at revision 0`(_ kind: Kind) throws {
        let contents = try store(kind).contents()
        #expect(contents.isSame(as: StoreContents()))
    }

    @Test(arguments: Kind.allCases)
    func `what was committed is read again as it was`(_ kind: Kind) throws {
        let store = try store(kind)
        #expect(try store.commit(Samples.oneOfEach, at: 0) == 1)
        var expected = StoreContents()
        for change in Samples.oneOfEach { try expected.apply(change) }
        expected.revision = 1
        #expect(try store.contents().isSame(as: expected))
        #expect(try store.revision() == 1)
    }

    @Test(arguments: Kind.allCases)
    func `a commit at another revision changes nothing`(_ kind: Kind) throws {
        let store = try store(kind)
        _ = try store.commit([.putKey(Samples.key(1))], at: 0)
        for revision: Int64 in [0, 2, -1, .max] {
            #expect(throws: StoreFault.conflict) { try store.commit([.putKey(Samples.key(2))], at: revision) }
        }
        #expect(try store.contents().keys == [Samples.key(1)])
    }

    @Test(arguments: Kind.allCases)
    func `a change that contradicts others undoes the whole commit`(_ kind: Kind) throws {
        let store = try store(kind)
        _ = try store.commit(Samples.oneOfEach, at: 0)
        let before = try store.contents()
        let contradictions: [StoreChange] = [
            .putUser(Samples.user(9, email: "user1@example.com")), .putOrganization(Samples.organization(9, slug: "acme-1")),
            .putProject(Samples.project(9, of: 1, slug: "warehouse-1")), .putProject(Samples.project(9, of: 8)),
            .putMembership(Samples.membership(user: 9, organization: 1)),
            .putMembership(Samples.membership(user: 1, organization: 9)),
            .putMembership(Samples.membership(user: 1, organization: 1, project: 9)),
            .putKey(Samples.key(9, owner: "user-9")),
        ]
        for change in contradictions {
            let fault = #expect(throws: StoreFault.self) {
                try store.commit([.putKey(Samples.key(4)), .removeUser(id: "user-2"), change], at: 1)
            }
            guard case .inconsistent = fault else {
                Issue.record("\(change): \(String(describing: fault))")
                continue
            }
        }
        #expect(try store.contents().isSame(as: before))
    }

    @Test(arguments: Kind.allCases)
    func `a user goes with memberships, keys and token families`(_ kind: Kind) throws {
        let store = try store(kind)
        _ = try store.commit(Samples.oneOfEach, at: 0)
        _ = try store.commit([.removeUser(id: "user-1")], at: 1)
        let contents = try store.contents().ordered
        #expect(contents.users.map(\.id) == ["user-2"])
        #expect(contents.memberships.map(\.identity.user) == ["user-2"])
        #expect(contents.keys.map(\.id) == ["key-1", "key-3"])
        #expect(contents.tokenFamilies == [])
    }

    @Test(arguments: Kind.allCases)
    func `a key goes with the token families that were begun with it`(_ kind: Kind) throws {
        let store = try store(kind)
        let families = [Samples.family(1, subject: "somebody", key: "key-1"), Samples.family(2, subject: "somebody", key: "key-2")]
        let keys: [StoreChange] = [.putKey(Samples.key(1)), .putKey(Samples.key(2))]
        _ = try store.commit(keys + families.map { .putTokenFamily($0) }, at: 0)
        _ = try store.commit([.removeKey(id: "key-1")], at: 1)
        #expect(try store.contents().tokenFamilies == [families[1]])
    }

    @Test(arguments: Kind.allCases)
    func `an organisation goes with projects and memberships`(_ kind: Kind) throws {
        let store = try store(kind)
        _ = try store.commit(Samples.oneOfEach, at: 0)
        _ = try store.commit([.removeOrganization(id: "org-1")], at: 1)
        let contents = try store.contents()
        #expect(contents.organizations == [])
        #expect(contents.projects == [])
        #expect(contents.memberships == [])
        #expect(contents.users.count == 2)
    }

    @Test(arguments: Kind.allCases)
    func `a user put again keeps keys and memberships`(_ kind: Kind) throws {
        let store = try store(kind)
        _ = try store.commit(Samples.oneOfEach, at: 0)
        _ = try store.commit([.putUser(Samples.user(1, email: "new@example.com"))], at: 1)
        let contents = try store.contents().ordered
        #expect(contents.users.map(\.email) == ["new@example.com", "user2@example.com"])
        #expect(contents.keys.count == 3)
        #expect(contents.memberships.count == 2)
    }

    @Test(arguments: Kind.allCases)
    func `removing what is not there changes nothing but the revision`(_ kind: Kind) throws {
        let store = try store(kind)
        let revision = try store.commit(
            [
                .removeKey(id: "x"), .removeUser(id: "x"), .removeOrganization(id: "x"), .removeProject(id: "x"),
                .removeMembership(.init(user: "x", organization: "y", project: nil)), .removeSigningKey(id: "x"),
                .removeTokenFamily(id: "x"), .removeUpstreamCredential(.init(name: "x", issuer: "y", subject: "z")),
            ], at: 0)
        #expect(revision == 1)
    }

    @Test(arguments: Kind.allCases)
    func `usage is added up, keeps the latest time and leaves the revision`(_ kind: Kind) throws {
        let store = try store(kind)
        let late = Samples.noon.advanced(by: .seconds(60))
        _ = try store.commit([.putKey(Samples.key(1))], at: 0)
        try store.record([KeyUsage(key: "key-1", count: 3, lastUsedAt: late), KeyUsage(key: "of-a-file", count: 1, lastUsedAt: late)])
        try store.record([KeyUsage(key: "key-1", count: 4, lastUsedAt: Samples.noon)])
        let expected = [
            KeyUsage(key: "key-1", count: 7, lastUsedAt: late), KeyUsage(key: "of-a-file", count: 1, lastUsedAt: late),
        ]
        #expect(try store.usage() == expected)
        #expect(try store.revision() == 1)
        _ = try store.commit([.removeKey(id: "key-1")], at: 1)
        #expect(try store.usage().map(\.key) == ["of-a-file"])
    }

    @Test func `a thousand random changes leave both stores with the same contents`() throws {
        let memory = try store(.memory)
        let sqlite = try store(.sqlite)
        var random = SystemRandomNumberGenerator()
        for revision in 0..<250 {
            let changes = (0..<4).map { _ in Samples.change(&random) }
            let one = Result { try memory.commit(changes, at: memory.revision()) }
            let other = Result { try sqlite.commit(changes, at: sqlite.revision()) }
            switch (one, other) {
            case (.success(let one), .success(let other)): #expect(one == other)
            case (.failure, .failure): break
            default: Issue.record("commit \(revision): \(one) and \(other) of \(changes)")
            }
        }
        #expect(try memory.contents().isSame(as: sqlite.contents()))
        #expect(try memory.revision() > 0)
    }
}

extension Samples {
    /// A change among few identities, so that changes meet.
    static func change(_ random: inout some RandomNumberGenerator) -> StoreChange {
        let (a, b) = (Int.random(in: 1...4, using: &random), Int.random(in: 1...4, using: &random))
        let project = Bool.random(using: &random) ? a : nil
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return .putKey(key(a, secrets: b))
        case 1: return .putKey(key(a, owner: "user-\(b)"))
        case 2: return .removeKey(id: "key-\(a)")
        case 3, 4: return .putUser(user(a))
        case 5: return .putUser(user(a, email: "user\(b)@example.com"))
        case 6: return .removeUser(id: "user-\(a)")
        case 7, 8: return .putOrganization(organization(a, slug: b == 1 ? "acme-2" : nil))
        case 9: return .removeOrganization(id: "org-\(a)")
        case 10, 11: return .putProject(Samples.project(a, of: b))
        case 12: return .removeProject(id: "project-\(a)")
        case 13, 14: return .putMembership(membership(user: a, organization: b, project: project, role: "role-\(b)"))
        case 15: return .removeMembership(membership(user: a, organization: b, project: project).identity)
        case 16: return .putSigningKey(signingKey(a))
        case 17: return .putTokenFamily(family(a, key: "key-\(b)"))
        case 18: return .putUpstreamCredential(credential(a))
        default: return .removeUpstreamCredential(credential(a).identity)
        }
    }
}
