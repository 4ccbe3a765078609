/// What a TLS server shows and asks.
package struct TLSServerSettings: Sendable {
    /// One certificate and the names it is shown for.
    package struct Choice: Sendable {
        package var certificate: TLSCertificate
        /// `api.example`, or `*.example` for one label in front; in any case. Nil: the DNS names of the certificate.
        package var names: [String]?

        package init(_ certificate: TLSCertificate, names: [String]? = nil) {
            self.certificate = certificate
            self.names = names
        }
    }

    /// The first is shown to who names nobody, or a name that is not here. Those that share a name stand side by side
    /// when their keys are of different kinds, and the client's abilities choose; of one kind, the first counts.
    package var choices: [Choice]
    /// In the order of preference. A client that offers others only is refused; one that offers none is not.
    package var protocols: [TLSApplicationProtocol] = [.h2, .http11]
    package var clientCertificates = TLSClientCertificates.none
    /// Nil: every connection begins with a full handshake. Contexts may share them, also old and new ones of a reload.
    package var ticketKeys: TLSTicketKeys?
    package var minimumVersion = TLSVersion.tls12
    /// Give the keys of connections to the kernel where it takes them.
    package var usesKernelTLS = false

    package init(_ choices: [Choice]) { self.choices = choices }
}
