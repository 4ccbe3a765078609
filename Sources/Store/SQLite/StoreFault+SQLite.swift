import CSQLite
import Glibc

extension StoreFault {
    /// What an extended result code of SQLite means; `connection` has the details. To be made at once, while `errno` is still
    /// that of the call, which sets it to zero before: SQLite itself remembers the errors of some calls only.
    init(code: Int32, of connection: OpaquePointer) {
        let last = errno
        let text = unsafe sqlite3_errmsg(connection).map { unsafe String(cString: $0) } ?? "error \(code)"
        let remembered = unsafe sqlite3_system_errno(connection)
        let systemError = remembered == 0 ? last : remembered
        let description = systemError == 0 ? "" : ": " + Self.systemMessage(systemError)
        switch code & 0xFF {
        case SQLITE_READONLY: self = .readOnly(text)
        case SQLITE_FULL: self = .full
        case SQLITE_CONSTRAINT: self = .inconsistent(text)
        case SQLITE_CORRUPT: self = .unavailable("it is damaged (\(text))")
        case SQLITE_NOTADB: self = .unavailable("it is no SQLite database, or its beginning is damaged")
        case SQLITE_BUSY, SQLITE_LOCKED: self = .unavailable("another process has had it locked for too long")
        case SQLITE_IOERR, SQLITE_CANTOPEN:
            switch systemError {
            case ENOSPC, EDQUOT, EFBIG: self = .full
            case EROFS: self = .readOnly(text + description)
            default: self = .unavailable(text + description)
            }
        default: self = .unavailable(text)
        }
    }

    /// What `errno` says, in words.
    static func systemMessage(_ code: Int32) -> String {
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}
