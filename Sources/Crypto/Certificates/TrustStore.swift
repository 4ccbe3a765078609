import COpenSSL
import Core

/// The authorities whose certificates are believed. Not changed after it was made; contexts and threads share it.
@safe package final class TrustStore: @unchecked Sendable {
    /// What the anchors say; empty for the system's roots, which are not listed.
    package let anchors: [CertificateFacts]
    /// Owned; freed with the object.
    let pointer: OpaquePointer
    let certificates: [X509Certificate]
    /// Of the text it was made of; what was believed under another text is not believed under this one.
    let identity: Digest256

    /// Anchors from a PEM text, at most `FixedBounds.trustAnchors`. Each is believed as it stands, also an intermediate
    /// or a server's own certificate.
    package init(pem text: [UInt8]) throws(PEMFault) {
        certificates = try PEM.certificates(text.span, limit: FixedBounds.trustAnchors)
        anchors = certificates.map(CertificateFacts.init)
        identity = SHA2.sha256(text.span)
        unsafe pointer = Self.newStore()
        unsafe copenssl_trust_all_of(pointer)
        for certificate in certificates {
            // The store takes a reference of its own; one that is in it already is not an error.
            unsafe X509_STORE_add_cert(pointer, certificate.pointer)
        }
        ERR_clear_error()
    }

    private init(systemRoots: ()) {
        certificates = []
        anchors = []
        identity = Digest256(0, 0, 0, 0)
        unsafe pointer = Self.newStore()
        unsafe X509_STORE_set_default_paths(pointer)
        ERR_clear_error()
    }

    /// The roots the system trusts, where OpenSSL looks for them (SSL_CERT_FILE and SSL_CERT_DIR point elsewhere). Reads
    /// files each time, some ten milliseconds; a system without roots believes nobody.
    package static func systemRoots() -> TrustStore { TrustStore(systemRoots: ()) }

    private static func newStore() -> OpaquePointer {
        guard let store = unsafe X509_STORE_new() else { fatalError("no memory for a trust store") }
        return unsafe store
    }

    deinit {
        unsafe X509_STORE_free(pointer)
    }
}
