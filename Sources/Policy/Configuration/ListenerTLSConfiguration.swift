package import Core

/// TLS as a listener speaks it.
package struct ListenerTLSConfiguration: Sendable, Equatable {
    /// Whether clients are asked for a certificate of their own.
    package enum ClientCertificates: String, Sendable, CaseIterable {
        case none
        /// Asked for; one that is shown must be good.
        case optional
        /// Without a good one the handshake fails.
        case require
    }

    /// At least one. The client's server name chooses among them; the first is for names that are nobody's.
    package var certificates: [CertificateConfiguration]
    /// Certificates in PEM form that vouch for clients; there whenever clients are asked.
    package var clientCA: Located<SecretReference>?
    package var clientCertificates = ClientCertificates.none
    package var minimumVersion = MinimumTLSVersion.tls12
    /// From the connection's start to the end of the handshake; then it is closed.
    package var handshakeTimeout: Nanoseconds = .seconds(10)
    /// Hand encryption to the kernel where it offers that.
    package var usesKernelTLS = false
    /// How long a key encrypts session tickets; it decrypts them as long again.
    package var ticketRotation: Nanoseconds = .seconds(8 * 3600)
    package var position: SourcePosition

    package init(certificates: [CertificateConfiguration], position: SourcePosition) {
        self.certificates = certificates
        self.position = position
    }
}
