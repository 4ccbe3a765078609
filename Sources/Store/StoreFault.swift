/// Why the store did not do what it was asked for. Nothing was changed.
package enum StoreFault: Error, Equatable, Sendable {
    /// It cannot be opened or read: no such directory, no permission, not a database, damaged.
    case unavailable(String)
    /// It can be read but not written: read-only file or file system.
    case readOnly(String)
    /// The disk is full.
    case full
    /// It was changed by somebody else since the given revision.
    case conflict
    /// The changes contradict each other or what is there: an email or a slug that somebody else has, a member who is no user.
    case inconsistent(String)
    /// What is encrypted in it was encrypted with another key.
    case wrongKey
    /// Something is to be encrypted, or is encrypted already, and no key was given.
    case missingKey
    /// It was written by a newer version of this program.
    case tooNew(version: Int)

    /// One sentence for the operator, without secrets.
    package var message: String {
        switch self {
        case .unavailable(let reason): "the store cannot be used: \(reason)"
        case .readOnly(let reason): "the store cannot be written: \(reason)"
        case .full: "the store cannot be written: the disk is full"
        case .conflict: "the store was changed by another process at the same time"
        case .inconsistent(let reason): "the store does not take the change: \(reason)"
        case .wrongKey: "the store's secrets were encrypted with another key than store.encryption_key"
        case .missingKey: "the store's secrets are encrypted, and store.encryption_key is not set"
        case .tooNew(let version): "the store has format \(version), which only a newer version of portcullis reads"
        }
    }
}
