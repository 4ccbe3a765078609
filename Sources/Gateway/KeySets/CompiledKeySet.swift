package import Policy

/// A key set of a policy: its place in the process, how it is kept up to date, and, for local ones, the keys as read
/// with the policy.
package struct CompiledKeySet: Sendable {
    package var cell: KeySetCell
    package var configuration: KeySetConfiguration
    /// The keys to put in force with the policy; nil for a key set that is fetched.
    package var local: KeySet?

    package init(cell: KeySetCell, configuration: KeySetConfiguration, local: KeySet?) {
        self.cell = cell
        self.configuration = configuration
        self.local = local
    }
}
