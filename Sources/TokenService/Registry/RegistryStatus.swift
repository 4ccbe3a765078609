/// How the registry stands with its store, for the status page and metrics.
package struct RegistryStatus: Sendable, Equatable {
    /// Of what is in memory.
    package var revision: Int64
    /// It has been read since the start.
    package var isLoaded: Bool
    /// What is wrong with the store now, one sentence; nil when nothing is.
    package var fault: String?
    package var keys: Int
    package var users: Int
}
