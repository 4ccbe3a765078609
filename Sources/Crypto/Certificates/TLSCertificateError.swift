/// Why a certificate and its key cannot be used. Having expired is no reason: that is a fact to warn of.
package enum TLSCertificateError: Error, Equatable, Sendable {
    case certificate(PEMFault)
    case keyNotPEM
    case noPrivateKey
    /// The key is not encrypted and cannot be read.
    case malformedKey
    case passphraseMissing
    /// Or the encrypted key is damaged, which looks the same.
    case wrongPassphrase
    /// Neither RSA nor ECDSA on P-256 or P-384 nor Ed25519.
    case unsupportedKey(CertificateKeyKind)
    /// The private key belongs to another certificate.
    case keyMismatch
    /// The private key belongs to a certificate that does not come first; counted from 1.
    case keyOfLater(Int)
    /// An RSA key below 2048 bits.
    case keyTooWeak(CertificateKeyKind)
    /// A certificate of the chain is signed with SHA-1 or MD5, or by a key that is too short.
    case chainTooWeak
    /// OpenSSL has another reason; its number in libssl.
    case refused(reason: Int32)
    case staple(OCSPFault)
}

extension TLSCertificateError {
    /// The file of the key is to be looked at, and not that of the certificate.
    package var isAboutKey: Bool {
        switch self {
        case .keyNotPEM, .noPrivateKey, .malformedKey, .passphraseMissing, .wrongPassphrase, .keyMismatch: true
        case .certificate, .unsupportedKey, .keyOfLater, .keyTooWeak, .chainTooWeak, .refused, .staple: false
        }
    }
}

extension TLSCertificateError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .certificate(let fault): "the certificate file is of no use: \(fault)"
        case .keyNotPEM: "the key file is not PEM (no \"-----BEGIN\" in it)"
        case .noPrivateKey: "there is no private key in the key file"
        case .malformedKey: "the private key cannot be read"
        case .passphraseMissing: "the private key is encrypted, and no passphrase is given"
        case .wrongPassphrase: "the passphrase does not open the private key"
        case .unsupportedKey(let kind): "keys \(kind) are not supported; RSA, ECDSA P-256, P-384 and Ed25519 are"
        case .keyMismatch: "the private key does not belong to the certificate"
        case .keyOfLater(let place): "the private key belongs to certificate \(place) of the file: that one must come first"
        case .keyTooWeak(let kind): "the key (\(kind)) is too weak"
        case .chainTooWeak: "the certificate, or one in its chain, has a signature that is too weak"
        case .refused(let reason): "OpenSSL refuses the certificate: \(TLSFault.text(library: ERR_LIB_SSL, reason: reason))"
        case .staple(let fault): "the OCSP response is of no use: \(fault)"
        }
    }
}

import COpenSSL
