/// How a TLS connection failed. After one, nothing can be read or written any more.
package enum TLSFault: Error, Equatable, Sendable {
    /// The client began in plain text: it takes this port for one that speaks HTTP. An answer in clear can still be
    /// written to the socket.
    case plaintextHTTP
    /// What came first is no TLS.
    case notTLS
    /// The peer speaks only versions below the lowest that is allowed.
    case versionRefused
    /// No cipher, group or signature algorithm that both sides have.
    case nothingShared
    /// No protocol in ALPN that both sides have.
    case noApplicationProtocol
    /// A client certificate is required and none came.
    case certificateMissing
    case peerCertificate(TLSPeerFault)
    /// The peer gave up; the number of its alert (RFC 8446 §6).
    case alert(UInt8)
    /// The connection ended inside the handshake.
    case closedInHandshake
    /// The socket failed; `errno`.
    case transport(Int32)
    /// The peer broke the rules of TLS, or OpenSSL could not go on: its numbers for it.
    case other(library: Int32, reason: Int32)

    /// A stable word for logs and metrics.
    package var label: String {
        switch self {
        case .plaintextHTTP: "plaintext_http"
        case .notTLS: "not_tls"
        case .versionRefused: "version_refused"
        case .nothingShared: "nothing_shared"
        case .noApplicationProtocol: "no_application_protocol"
        case .certificateMissing: "certificate_missing"
        case .peerCertificate(let fault): "certificate_\(fault.label)"
        case .alert: "alert"
        case .closedInHandshake: "closed_in_handshake"
        case .transport: "transport"
        case .other: "protocol_error"
        }
    }
}
