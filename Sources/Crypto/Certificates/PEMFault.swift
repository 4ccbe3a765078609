/// Why a text holds no certificates that can be used.
package enum PEMFault: Error, Equatable, Sendable {
    /// Longer than `FixedBounds.pemBytes`.
    case tooLong
    /// No "-----BEGIN" in it: DER, PKCS #12, or another file altogether.
    case notPEM
    /// PEM, without a certificate.
    case noCertificate
    /// The certificate at this place, counted from 1, cannot be read.
    case malformed(number: Int)
    /// More than the bound allows.
    case tooMany(limit: Int)
}

extension PEMFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tooLong: "too long for certificates"
        case .notPEM: "not PEM (no \"-----BEGIN\" in it)"
        case .noCertificate: "no certificate in it"
        case .malformed(let number): "certificate \(number) in it cannot be read"
        case .tooMany(let limit): "more than \(limit) certificates in it"
        }
    }
}
