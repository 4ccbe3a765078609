import Core
import Crypto
import Store
import Testing

@testable import TokenService

/// What bounds the families of refresh tokens.
struct TokenFamilyTests {
    private static let now = WallTime(seconds: 1_800_000_000)

    private static func key(_ id: String) -> StoredKey {
        StoredKey(
            id: id, authenticator: "keys", name: "ci", subject: "somebody", scopes: ["read"],
            createdAt: WallTime(seconds: 1_700_000_000),
            secrets: [.init(digest: ServiceFixture.digest, createdAt: WallTime(seconds: 1_700_000_000))])
    }

    private static func family(_ number: Int, key: String? = "key_1", livesFor seconds: Int64 = 3600) -> TokenFamily {
        TokenFamily(
            id: "family-\(number)", issuer: "own", subject: "somebody", key: key, scopes: [], current: Digest256(1, 2, 3, 4),
            createdAt: now.advanced(by: .seconds(Int64(number))), expiresAt: now.advanced(by: .seconds(seconds)))
    }

    private static func index(_ families: [TokenFamily], keys: [StoredKey] = [key("key_1")]) -> StoreIndex {
        var contents = StoreContents()
        contents.keys = keys
        contents.tokenFamilies = families
        return StoreIndex(contents)
    }

    @Test func `a key that mints without end has so many families and no more, the oldest end`() throws {
        let fixture = try ServiceFixture([.putKey(Self.key("key_1"))])
        let caller = try ServiceFixture.identity(scopes: ["read"], id: "key_1")
        var tokens: [String] = []
        for _ in 0..<(StoreIndex.familyLimit + 20) {
            tokens.append(try #require(try fixture.answer("mint-refresh", as: caller)["refresh_token"]?.text))
            fixture.clock.advance(1)
        }
        #expect(try fixture.store.contents().tokenFamilies.count == StoreIndex.familyLimit)
        let refresh = { (token: String) in
            try fixture.refusal("refresh", content: #"{"refresh_token":"\#(token)"}"#, type: "application/json")
        }
        #expect(try refresh(tokens[19]) == "refresh_token_invalid")
        #expect(try refresh(tokens[20]) == nil)
    }

    @Test func `families of others do not count, and expired ones end before living ones`() {
        let limit = StoreIndex.familyLimit
        let others = (0..<limit).map { Self.family($0, key: "key_2") }
        #expect(Self.index(others).changes(beginning: Self.family(1000), at: Self.now).count == 1)
        var own = (0..<limit).map { Self.family($0) }
        own[70] = Self.family(70, livesFor: 0)
        let removed = Self.index(own).changes(beginning: Self.family(1000), at: Self.now).compactMap { change in
            if case .removeTokenFamily(let id) = change { id } else { nil }
        }
        #expect(removed == ["family-70"])
    }

    @Test func `a store with far too many of one key comes down to the bound at once`() {
        var index = Self.index((0..<2219).map { Self.family($0) })
        var undo: [StoreChange] = []
        for change in index.changes(beginning: Self.family(3000), at: Self.now) { index.apply(change, undo: &undo) }
        #expect(index.tokenFamilies.count == StoreIndex.familyLimit)
        #expect(index.tokenFamilies["family-3000"] != nil && index.tokenFamilies["family-2218"] != nil)
        index.takeBack(undo)
        #expect(index.tokenFamilies.count == 2219 && index.tokenFamilies(of: .key("key_1")).count == 2219)
    }

    @Test func `families go with their key`() throws {
        let fixture = try ServiceFixture([.putKey(Self.key("key_1")), .putKey(Self.key("key_2"))])
        for id in ["key_1", "key_2"] {
            _ = try fixture.answer("mint-refresh", as: try ServiceFixture.identity(scopes: ["read"], id: id))
        }
        _ = fixture.service.registry?.change { _ throws(ActionRefusal) in ([.removeKey(id: "key_1")], ()) }
        #expect(try fixture.store.contents().tokenFamilies.map(\.key) == ["key_2"])
        let left = fixture.service.registry?.look { $0.tokenFamilies.values.map(\.key) }
        #expect(try left?.get() == ["key_2"])
    }

    @Test func `time takes away expired families and those whose key is gone`() {
        let families = [
            Self.family(1), Self.family(2, livesFor: 0), Self.family(3, key: "key_gone"), Self.family(4, key: nil),
        ]
        let removed = StoreMaintenance.round(in: Self.index(families), now: Self.now).changes.compactMap { change in
            if case .removeTokenFamily(let id) = change { id } else { nil }
        }
        #expect(Set(removed) == ["family-2", "family-3"])
    }
}
