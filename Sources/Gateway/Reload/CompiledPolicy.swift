package import Core
package import Crypto
package import Policy

/// A policy ready to be put in force: the snapshot, and what the shell found out for it outside of the policy file.
package struct CompiledPolicy: Sendable {
    /// A listener with what its connections are made from.
    package struct Listener: Sendable {
        package var configuration: ListenerConfiguration
        /// There exactly when it speaks TLS.
        package var security: CompiledServerTLS?

        package init(_ configuration: ListenerConfiguration, security: CompiledServerTLS? = nil) {
            self.configuration = configuration
            self.security = security
        }

        /// What its connections are made from; nil in clear.
        package var tls: TLSServerContext? { security?.context }
    }

    /// An upstream with the addresses its servers' names resolved to; without servers where none could be resolved.
    package struct Upstream: Sendable {
        package var name: String
        package var configuration: UpstreamConfiguration
        package var servers: [Server]
        /// There exactly when its servers speak TLS.
        package var security: CompiledClientTLS?

        package init(
            name: String, configuration: UpstreamConfiguration, servers: [Server], security: CompiledClientTLS? = nil
        ) {
            self.name = name
            self.configuration = configuration
            self.servers = servers
            self.security = security
        }

        /// What connections to its servers are made from; nil in clear.
        package var tls: TLSClientContext? { security?.context }
        /// The same for requests that change the protocol of their connection, which is one of HTTP/1.1.
        package var upgradeTLS: TLSClientContext? { security?.upgradeContext }
    }

    package struct Server: Hashable, Sendable {
        package var endpoint: SocketEndpoint
        /// `host:port` as configured, for the Host field and the log.
        package var hostField: [UInt8]
        /// What its certificate is to be made out to; nil in clear.
        package var tlsName: TLSServerName?

        package init(endpoint: SocketEndpoint, hostField: [UInt8], tlsName: TLSServerName? = nil) {
            self.endpoint = endpoint
            self.hostField = hostField
            self.tlsName = tlsName
        }
    }

    package var snapshot: Snapshot
    /// In the order of the policy file.
    package var listeners: [Listener]
    /// The admin listener as one of these; nil where there is none.
    package var admin: Listener?
    /// In the order of `snapshot.upstreamNames`.
    package var upstreams: [Upstream]
    /// What was known of the names of their servers when the policy was loaded.
    package var names: [String: NameAnswer] = [:]
    package var keySets: [CompiledKeySet]
    /// Nil keeps nothing.
    package var store: CompiledStore?
    /// What refreshes of stored credentials over https are made from, by the credential's name.
    package var refreshSecurity: [String: CompiledClientTLS] = [:]
    /// The certificates the gateway shows, of listeners and to upstreams.
    package var certificates: [CertificateExpiry]
    /// The policy file as the operator named it, and its text.
    package var file = ""
    package var text: [UInt8] = []
    /// Every file the policy was made from.
    package var watchedFiles: [WatchedFile]
    package var audit = CompiledAudit()
    /// SHA-256 of what opens the management on the admin listener; nil keeps it closed.
    package var adminToken: Digest256?

    package init(
        snapshot: Snapshot, listeners: [Listener], upstreams: [Upstream], keySets: [CompiledKeySet],
        certificates: [CertificateExpiry], watchedFiles: [WatchedFile]
    ) {
        self.snapshot = snapshot
        self.listeners = listeners
        self.certificates = certificates
        self.upstreams = upstreams
        self.keySets = keySets
        self.watchedFiles = watchedFiles
    }
}

extension CompiledPolicy {
    /// What connections of a listener are made from, by what they are for and its address in the policy; nil for probes, which speak
    /// plaintext HTTP/1.1.
    func terms(of role: ListenerRole, at address: SocketEndpoint) -> Listener? {
        switch role {
        case .traffic: listeners.first { $0.configuration.address == address }
        case .admin: admin
        case .probes: nil
        }
    }
}
