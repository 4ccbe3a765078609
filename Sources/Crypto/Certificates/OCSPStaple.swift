import COpenSSL
import Core

/// An OCSP response (RFC 6960) that calls one certificate good, in DER, to be sent with it (RFC 6066 §8). Its signature
/// is for clients to check.
struct OCSPStaple: Sendable {
    let bytes: [UInt8]
    /// The response is out of date from then on, and not sent any more.
    let nextUpdate: WallTime

    /// `issuer` is what the certificate's chain has; without it the serial number alone decides.
    init(_ bytes: [UInt8], for certificate: X509Certificate, issuer: X509Certificate?) throws(OCSPFault) {
        guard bytes.count <= FixedBounds.pemBytes else { throw .malformed }
        var next: Int64 = .max
        let answer = unsafe copenssl_read_ocsp(bytes, bytes.count, certificate.pointer, issuer?.pointer, &next)
        switch answer {
        case copenssl_ocsp_good: break
        case copenssl_ocsp_unsuccessful: throw .unsuccessful
        case copenssl_ocsp_other: throw .otherCertificate
        case copenssl_ocsp_revoked: throw .notGood
        default: throw .malformed
        }
        self.bytes = bytes
        nextUpdate = WallTime(seconds: next)
    }
}
