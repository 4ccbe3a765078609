import Core
import Store
import Testing

@testable import TokenService

/// What is in memory is what the store would be read as.
struct StoreIndexTests {
    @Test func `random changes mean to the index what they mean to the store`() {
        var random = SystemRandomNumberGenerator()
        var contents = StoreContents()
        var index = StoreIndex(contents)
        var applied = 0
        for _ in 0..<2000 {
            let change = Self.change(&random, contents)
            // What the store refuses as inconsistent is kept from it by what is decided before.
            guard (try? contents.apply(change)) != nil else { continue }
            var undo: [StoreChange] = []
            index.apply(change, undo: &undo)
            applied += 1
            expect(index, holds: contents, after: change)
        }
        #expect(applied > 500)
    }

    @Test func `undoing changes in reverse leaves what was there before`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            var contents = StoreContents()
            for _ in 0..<40 { try? contents.apply(Self.change(&random, contents)) }
            var index = StoreIndex(contents)
            var undo: [StoreChange] = []
            var after = contents
            for _ in 0..<10 {
                let change = Self.change(&random, after)
                guard (try? after.apply(change)) != nil else { continue }
                index.apply(change, undo: &undo)
            }
            var redo: [StoreChange] = []
            for change in undo.reversed() { index.apply(change, undo: &redo) }
            expect(index, holds: contents, after: nil)
        }
    }

    private func expect(_ index: StoreIndex, holds contents: StoreContents, after change: StoreChange?) {
        let changed: Comment = "after \(String(describing: change))"
        #expect(Set(index.keys.keys) == Set(contents.keys.map(\.id)), changed)
        #expect(contents.users.allSatisfy { index.user(email: $0.email) == $0 && index.users[$0.id] == $0 }, changed)
        #expect(index.users.count == contents.users.count, changed)
        #expect(Set(index.organizations.keys) == Set(contents.organizations.map(\.id)), changed)
        #expect(Set(index.projects.keys) == Set(contents.projects.map(\.id)), changed)
        #expect(Set(index.memberships.keys) == Set(contents.memberships.map(\.identity)), changed)
        #expect(Set(index.tokenFamilies.keys) == Set(contents.tokenFamilies.map(\.id)), changed)
    }

    /// A change among few identities, so that changes meet.
    private static func change(_ random: inout some RandomNumberGenerator, _ contents: StoreContents) -> StoreChange {
        let (a, b) = (Int.random(in: 1...4, using: &random), Int.random(in: 1...4, using: &random))
        let now = WallTime(seconds: 1_800_000_000)
        let project = Bool.random(using: &random) ? "project-\(a)" : nil
        let membership = StoredMembership.Identity(user: "user-\(a)", organization: "org-\(b)", project: project)
        switch Int.random(in: 0..<11, using: &random) {
        case 0, 1:
            return .putKey(
                StoredKey(
                    id: "key-\(a)", authenticator: "keys", name: "", subject: "anybody",
                    owner: b == 1 ? nil : "user-\(b)", createdAt: now, secrets: []))
        case 2: return .removeKey(id: "key-\(a)")
        case 3, 4:
            return .putUser(
                StoredUser(
                    id: "user-\(a)", email: "\(b)@example.com", name: "", passwordHash: nil, createdAt: now,
                    tokensValidFrom: now))
        case 5: return .removeUser(id: "user-\(a)")
        case 6: return .putOrganization(StoredOrganization(id: "org-\(a)", slug: "org-\(a)", name: ""))
        case 7:
            return b == 1
                ? .removeOrganization(id: "org-\(a)")
                : .putProject(StoredProject(id: "project-\(a)", organization: "org-\(b)", slug: "p-\(a)", name: ""))
        case 8: return b == 1 ? .removeProject(id: "project-\(a)") : .removeMembership(membership)
        case 9: return .putMembership(StoredMembership(identity: membership, role: "member"))
        default:
            // Users and keys begin families only once they are there.
            let user = contents.users.first { $0.id == "user-\(a)" }
            let key = contents.keys.first { $0.id == "key-\(b)" }
            return .putTokenFamily(
                TokenFamily(
                    id: "family-\(a)", issuer: "own", subject: b == 1 ? user?.id ?? "anybody" : "anybody",
                    key: b == 1 ? nil : key?.id, scopes: [], current: Digest256(1, 2, 3, 4), createdAt: now,
                    expiresAt: now))
        }
    }
}
