import CSQLite
import Glibc

/// A prepared statement. Lives no longer than its connection.
@safe final class Statement {
    /// Owned; finalised with the object.
    private let pointer: OpaquePointer

    init(_ text: String, of connection: OpaquePointer) throws(StoreFault) {
        var prepared: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(connection, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared = unsafe prepared else {
            throw unsafe StoreFault(code: code, of: connection)
        }
        unsafe pointer = prepared
    }

    deinit {
        unsafe sqlite3_finalize(pointer)
    }

    /// Runs it with these values in the places of its question marks.
    func run(_ values: [SQLValue]) throws(StoreFault) {
        try rows(values) { _ in }
    }

    /// Runs it and hands each row to `each`, which reads the columns one after the other.
    func rows(_ values: [SQLValue], _ each: (inout Row) throws(StoreFault) -> Void) throws(StoreFault) {
        defer {
            unsafe sqlite3_reset(pointer)
            unsafe sqlite3_clear_bindings(pointer)
        }
        for (index, value) in values.enumerated() { try bind(value, at: Int32(truncatingIfNeeded: index &+ 1)) }
        while true {
            errno = 0
            let code = unsafe sqlite3_step(pointer)
            guard code == SQLITE_ROW else {
                guard code == SQLITE_DONE else { throw fault(code) }
                return
            }
            var row = unsafe Row(statement: pointer)
            try each(&row)
        }
    }

    /// SQLite copies texts and blobs before the call returns.
    private func bind(_ value: SQLValue, at place: Int32) throws(StoreFault) {
        let code =
            switch value {
            case .null: unsafe sqlite3_bind_null(pointer, place)
            case .integer(let integer): unsafe sqlite3_bind_int64(pointer, place, integer)
            case .text(let text):
                unsafe sqlite3_bind_text64(
                    pointer, place, text, UInt64(text.utf8.count), csqlite_transient(), UInt8(SQLITE_UTF8))
            case .blob(let bytes) where bytes.isEmpty: unsafe sqlite3_bind_zeroblob(pointer, place, 0)
            case .blob(let bytes):
                unsafe sqlite3_bind_blob64(pointer, place, bytes, UInt64(bytes.count), csqlite_transient())
            }
        guard code == SQLITE_OK else { throw fault(code) }
    }

    private func fault(_ code: Int32) -> StoreFault {
        guard let connection = unsafe sqlite3_db_handle(pointer) else { return .unavailable("SQLite error \(code)") }
        return unsafe StoreFault(code: code, of: connection)
    }
}
