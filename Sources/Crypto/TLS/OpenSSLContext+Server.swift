import COpenSSL
import Core

extension OpenSSLContext {
    /// No tickets, no sessions.
    func refuseResumption() { unsafe copenssl_refuse_resumption(pointer) }

    /// Sessions made under other terms are not resumed.
    func setSessionTerms(_ terms: Digest256) {
        let bytes = Hex.decode(terms.hex.utf8.span) ?? []
        // OpenSSL copies them; 32 is as many as it takes.
        unsafe SSL_CTX_set_session_id_context(pointer, bytes, UInt32(truncatingIfNeeded: bytes.count))
    }

    func askForCertificates(issuedBy authorities: [X509Certificate], isRequired: Bool) {
        let mode = SSL_VERIFY_PEER | (isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        unsafe SSL_CTX_set_verify(pointer, mode, nil)
        for authority in authorities {
            // Names are copied.
            unsafe SSL_CTX_add_client_CA(pointer, authority.pointer)
        }
        ERR_clear_error()
    }

    /// A resumed session carries its client's certificate and is not verified again; the dates at least have to hold.
    func refuseSessionsOfExpiredCertificates() {
        unsafe SSL_CTX_set_session_ticket_cb(pointer, nil, { _, session, _, _, status, _ in
            switch status {
            case SSL_TICKET_SUCCESS, SSL_TICKET_SUCCESS_RENEW:
                if let certificate = unsafe SSL_SESSION_get0_peer(session),
                    unsafe X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0
                {
                    return SSL_TICKET_RETURN_IGNORE_RENEW
                }
                return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW
            default:
                return SSL_TICKET_RETURN_IGNORE_RENEW
            }
        }, nil)
    }
}
