/// Why an OCSP response (RFC 6960) is not stapled.
package enum OCSPFault: Error, Equatable, Sendable {
    /// Not the DER form of a response.
    case malformed
    /// The responder's answer is an error.
    case unsuccessful
    /// It is about another certificate.
    case otherCertificate
    /// It says that the certificate is revoked, or not known.
    case notGood
}

extension OCSPFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed: "it cannot be read as DER"
        case .unsuccessful: "it is the responder's refusal"
        case .otherCertificate: "it is about another certificate"
        case .notGood: "it does not call the certificate good"
        }
    }
}
