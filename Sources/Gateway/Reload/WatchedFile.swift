/// A file the policy was made from, and the state it was in when it was read.
package struct WatchedFile: Hashable, Sendable {
    package var path: String
    /// Nil when there was no such file.
    package var seen: FileIdentity?

    package init(path: String, seen: FileIdentity?) {
        self.path = path
        self.seen = seen
    }
}
