package import Core

/// How often the registry looks after its store.
package struct RegistryTiming: Sendable {
    /// Between two looks at the store's revision: how late another process's change is seen.
    package var poll: Nanoseconds = .milliseconds(200)
    /// Between two tries to open a store that could not be opened.
    package var reopen: Nanoseconds = .seconds(2)
    /// Between two writings of the use of keys.
    package var usage: Nanoseconds = .seconds(5)

    package init() {}
}
