/// By what connections that ended before their first request are counted.
package struct RejectedConnections: Hashable, Sendable {
    /// The address that the listener is open on.
    package var listener: String
    /// `ConnectionRejection.reason`
    package var reason: String

    package init(listener: String, reason: String) {
        self.listener = listener
        self.reason = reason
    }
}
