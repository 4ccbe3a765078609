package import Core

/// How one server of an upstream does, seen by one loop or by several together.
package struct ServerState: Sendable {
    package var upstream: String
    /// `host:port` as configured.
    package var server: String
    package var endpoint: SocketEndpoint
    /// Requests under way.
    package var active: Int
    /// Connections, busy and idle.
    package var open: Int
    /// Connections that could not be made, or died.
    package var failures: UInt64
    package var lastFailedAt: WallTime?
    /// The last attempt to connect failed.
    package var isFailing: Bool

    /// Adds what another loop sees of the same server.
    package mutating func merge(_ other: ServerState) {
        active += other.active
        open += other.open
        failures &+= other.failures
        if let theirs = other.lastFailedAt, lastFailedAt.map({ theirs > $0 }) ?? true {
            lastFailedAt = theirs
            isFailing = other.isFailing
        }
    }

    func isSame(as other: ServerState) -> Bool {
        upstream == other.upstream && server == other.server && endpoint == other.endpoint
    }
}
