import COpenSSL
import Core

/// An SSL_CTX. Not changed once connections are made from it, so threads may share it.
@safe final class OpenSSLContext: @unchecked Sendable {
    /// Owned; released with the object. Connections hold a reference of their own.
    let pointer: OpaquePointer

    init(isServer: Bool, minimumVersion: TLSVersion, usesKernelTLS: Bool) throws(TLSContextError) {
        ERR_clear_error()
        guard let context = unsafe SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            throw .unavailable
        }
        unsafe pointer = context
        guard unsafe copenssl_configure(context, minimumVersion.code, usesKernelTLS ? 1 : 0) != 0 else {
            ERR_clear_error()
            throw .unavailable
        }
        unsafe copenssl_limit_peer_certificates(context, FixedBounds.peerCertificateBytes)
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
    }

    /// One to try a certificate with; nil when OpenSSL has no memory, which later steps say better.
    static func forTrial() -> OpenSSLContext? {
        try? OpenSSLContext(isServer: true, minimumVersion: .tls12, usesKernelTLS: false)
    }

    /// Shows `certificate` to peers. A second one with another kind of key stands beside the first.
    func use(_ certificate: TLSCertificate) throws(TLSCertificateError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let chain = unsafe copenssl_new_chain() else { throw .refused(reason: 0) }
        // The stack borrows the certificates; the context takes references of its own.
        defer { unsafe copenssl_free_chain(chain) }
        for intermediate in certificate.intermediates {
            guard unsafe copenssl_push(chain, intermediate.pointer) != 0 else { throw .refused(reason: 0) }
        }
        guard
            unsafe SSL_CTX_use_cert_and_key(pointer, certificate.leaf.pointer, certificate.key.pointer, chain, 1) == 1
        else {
            let code = ERR_peek_error()
            switch ERR_GET_REASON(code) {
            case SSL_R_EE_KEY_TOO_SMALL: throw .keyTooWeak(certificate.facts.keyKind)
            case SSL_R_CA_KEY_TOO_SMALL, SSL_R_CA_MD_TOO_WEAK: throw .chainTooWeak
            case let reason: throw .refused(reason: reason)
            }
        }
    }

    /// Believes the authorities of `store`, and chains of `FixedBounds.certificateChain` certificates.
    func trust(_ store: TrustStore) throws(TLSContextError) {
        guard unsafe copenssl_trust(pointer, store.pointer) != 0 else { throw .unavailable }
        // The depth counts neither the peer's own certificate nor the anchor.
        unsafe SSL_CTX_set_verify_depth(pointer, Int32(FixedBounds.certificateChain &- 2))
    }
}
