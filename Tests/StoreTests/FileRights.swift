import Glibc
import Testing

/// The rights of an ordinary user, also where tests run as root, whom no file refuses anything.
enum FileRights {
    /// Gives the folder and what is in it to a user without rights, and does `body` with that user's rights to files.
    static func asNobody(owning folder: TemporaryFolder, _ body: () throws -> Void) throws {
        guard getuid() == 0 else { return try body() }
        let nobody: uid_t = 65534
        for name in ["", "store.db", "store.db-wal", "store.db-shm"] where folder.exists(name) {
            try #require(unsafe chown(folder.path(name), nobody, nobody) == 0)
        }
        // The importer does not know the function. The identity it sets belongs to the thread, which runs nothing else
        // meanwhile.
        let symbol = unsafe dlsym(nil, "setfsuid")
        let setIdentity = unsafe unsafeBitCast(try #require(symbol), to: (@convention(c) (uid_t) -> Int32).self)
        _ = setIdentity(nobody)
        defer { _ = setIdentity(0) }
        try body()
    }
}
