import Core
import Glibc
import Testing

@testable import Store

/// The file of a store: made, shared, and found in a bad state.
struct StoreFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func open(_ path: String? = nil) throws -> SQLiteStore {
        try SQLiteStore(path: path ?? folder.store, encryptionKey: Samples.encryptionKey())
    }

    /// A store with one record of each kind, closed again.
    private func makeStore() throws {
        _ = try open().commit(Samples.oneOfEach, at: 0)
    }

    /// What opening and reading the store ends in.
    private func faultOfReading() -> StoreFault? {
        do {
            _ = try open().contents()
            return nil
        } catch {
            return error as? StoreFault
        }
    }

    @Test func `the file and its folders are made for their owner only`() throws {
        _ = try open(folder.path("var/lib/store.db")).commit([.putKey(Samples.key(1))], at: 0)
        #expect(try folder.mode("var") == 0o700)
        #expect(try folder.mode("var/lib") == 0o700)
        #expect(try folder.mode("var/lib/store.db") == 0o600)
    }

    @Test func `the log beside the file is for its owner only too`() throws {
        let store = try open()
        _ = try store.commit([.putKey(Samples.key(1))], at: 0)
        #expect(try folder.mode("store.db-wal") == 0o600)
        #expect(try store.revision() == 1)
    }

    @Test func `what was committed is there when the store is opened again`() throws {
        try makeStore()
        let contents = try open().contents()
        #expect(contents.revision == 1)
        #expect(contents.keys.count == 3)
        #expect(contents.signingKeys.map(\.material) == [Samples.signingKey(1).material, Samples.signingKey(2).material])
    }

    @Test func `of two who commit at the same revision one is told of the conflict`() throws {
        let (one, other) = (try open(), try open())
        #expect(try one.commit([.putKey(Samples.key(1))], at: 0) == 1)
        #expect(throws: StoreFault.conflict) { try other.commit([.putKey(Samples.key(2))], at: 0) }
        #expect(try other.revision() == 1)
        #expect(try other.commit([.putKey(Samples.key(2))], at: 1) == 2)
        #expect(try one.contents().keys.map(\.id) == ["key-1", "key-2"])
    }

    @Test func `commits of several threads and connections are all there`() async throws {
        let path = folder.store
        _ = try open()
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    guard let store = try? SQLiteStore(path: path, encryptionKey: nil) else { return }
                    for number in 0..<10 {
                        let change = StoreChange.putKey(Samples.key(writer * 10 + number))
                        while (try? store.commit([change], at: store.revision())) == nil {}
                    }
                }
            }
        }
        let contents = try open().contents()
        #expect(contents.revision == 40)
        #expect(contents.keys.count == 40)
    }

    @Test func `what is no database is not touched`() throws {
        let text = [UInt8]("# not a database, but something somebody needs\n".utf8) + [UInt8](repeating: 0x61, count: 5000)
        try folder.write(text, to: "store.db")
        guard case .unavailable(let reason) = faultOfReading() else {
            Issue.record("a text was taken for a store")
            return
        }
        #expect(reason.contains("no SQLite database"))
        #expect(try folder.bytes("store.db") == text)
    }

    @Test func `another program's database is not touched`() throws {
        let path = folder.store
        try StoreFile.create(path)
        try Connection(path: path).execute("CREATE TABLE accounts (id INTEGER); PRAGMA application_id = 7")
        let before = try folder.bytes("store.db")
        #expect(faultOfReading() == .unavailable("it is a database of another program"))
        #expect(try folder.bytes("store.db") == before)
    }

    @Test func `a store of a newer program is not touched`() throws {
        try makeStore()
        try Connection(path: folder.store).execute("PRAGMA user_version = 99; DROP TABLE key_usage")
        #expect(faultOfReading() == .tooNew(version: 99))
    }

    @Test func `families of the first format end, and everything else stays`() throws {
        try makeStore()
        try Connection(path: folder.store).execute(
            """
            ALTER TABLE token_families DROP COLUMN secret;
            ALTER TABLE token_families DROP COLUMN realm;
            ALTER TABLE token_families DROP COLUMN is_narrowed;
            ALTER TABLE token_families DROP COLUMN addresses;
            ALTER TABLE token_families DROP COLUMN lifetime;
            ALTER TABLE upstream_credentials DROP COLUMN ends_at;
            PRAGMA user_version = 1;
            """)
        let store = try open()
        let contents = try store.contents()
        #expect(contents.tokenFamilies.isEmpty && contents.keys.count == 3 && contents.revision == 1)
        #expect(contents.upstreamCredentials.map(\.signIn) == [SignInTime(issuedAt: 1), SignInTime(issuedAt: 2)])
        #expect(try store.commit([.putTokenFamily(Samples.family(2, key: "key-2"))], at: 1) == 2)
        #expect(try store.contents().tokenFamilies == [Samples.family(2, key: "key-2")])
    }

    @Test func `a store cut short is known as damaged`() throws {
        try makeStore()
        let whole = try folder.bytes("store.db")
        // Cut to nothing, or to one byte, it is what SQLite takes for a new database.
        for length in [2, 50, 100, 4096, whole.count / 2, whole.count - 4096] {
            try folder.write(Array(whole.prefix(length)), to: "store.db")
            let fault = faultOfReading()
            guard case .unavailable = fault else {
                Issue.record("cut to \(length): \(String(describing: fault))")
                continue
            }
        }
    }

    @Test func `a store with a page overwritten is refused or read right`() throws {
        try makeStore()
        let whole = try folder.bytes("store.db")
        let expected = try open().contents()
        var refusals = 0
        for page in 0..<(whole.count / 4096) {
            var damaged = whole
            for index in (page * 4096)..<(page * 4096 + 4096) { damaged[index] = 0xA5 }
            try folder.write(damaged, to: "store.db")
            let contents: StoreContents
            do { contents = try open().contents() } catch {
                #expect(error is StoreFault)
                refusals += 1
                continue
            }
            // A page of an index or of the usage is not looked at.
            #expect(contents.isSame(as: expected))
        }
        #expect(refusals > 8)
    }

    @Test func `a folder in the way of the file and a file in the way of the folder are told`() throws {
        #expect(throws: StoreFault.self) { try open(folder.root) }
        try folder.write([1], to: "file")
        let fault = #expect(throws: StoreFault.self) { try open(folder.path("file/store.db")) }
        #expect(fault?.message.contains("cannot be made") == true)
    }

    @Test func `a full disk leaves the store as it was, and it goes on when there is room`() throws {
        let store = try open()
        _ = try store.commit(Samples.oneOfEach, at: 0)
        let before = try store.contents()
        let pages = try store.withConnection { connection throws(StoreFault) in
            let pages = try connection.integer("PRAGMA page_count")
            try connection.run("PRAGMA max_page_count = 1")
            return pages
        }
        let many = (0..<2000).map { StoreChange.putKey(Samples.key(1000 + $0)) }
        #expect(throws: StoreFault.full) { try store.commit(many, at: 1) }
        #expect(try store.contents().isSame(as: before))
        try store.withConnection { connection throws(StoreFault) in try connection.run("PRAGMA max_page_count = 1000000") }
        #expect(try store.commit(many, at: 1) == 2)
        #expect(try store.withConnection { connection throws(StoreFault) in try connection.integer("PRAGMA page_count") } > pages)
    }

    @Test func `a file without the right to write is read, and a commit says why it fails`() throws {
        try makeStore()
        try FileRights.asNobody(owning: folder) {
            #expect(unsafe chmod(folder.store, 0o444) == 0)
            let store = try open()
            #expect(try store.contents().keys.count == 3)
            let fault = #expect(throws: StoreFault.self) { try store.commit([.removeKey(id: "key-1")], at: 1) }
            guard case .readOnly = fault else {
                Issue.record("\(String(describing: fault))")
                return
            }
            #expect(try store.contents().keys.count == 3)
        }
    }

    @Test func `a file that can be written again is written again`() throws {
        try makeStore()
        try FileRights.asNobody(owning: folder) {
            #expect(unsafe chmod(folder.store, 0o444) == 0)
            let store = try open()
            #expect(throws: StoreFault.self) { try store.commit([.removeKey(id: "key-1")], at: 1) }
            #expect(unsafe chmod(folder.store, 0o600) == 0)
            // SQLite makes the files beside it with the modes it finds.
            for suffix in ["-wal", "-shm"] { _ = unsafe chmod(folder.store + suffix, 0o600) }
            #expect(try store.commit([.removeKey(id: "key-1")], at: 1) == 2)
            #expect(try store.contents().keys.count == 2)
            #expect(try open().contents().keys.count == 2)
        }
    }

    @Test func `a file without the right to read is unavailable`() throws {
        try makeStore()
        try FileRights.asNobody(owning: folder) {
            #expect(unsafe chmod(folder.store, 0) == 0)
            #expect(throws: StoreFault.self) { try open() }
        }
    }
}
