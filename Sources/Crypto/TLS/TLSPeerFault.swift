import COpenSSL

/// Why the peer's certificate is not believed (RFC 5280 §6).
package enum TLSPeerFault: Equatable, Sendable {
    /// No authority that is trusted issued it, or a certificate between is missing.
    case unknownIssuer
    /// It is its own issuer, and not trusted.
    case selfSigned
    case expired
    case notYetValid
    /// It is made out to somebody else.
    case nameMismatch
    case revoked
    /// It is not for this side of TLS, or an issuer in its chain may not issue.
    case wrongPurpose
    case chainTooLong
    case badSignature
    /// A key or a hash in its chain is below the security level.
    case tooWeak
    /// OpenSSL's own number (X509_V_ERR_…).
    case other(Int32)

    /// From the result of a verification that did not succeed.
    init(code: Int) {
        switch Int32(truncatingIfNeeded: code) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_CERT_UNTRUSTED:
            self = .unknownIssuer
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: self = .selfSigned
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH, X509_V_ERR_EMAIL_MISMATCH:
            self = .nameMismatch
        case X509_V_ERR_CERT_REVOKED: self = .revoked
        case X509_V_ERR_INVALID_PURPOSE, X509_V_ERR_INVALID_CA, X509_V_ERR_KEYUSAGE_NO_CERTSIGN,
            X509_V_ERR_CERT_REJECTED:
            self = .wrongPurpose
        case X509_V_ERR_CERT_CHAIN_TOO_LONG, X509_V_ERR_PATH_LENGTH_EXCEEDED: self = .chainTooLong
        case X509_V_ERR_CERT_SIGNATURE_FAILURE: self = .badSignature
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK: self = .tooWeak
        case let code: self = .other(code)
        }
    }

    /// A stable word for logs and metrics.
    package var label: String {
        switch self {
        case .unknownIssuer: "unknown_issuer"
        case .selfSigned: "self_signed"
        case .expired: "expired"
        case .notYetValid: "not_yet_valid"
        case .nameMismatch: "name_mismatch"
        case .revoked: "revoked"
        case .wrongPurpose: "wrong_purpose"
        case .chainTooLong: "chain_too_long"
        case .badSignature: "bad_signature"
        case .tooWeak: "too_weak"
        case .other: "not_verified"
        }
    }
}

extension TLSPeerFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownIssuer: "no trusted authority issued the certificate"
        case .selfSigned: "the certificate is self-signed and not trusted"
        case .expired: "the certificate, or one in its chain, has expired"
        case .notYetValid: "the certificate, or one in its chain, is not valid yet"
        case .nameMismatch: "the certificate is made out to another name"
        case .revoked: "the certificate has been revoked"
        case .wrongPurpose: "the certificate, or one in its chain, is not for this purpose"
        case .chainTooLong: "the certificate's chain is too long"
        case .badSignature: "a signature in the certificate's chain is wrong"
        case .tooWeak: "a key or a hash in the certificate's chain is too weak"
        case .other(let code): unsafe String(cString: X509_verify_cert_error_string(Int(code)))
        }
    }
}
