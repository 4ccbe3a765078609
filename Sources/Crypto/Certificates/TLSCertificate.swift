import COpenSSL
package import Core

/// A certificate with its chain and its private key, checked to belong together and to be strong enough.
package final class TLSCertificate: Sendable {
    package let facts: CertificateFacts
    /// Certificates after the first, as they are sent: intermediates.
    package let chain: [CertificateFacts]
    /// When the stapled OCSP response goes out of date; nil without one.
    package var stapleExpiry: WallTime? { staple?.nextUpdate }

    let leaf: X509Certificate
    let intermediates: [X509Certificate]
    let key: PrivateKey
    let staple: OCSPStaple?

    /// From PEM texts. `certificate` holds the certificate and, after it, its intermediates (at most
    /// `FixedBounds.certificateChain` in all); `key` may be the same text. `ocspResponse` is DER.
    package init(
        certificate: [UInt8], key: [UInt8], passphrase: [UInt8]? = nil, ocspResponse: [UInt8]? = nil
    ) throws(TLSCertificateError) {
        let certificates: [X509Certificate]
        do throws(PEMFault) {
            certificates = try PEM.certificates(certificate.span, limit: FixedBounds.certificateChain)
        } catch {
            throw .certificate(error)
        }
        leaf = certificates[0]
        intermediates = Array(certificates.dropFirst())
        self.key = try PrivateKey(pem: key.span, passphrase: passphrase)
        facts = CertificateFacts(leaf)
        chain = intermediates.map(CertificateFacts.init)
        do throws(OCSPFault) {
            staple = try ocspResponse.map { response throws(OCSPFault) in
                try OCSPStaple(response, for: certificates[0], issuer: certificates.dropFirst().first)
            }
        } catch {
            throw .staple(error)
        }
        try checkKey()
        try OpenSSLContext.forTrial()?.use(self)
    }

    private func checkKey() throws(TLSCertificateError) {
        let kind = unsafe CertificateKeyKind(key.pointer)
        // What OpenSSL leaves in its queue is of no interest beyond the answer.
        defer { ERR_clear_error() }
        guard unsafe X509_check_private_key(leaf.pointer, key.pointer) == 1 else {
            let owner = intermediates.firstIndex { unsafe X509_check_private_key($0.pointer, key.pointer) == 1 }
            throw owner.map { .keyOfLater($0 + 2) } ?? .keyMismatch
        }
        switch kind {
        case .rsa(let bits), .rsaPSS(let bits): if bits < 2048 { throw .keyTooWeak(kind) }
        // The curves that are offered as groups; a certificate on another could not be used below TLS 1.3.
        case .ecdsa(let bits): if bits != 256 && bits != 384 { throw .unsupportedKey(kind) }
        case .ed25519: break
        case .ed448, .other: throw .unsupportedKey(kind)
        }
    }
}
