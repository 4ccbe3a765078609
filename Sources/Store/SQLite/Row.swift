import CSQLite

/// The row a statement stands at. Its columns are read from the first to the last; tables are strict, so each has the type
/// that the schema gives it. Valid only until the statement goes on.
@safe struct Row {
    private let statement: OpaquePointer
    private var column: Int32 = -1

    init(statement: OpaquePointer) {
        unsafe self.statement = statement
    }

    mutating func integer() -> Int64 {
        column &+= 1
        return unsafe sqlite3_column_int64(statement, column)
    }

    mutating func bool() -> Bool { integer() != 0 }

    mutating func text() -> String {
        column &+= 1
        return currentText
    }

    /// Empty for null.
    mutating func blob() -> [UInt8] {
        column &+= 1
        // The count is asked for after the bytes: asking for the bytes may convert them.
        let bytes = unsafe sqlite3_column_blob(statement, column)
        let count = unsafe Int(sqlite3_column_bytes(statement, column))
        return unsafe [UInt8](UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
    }

    mutating func optionalInteger() -> Int64? {
        column &+= 1
        return isNull ? nil : unsafe sqlite3_column_int64(statement, column)
    }

    mutating func optionalText() -> String? {
        column &+= 1
        return isNull ? nil : currentText
    }

    private var isNull: Bool { unsafe sqlite3_column_type(statement, column) == SQLITE_NULL }

    private var currentText: String {
        let bytes = unsafe sqlite3_column_text(statement, column)
        let count = unsafe Int(sqlite3_column_bytes(statement, column))
        return unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count), as: UTF8.self)
    }
}
