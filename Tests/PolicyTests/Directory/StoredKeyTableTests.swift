import Core
import Crypto
import Testing

@testable import Policy

/// Tables of stored keys.
@Suite struct StoredKeyTableTests {
    private static func record(of secret: String, in table: APIKeyTable) throws -> APIKeyTable.Record {
        try #require(table.lookup(Sample.cryptography.sha256(secret.utf8.span)))
    }

    @Test func `a stored key is found by each of its secrets, and by the family of each`() throws {
        let digests = ["old", "new"].map { Sample.cryptography.sha256($0.utf8.span) }
        let key = DirectorySamples.key("k", secret: "old") {
            $0.secrets = digests.map { .init(digest: $0, notBefore: nil, expiresAt: nil) }
            $0.scopes = ["a", "b"]
            $0.realm = "rl_1"
        }
        let table = try APIKeyTable.stored([key], users: [:])
        for digest in digests {
            let record = try #require(table.lookup(digest))
            #expect(table.lookup(KeyFamily(digest)) == record)
            #expect(table.scopes(of: record).strings == ["a", "b"])
            #expect(table.realm(of: record) == "rl_1")
            #expect(table.fault(of: record, now: WallTime(seconds: 1)) == nil)
        }
        #expect(table.lookup(KeyFamily(Sample.cryptography.sha256("other".utf8.span))) == nil)
    }

    @Test func `a key of an unknown or disabled owner is disabled`() throws {
        let users = ["off": DirectorySamples.user("off") { $0.isEnabled = false }, "on": DirectorySamples.user("on")]
        let keys = ["off", "on", "gone"].map { DirectorySamples.key("key-of-\($0)", secret: $0, owner: $0) }
        let table = try APIKeyTable.stored(keys, users: users)
        let now = WallTime(seconds: 1)
        #expect(table.fault(of: try Self.record(of: "off", in: table), now: now) == .disabled)
        #expect(table.fault(of: try Self.record(of: "gone", in: table), now: now) == .disabled)
        #expect(table.fault(of: try Self.record(of: "on", in: table), now: now) == nil)
    }

    @Test func `a key has no scope that its owner has not`() throws {
        let users = ["u": DirectorySamples.user("u") { $0.scopes = ["read", "list"] }]
        let key = DirectorySamples.key("k", secret: "s", owner: "u") { $0.scopes = ["read", "write"] }
        let table = try APIKeyTable.stored([key], users: users)
        #expect(table.scopes(of: try Self.record(of: "s", in: table)).strings == ["read"])
    }

    @Test func `a key without secrets is left out, two of one id are refused`() throws {
        let bare = DirectorySamples.key("k", secret: "s") { $0.secrets = [] }
        #expect(try APIKeyTable.stored([bare], users: [:]).count == 0)
        let twins = [DirectorySamples.key("k", secret: "1"), DirectorySamples.key("k", secret: "2")]
        #expect(throws: APIKeyTableError.self) { try APIKeyTable.stored(twins, users: [:]) }
    }

    @Test func `an empty table knows nobody`() {
        #expect(APIKeyTable.empty.lookup(Sample.cryptography.sha256("s".utf8.span)) == nil)
        #expect(APIKeyTable.empty.lookup(KeyFamilyTests.digest) == nil)
    }
}
