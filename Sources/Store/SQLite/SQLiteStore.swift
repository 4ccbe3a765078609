import Core
import Glibc
private import Synchronization

/// A store in one SQLite file with a write-ahead log, which several processes of one machine may use at once.
///
/// A commit is on the disk when it returns. The file is readable by its owner only; secrets in it are encrypted.
package final class SQLiteStore: CredentialStore {
    private let path: String
    private let encryptionKey: EncryptionKey?
    /// Nil after a file that could be written again could not be opened again.
    private let connection: Mutex<Connection?>

    /// Opens the file, makes it (and the folders above it) where it is missing, and brings it to the present format.
    /// - Parameter encryptionKey: may be nil as long as the store holds no signing keys and no upstream credentials.
    package init(path: String, encryptionKey: EncryptionKey?) throws(StoreFault) {
        try StoreFile.create(path)
        self.path = path
        self.encryptionKey = encryptionKey
        connection = Mutex(try Self.open(path, encryptionKey))
    }

    private static func open(_ path: String, _ encryptionKey: EncryptionKey?) throws(StoreFault) -> Connection {
        let opened = try Connection(path: path)
        // A commit in the write-ahead log is synchronised when it returns only with FULL.
        try opened.execute("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;")
        try Schema.migrate(opened)
        if !opened.isReadOnly { try opened.useWriteAheadLog() }
        try KeyCheck.verify(encryptionKey, opened)
        return opened
    }

    private func reading<Value: Sendable>(
        _ body: (Connection) throws(StoreFault) -> Value
    ) throws(StoreFault) -> Value {
        try connection.withLock { (connection) throws(StoreFault) in
            let opened = if let connection { connection } else { try Self.open(path, encryptionKey) }
            connection = opened
            return try body(opened)
        }
    }

    /// A connection that was opened when the file could only be read stays so, whatever becomes of the file: once that can
    /// be written the file is opened again. Connections of one process share what they know of the log, so the old one
    /// goes first.
    private func writing<Value: Sendable>(
        _ body: (Connection) throws(StoreFault) -> Value
    ) throws(StoreFault) -> Value {
        connection.withLock { connection in
            if connection?.isReadOnly ?? false, unsafe access(path, W_OK) == 0 { connection = nil }
        }
        return try reading(body)
    }

    package func contents() throws(StoreFault) -> StoreContents {
        try reading { (connection) throws(StoreFault) in
            try connection.transaction(writing: false) { () throws(StoreFault) in
                try ContentsReader(connection: connection, encryptionKey: encryptionKey).contents()
            }
        }
    }

    package func commit(_ changes: [StoreChange], at revision: Int64) throws(StoreFault) -> Int64 {
        try writing { (connection) throws(StoreFault) in
            try connection.transaction(writing: true) { () throws(StoreFault) in
                guard try connection.integer("SELECT number FROM revision") == revision else { throw .conflict }
                let writer = ChangeWriter(connection: connection, encryptionKey: encryptionKey)
                for change in changes { try writer.write(change) }
                try connection.run("UPDATE revision SET number = ?", .integer(revision &+ 1))
                return revision &+ 1
            }
        }
    }

    package func record(_ usage: [KeyUsage]) throws(StoreFault) {
        try writing { (connection) throws(StoreFault) in
            try connection.transaction(writing: true) { () throws(StoreFault) in
                for used in usage {
                    try connection.run(
                        """
                        INSERT INTO key_usage VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET
                        count = count + excluded.count, last_used_at = max(last_used_at, excluded.last_used_at)
                        """, .text(used.key), .integer(used.count), .integer(used.lastUsedAt.nanoseconds))
                }
            }
        }
    }

    package func usage() throws(StoreFault) -> [KeyUsage] {
        try reading { (connection) throws(StoreFault) in
            var usage: [KeyUsage] = []
            try connection.statement("SELECT key, count, last_used_at FROM key_usage ORDER BY key").rows([]) { row in
                usage.append(
                    KeyUsage(key: row.text(), count: row.integer(), lastUsedAt: WallTime(nanoseconds: row.integer())))
            }
            return usage
        }
    }

    package func revision() throws(StoreFault) -> Int64 {
        try reading { (connection) throws(StoreFault) in
            try connection.integer("SELECT number FROM revision")
        }
    }

    /// Lets a test reach the database beneath.
    func withConnection<Value: Sendable>(
        _ body: (Connection) throws(StoreFault) -> Value
    ) throws(StoreFault) -> Value {
        try reading(body)
    }
}

extension Connection {
    /// Turns the write-ahead log on, which stays on in the file.
    fileprivate func useWriteAheadLog() throws(StoreFault) {
        var mode = ""
        try statement("PRAGMA journal_mode = WAL").rows([]) { (row: inout Row) in mode = row.text() }
        guard mode == "wal" else { throw .unavailable("its file system does not allow a write-ahead log") }
    }
}
