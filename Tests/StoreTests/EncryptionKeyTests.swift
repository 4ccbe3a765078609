import Core
import Testing

@testable import Store

struct EncryptionKeyTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func open(_ key: EncryptionKey?) throws -> SQLiteStore { try SQLiteStore(path: folder.store, encryptionKey: key) }

    private static let secrets: [StoreChange] = [
        .putSigningKey(Samples.signingKey(1)), .putSigningKey(Samples.signingKey(3)),
        .putUpstreamCredential(Samples.credential(1)), .putUpstreamCredential(Samples.credential(2)),
    ]

    @Test(arguments: [
        (String(repeating: "a", count: 31), false), (String(repeating: "a", count: 32), true),
        (String(repeating: "0f", count: 32), true), (String(repeating: "A", count: 43), true),
        (String(repeating: "passphrase ", count: 20), true), ("", false),
    ])
    func `a secret of 32 bytes or more makes a key`(secret: String, isKey: Bool) {
        #expect((EncryptionKey(secret: Array(secret.utf8)) != nil) == isKey)
    }

    @Test func `32 bytes make one key, however they are spelled`() throws {
        let hexadecimal = try #require(EncryptionKey(secret: Array(String(repeating: "Ff", count: 32).utf8)))
        let base64URL = try #require(EncryptionKey(secret: Array((String(repeating: "_", count: 42) + "8").utf8)))
        let plain = try #require(EncryptionKey(secret: [UInt8](repeating: 0xFF, count: 32)))
        let sealed = try hexadecimal.seal([1, 2, 3], for: ["row"])
        #expect(base64URL.open(sealed, for: ["row"]) == [1, 2, 3])
        #expect(plain.open(sealed, for: ["row"]) == [1, 2, 3])
        #expect(plain.open(sealed, for: ["other row"]) == nil)
        #expect(try Samples.encryptionKey().open(sealed, for: ["row"]) == nil)
    }

    @Test func `places that read alike when joined are different places`() throws {
        let key = try Samples.encryptionKey()
        let sealed = try key.seal([1], for: ["ab", "c"])
        #expect(key.open(sealed, for: ["a", "bc"]) == nil)
        #expect(key.open(sealed, for: ["abc"]) == nil)
        #expect(key.open(sealed, for: ["ab", "c", ""]) == nil)
    }

    @Test func `a wrong key is known at opening`() throws {
        _ = try open(Samples.encryptionKey("a")).commit(Self.secrets, at: 0)
        #expect(throws: StoreFault.wrongKey) { try open(Samples.encryptionKey("b")) }
        #expect(throws: StoreFault.missingKey) { try open(nil) }
        #expect(try open(Samples.encryptionKey("a")).contents().signingKeys.count == 2)
    }

    @Test func `without secrets no key is needed, and another one may be set`() throws {
        _ = try open(nil).commit([.putKey(Samples.key(1))], at: 0)
        _ = try open(Samples.encryptionKey("a")).commit([.putKey(Samples.key(2))], at: 1)
        #expect(try open(Samples.encryptionKey("b")).contents().keys.count == 2)
    }

    @Test(arguments: secrets.indices)
    func `a secret is not stored without a key, nor what came with it`(index: Int) throws {
        let store = try open(nil)
        #expect(throws: StoreFault.missingKey) { try store.commit([.putKey(Samples.key(1)), Self.secrets[index]], at: 0) }
        #expect(try store.contents().isSame(as: StoreContents()))
    }

    @Test func `of two keys used at once the second to write is refused`() throws {
        let (one, other) = (try open(Samples.encryptionKey("a")), try open(Samples.encryptionKey("b")))
        _ = try one.commit([Self.secrets[0]], at: 0)
        #expect(throws: StoreFault.wrongKey) { try other.commit([Self.secrets[1]], at: 1) }
        #expect(throws: StoreFault.wrongKey) { try other.contents() }
    }

    @Test func `no secret can be read in the files`() throws {
        let store = try open(Samples.encryptionKey())
        var key = Samples.signingKey(1)
        key.material = Array("the-material-of-a-signing-key".utf8)
        _ = try store.commit(Self.secrets + [.putSigningKey(key)], at: 0)
        let files = try folder.bytes("store.db") + folder.bytes("store.db-wal")
        let text = String(decoding: files, as: UTF8.self)
        #expect(text.contains("jky_1"))
        #expect(!text.contains("the-material"))
        #expect(!text.contains("secret-1"))
        #expect(try store.revision() == 1)
    }

    @Test(arguments: [
        "UPDATE signing_keys SET sealed_material = (SELECT sealed_material FROM signing_keys WHERE id = 'jky_3') WHERE id = 'jky_1'",
        "UPDATE signing_keys SET algorithm = 'HS256' WHERE id = 'jky_1'",
        "UPDATE signing_keys SET key_set = 'another' WHERE id = 'jky_1'",
        "UPDATE signing_keys SET id = 'jky_9' WHERE id = 'jky_1'",
        "UPDATE signing_keys SET sealed_material = zeroblob(3) WHERE id = 'jky_1'",
        "UPDATE upstream_credentials SET subject = 'mallory' WHERE subject = 'user-1'",
        "UPDATE signing_keys SET sealed_material = (SELECT sealed_document FROM upstream_credentials LIMIT 1)",
    ] as [StaticStringBox])
    func `a secret put into another row is not read`(_ statement: StaticStringBox) throws {
        let store = try open(Samples.encryptionKey())
        _ = try store.commit(Self.secrets, at: 0)
        try store.withConnection { connection throws(StoreFault) in try connection.execute(statement.text) }
        let fault = #expect(throws: StoreFault.self) { try store.contents() }
        guard case .unavailable(let reason) = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
        #expect(reason.contains("cannot be decrypted"))
    }
}

/// A literal that can be an argument of a test.
struct StaticStringBox: ExpressibleByStringLiteral, CustomTestStringConvertible, Sendable {
    let text: StaticString

    init(stringLiteral value: StaticString) { text = value }

    var testDescription: String { String(describing: text) }
}
