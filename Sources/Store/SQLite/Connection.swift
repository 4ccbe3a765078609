import CSQLite
import Glibc

/// A connection to an SQLite database. Used by one thread at a time.
@safe final class Connection {
    /// How long a statement waits for another process that writes.
    private static let busyMilliseconds: Int32 = 3000

    /// Owned; closed with the object, after its statements.
    private let pointer: OpaquePointer
    /// Prepared once, by their text.
    private var statements: [String: Statement] = [:]

    /// Opens a file that exists; where it may not be written, for reading.
    init(path: String) throws(StoreFault) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = unsafe sqlite3_open_v2(path, &opened, flags, nil)
        guard let opened = unsafe opened else { throw .unavailable("SQLite is out of memory") }
        guard code == SQLITE_OK else {
            let fault = unsafe StoreFault(code: code, of: opened)
            unsafe sqlite3_close_v2(opened)
            throw fault
        }
        unsafe pointer = opened
        unsafe sqlite3_busy_timeout(opened, Self.busyMilliseconds)
    }

    deinit {
        statements.removeAll()
        unsafe sqlite3_close_v2(pointer)
    }

    /// True when the file can only be read.
    var isReadOnly: Bool { unsafe sqlite3_db_readonly(pointer, "main") == 1 }

    /// Runs statements that bind nothing and are run once.
    func execute(_ text: StaticString) throws(StoreFault) {
        errno = 0
        let code = unsafe sqlite3_exec(pointer, String(describing: text), nil, nil, nil)
        guard code == SQLITE_OK else { throw unsafe StoreFault(code: code, of: pointer) }
    }

    /// The statement of this text, prepared when it is first asked for. The text is a literal, so that values come in by
    /// binding only.
    func statement(_ text: StaticString) throws(StoreFault) -> Statement {
        let text = String(describing: text)
        if let statement = statements[text] { return statement }
        let statement = unsafe try Statement(text, of: pointer)
        statements[text] = statement
        return statement
    }

    /// Runs a statement that answers nothing.
    func run(_ text: StaticString, _ values: SQLValue...) throws(StoreFault) {
        try statement(text).run(values)
    }

    /// The one number that a statement answers.
    func integer(_ text: StaticString) throws(StoreFault) -> Int64 {
        var answer: Int64?
        try statement(text).rows([]) { (row: inout Row) in answer = row.integer() }
        guard let answer else { throw .unavailable("it is damaged: a row is missing") }
        return answer
    }

    /// All of `body` or nothing of it. One that is going to write asks for the right to at once, so that what it reads
    /// before is still so when it writes.
    func transaction<Value>(
        writing: Bool, _ body: () throws(StoreFault) -> Value
    ) throws(StoreFault) -> Value {
        try execute(writing ? "BEGIN IMMEDIATE" : "BEGIN")
        do throws(StoreFault) {
            let value = try body()
            try execute("COMMIT")
            return value
        } catch {
            // Some faults have ended the transaction already; then there is nothing to undo.
            if unsafe sqlite3_get_autocommit(pointer) == 0 { try? execute("ROLLBACK") }
            throw error
        }
    }
}
