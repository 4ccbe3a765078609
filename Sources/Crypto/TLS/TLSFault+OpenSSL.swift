import COpenSSL

extension TLSFault {
    /// What is known of a connection when one of its calls failed.
    struct Circumstances {
        var isServer: Bool
        var isEstablished: Bool
        /// The first byte the peer ever sent.
        var firstByte: UInt8?
        /// X509_V_ERR_…
        var verification: Int
    }

    init(_ failure: copenssl_failure, _ circumstances: Circumstances) {
        guard failure.kind == SSL_ERROR_SSL else {
            self = failure.kind == SSL_ERROR_SYSCALL
                ? .transport(failure.system) : .other(library: 0, reason: failure.kind)
            return
        }
        // No record of TLS begins with a letter, and methods of HTTP are written in capitals.
        if circumstances.isServer, !circumstances.isEstablished, let first = circumstances.firstByte,
            (0x41...0x5A).contains(first)
        {
            self = .plaintextHTTP
            return
        }
        guard failure.library == ERR_LIB_SSL else {
            self = .other(library: failure.library, reason: failure.reason)
            return
        }
        self = Self.ofLibSSL(failure.reason, circumstances)
    }

    private static func ofLibSSL(_ reason: Int32, _ circumstances: Circumstances) -> TLSFault {
        switch reason {
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST: .plaintextHTTP
        case SSL_R_WRONG_VERSION_NUMBER where !circumstances.isEstablished: .notTLS
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_WRONG_SSL_VERSION: .versionRefused
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
            SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SHARED_GROUPS:
            .nothingShared
        case SSL_R_NO_APPLICATION_PROTOCOL: .noApplicationProtocol
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: .certificateMissing
        case SSL_R_CERTIFICATE_VERIFY_FAILED: .peerCertificate(TLSPeerFault(code: circumstances.verification))
        // A received alert is a reason this much above its number.
        case SSL_AD_REASON_OFFSET..<SSL_AD_REASON_OFFSET &+ 256:
            .alert(UInt8(truncatingIfNeeded: reason &- SSL_AD_REASON_OFFSET))
        default: .other(library: ERR_LIB_SSL, reason: reason)
        }
    }
}

extension TLSFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .plaintextHTTP: "plain HTTP on a port that speaks TLS"
        case .notTLS: "what came is no TLS"
        case .versionRefused: "the peer speaks no version of TLS that is allowed"
        case .nothingShared: "no cipher, group or signature algorithm is shared"
        case .noApplicationProtocol: "no application protocol is shared"
        case .certificateMissing: "the client shows no certificate"
        case .peerCertificate(let fault): fault.description
        case .alert(let number):
            unsafe "the peer gave up: \(String(cString: SSL_alert_desc_string_long(Int32(number))))"
        case .closedInHandshake: "the connection ended inside the handshake"
        case .transport(let code): "the socket failed with error \(code)"
        case .other(let library, let reason): Self.text(library: library, reason: reason)
        }
    }

    static func text(library: Int32, reason: Int32) -> String {
        let code = copenssl_error_code(library, reason)
        guard let text = unsafe ERR_reason_error_string(code) else { return "error \(reason) of library \(library)" }
        return unsafe String(cString: text)
    }
}
