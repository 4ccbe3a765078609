package import Core
import COpenSSL

/// A client's certificate with its chain as it would be shown in a handshake, read without its key: for saying what a
/// listener would make of it.
package struct ShownCertificate {
    private let chain: [X509Certificate]

    /// The certificates of a PEM text, the client's own first. Keys beside them are passed over.
    package init(pem text: [UInt8]) throws(PEMFault) {
        chain = try PEM.certificates(text.span, limit: FixedBounds.certificateChain)
    }

    package var facts: CertificateFacts { CertificateFacts(chain[0]) }

    /// Why a listener that asks for certificates of this store's refuses the handshake at a moment, in OpenSSL's words; nil
    /// when it takes the certificate.
    package func fault(under store: TrustStore, at time: WallTime) -> String? {
        defer { ERR_clear_error() }
        guard let context = unsafe X509_STORE_CTX_new(), let others = unsafe copenssl_new_chain() else { return "no memory" }
        // The certificates outlive both: they belong to `chain`, and the stack does not own what is in it.
        defer {
            unsafe X509_STORE_CTX_free(context)
            unsafe copenssl_free_chain(others)
        }
        for other in chain.dropFirst() { _ = unsafe copenssl_push(others, other.pointer) }
        guard unsafe X509_STORE_CTX_init(context, store.pointer, chain[0].pointer, others) == 1,
            unsafe X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT) == 1
        else { return "it cannot be verified" }
        unsafe X509_STORE_CTX_set_time(context, 0, Int(time.seconds))
        if unsafe X509_verify_cert(context) == 1 { return nil }
        let code = unsafe X509_STORE_CTX_get_error(context)
        return unsafe String(cString: X509_verify_cert_error_string(Int(code)))
    }
}
