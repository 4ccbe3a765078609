package import Core

/// The state of one key set at one moment, for the admin listener.
package struct KeySetStatus: Sendable {
    package let name: String
    package let isRemote: Bool
    package let generation: UInt64
    /// The keys, nil before the first fetch.
    package let set: KeySet?
    /// Tokens can be verified: there are keys and they are not too old.
    package let isUsable: Bool
    package let fetchedAt: WallTime?
    /// Until the next refresh is due; negative when it is overdue, nil for keys that do not age.
    package let freshFor: Nanoseconds?
    /// Nil when the last fetch went well.
    package let lastError: String?
    package let lastErrorAt: WallTime?
    package let consecutiveFailures: Int
    /// Key ids remembered as missing.
    package let missingKids: Int
}
