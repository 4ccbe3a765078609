import Glibc

/// The file of a store before it is opened as a database.
enum StoreFile {
    /// Makes the file, readable by its owner only, and the folders above it, where they are missing.
    static func create(_ path: String) throws(StoreFault) {
        try createFolder(above: path)
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            // A file that is there already is not opened here: closing it would give up the locks that another
            // connection of this process has on it.
            if errno == EEXIST { return }
            throw fault(path, "cannot be made")
        }
        close(descriptor)
    }

    private static func createFolder(above path: String) throws(StoreFault) {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return }
        let folder = String(path[..<slash])
        guard unsafe access(folder, F_OK) != 0 else { return }
        try createFolder(above: folder)
        guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw fault(folder, "cannot be made") }
        try synchronise(folderAbove: folder)
    }

    /// Writes the folder's list of names to the disk; SQLite does it for the folder of the database.
    private static func synchronise(folderAbove path: String) throws(StoreFault) {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let folder = path.contains("/") ? (slash == path.startIndex ? "/" : String(path[..<slash])) : "."
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault(folder, "cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw fault(folder, "cannot be written") }
    }

    /// What `errno` says of `path`.
    private static func fault(_ path: String, _ what: String) -> StoreFault {
        let code = errno
        let message = "\(path) \(what): \(StoreFault.systemMessage(code))"
        switch code {
        case ENOSPC, EDQUOT: return .full
        case EROFS: return .readOnly(message)
        default: return .unavailable(message)
        }
    }
}
