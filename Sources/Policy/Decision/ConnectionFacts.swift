package import Core

/// What the decision needs to know of the connection a request came over. Nothing counted by reference is in it
/// but the certificate that hardly any client shows.
package struct ConnectionFacts: Sendable {
    /// The other end: of the socket, or of the PROXY header of a peer that may send one.
    package var peer: IPAddress
    package var peerPort: UInt16
    /// The port of ours it came to.
    package let localPort: UInt16
    /// It is encrypted.
    package var isSecure: Bool
    /// The request has waited for a key set already: it is not asked to wait again.
    package var waited: Bool
    /// What the client has shown of itself in the TLS handshake, found good there.
    package var clientCertificate: ClientCertificate?

    package init(
        peer: IPAddress, peerPort: UInt16, localPort: UInt16, isSecure: Bool, waited: Bool,
        clientCertificate: ClientCertificate? = nil
    ) {
        self.peer = peer
        self.peerPort = peerPort
        self.localPort = localPort
        self.isSecure = isSecure
        self.waited = waited
        self.clientCertificate = clientCertificate
    }
}
