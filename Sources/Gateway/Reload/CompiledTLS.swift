package import Core
package import Crypto

/// What a listener makes its TLS connections from.
package struct CompiledServerTLS: Sendable {
    /// The same object over reloads while nothing it was made from changes. Its ticket keys are kept longer: as long as the
    /// listener has its address and their lifetime. They have to be rotated by who holds them.
    package var context: TLSServerContext
    /// Of everything it was made from.
    package var identity: Digest256

    package init(context: TLSServerContext, identity: Digest256) {
        self.context = context
        self.identity = identity
    }
}

/// What connections to the servers of an upstream, or of a key set, are made from.
package struct CompiledClientTLS: Sendable {
    /// The same object over reloads while nothing it was made from changes: what was verified once is not believed under
    /// another authority.
    package var context: TLSClientContext
    /// The same, but that ALPN offers HTTP/1.1 alone: for requests that change the protocol of their connection.
    package var upgradeContext: TLSClientContext
    /// Of everything it was made from.
    package var identity: Digest256

    package init(context: TLSClientContext, upgradeContext: TLSClientContext, identity: Digest256) {
        self.context = context
        self.upgradeContext = upgradeContext
        self.identity = identity
    }
}
