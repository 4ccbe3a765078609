/// TLS as it is spoken with the servers of an upstream.
package struct UpstreamTLSConfiguration: Sendable, Equatable {
    /// Certificates in PEM form that vouch for the servers; nil for the system's.
    package var ca: Located<SecretReference>?
    /// The name asked for (SNI, RFC 6066 §3) and looked for in the certificate; nil for the host of the server.
    package var serverName: String?
    /// False takes any certificate: `check` warns.
    package var verifies = true
    /// What the gateway shows of itself when a server asks.
    package var certificate: CertificateConfiguration?
    package var minimumVersion = MinimumTLSVersion.tls12

    package init() {}
}
