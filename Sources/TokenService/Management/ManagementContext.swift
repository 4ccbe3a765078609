import Core
package import Store

/// What a call is decided from: the records as they stand, and how keys are made.
package struct ManagementContext: Sendable {
    package var index: StoreIndex
    /// What is known of the use of a key, by its id.
    package var usage: @Sendable (String) -> KeyUsage?
    /// How keys of an authenticator are made, by its name; nil for one that keeps none in the store.
    package var keyMaker: @Sendable (String) -> KeyMaker?

    package init(
        index: StoreIndex, usage: @escaping @Sendable (String) -> KeyUsage?,
        keyMaker: @escaping @Sendable (String) -> KeyMaker?
    ) {
        self.index = index
        self.usage = usage
        self.keyMaker = keyMaker
    }
}
