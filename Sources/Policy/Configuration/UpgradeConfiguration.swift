package import Core

/// Which connections of a route may change their protocol (RFC 9110 §7.8), and how long they live.
package struct UpgradeConfiguration: Sendable, Equatable {
    /// Names of protocols in lower case, as "websocket"; never none.
    package var protocols: [String]
    /// Without a byte either way; then the connection is closed.
    package var idleTimeout: Nanoseconds = .seconds(300)
    /// From the upgrade to the end, whatever passes.
    package var lifetime: Nanoseconds = .seconds(86_400)
    /// The connection ends with the credential it was opened with.
    package var closesWithCredential = true

    package init(protocols: [String]) {
        self.protocols = protocols
    }
}
