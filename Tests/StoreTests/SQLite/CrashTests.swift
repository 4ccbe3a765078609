import Core
import Foundation
import Testing

@testable import Store

/// What is found after the process, or the machine, has stopped at any moment.
///
/// A process that is killed leaves the files as it has written them so far. Commits only append to the log, so every moment
/// is a prefix of it; a machine that loses power may leave the same, since an answered commit's prefix was synchronised.
struct CrashTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Opens a copy of the store whose log is cut, and checks it.
    private func check(cutting log: [UInt8], to length: Int, name: String, holds acknowledged: Int64) throws {
        try folder.write(Array(log.prefix(length)), to: name + "-wal")
        let store = try SQLiteStore(path: folder.path(name), encryptionKey: Samples.encryptionKey())
        let contents = try store.contents()
        #expect(contents.revision >= acknowledged, "cut at \(length)")
        // Commit n put the keys 2n and 2n+1: both are there or neither.
        let expected = (0..<(contents.revision * 2)).map { "key-\($0)" }
        #expect(Set(contents.keys.map(\.id)) == Set(expected))
        let verdict = try store.withConnection { connection throws(StoreFault) in
            var verdict = ""
            try connection.statement("PRAGMA integrity_check").rows([]) { row in verdict = row.text() }
            return verdict
        }
        #expect(verdict == "ok")
    }

    @Test func `nothing that was answered is lost, wherever the log ends`() throws {
        let store = try SQLiteStore(path: folder.store, encryptionKey: Samples.encryptionKey())
        let start = try folder.bytes("store.db")
        var lengths: [Int] = [try folder.bytes("store.db-wal").count]
        for commit in 0..<12 {
            let changes = [StoreChange.putKey(Samples.key(commit * 2)), .putKey(Samples.key(commit * 2 + 1))]
            _ = try store.commit(changes, at: Int64(commit))
            lengths.append(try folder.bytes("store.db-wal").count)
        }
        // The log was not moved into the file meanwhile: the copies below begin with the file as it was.
        #expect(try folder.bytes("store.db") == start)
        let log = try folder.bytes("store.db-wal")
        var cuts = Set(lengths + lengths.map { $0 - 1 } + lengths.map { $0 + 1 })
        cuts.formUnion(stride(from: lengths[0], through: log.count, by: 2060))
        for (number, cut) in cuts.sorted().enumerated() where cut >= lengths[0] && cut <= log.count {
            let name = "copy-\(number).db"
            try folder.write(start, to: name)
            let acknowledged = lengths.lastIndex { $0 <= cut } ?? 0
            try check(cutting: log, to: cut, name: name, holds: Int64(acknowledged))
        }
    }

    @Test func `a log with bytes altered behind the last answer is cut there`() throws {
        let store = try SQLiteStore(path: folder.store, encryptionKey: Samples.encryptionKey())
        let start = try folder.bytes("store.db")
        _ = try store.commit([.putKey(Samples.key(0)), .putKey(Samples.key(1))], at: 0)
        let answered = try folder.bytes("store.db-wal").count
        _ = try store.commit([.putKey(Samples.key(2)), .putKey(Samples.key(3))], at: 1)
        var log = try folder.bytes("store.db-wal")
        for index in stride(from: answered, to: log.count, by: 97) { log[index] ^= 0xFF }
        try folder.write(start, to: "copy.db")
        try check(cutting: log, to: log.count, name: "copy.db", holds: 1)
    }
}
