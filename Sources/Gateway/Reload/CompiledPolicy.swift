package import Core
package import Policy

/// A policy ready to be put in force: the snapshot, and what the shell found out for it outside of the policy file.
package struct CompiledPolicy: Sendable {
    /// An upstream with the addresses its servers' names resolved to.
    package struct Upstream: Sendable {
        package var name: String
        package var configuration: UpstreamConfiguration
        package var servers: [Server]

        package init(name: String, configuration: UpstreamConfiguration, servers: [Server]) {
            self.name = name
            self.configuration = configuration
            self.servers = servers
        }
    }

    package struct Server: Hashable, Sendable {
        package var endpoint: SocketEndpoint
        /// `host:port` as configured, for the Host field and the log.
        package var hostField: [UInt8]

        package init(endpoint: SocketEndpoint, hostField: [UInt8]) {
            self.endpoint = endpoint
            self.hostField = hostField
        }
    }

    package var snapshot: Snapshot
    /// In the order of `snapshot.upstreamNames`.
    package var upstreams: [Upstream]
    package var keySets: [CompiledKeySet]
    /// Every file the policy was made from.
    package var watchedFiles: [WatchedFile]

    package init(
        snapshot: Snapshot, upstreams: [Upstream], keySets: [CompiledKeySet], watchedFiles: [WatchedFile]
    ) {
        self.snapshot = snapshot
        self.upstreams = upstreams
        self.keySets = keySets
        self.watchedFiles = watchedFiles
    }
}
