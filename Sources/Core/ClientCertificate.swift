/// The certificate a client has shown in its TLS handshake and that was found good: who a trusted authority says it is.
/// Immutable; made once for a connection.
package final class ClientCertificate: Sendable {
    /// The distinguished name of the subject, in the form of RFC 4514; may be empty.
    package let subject: String
    /// The most specific CN of the subject.
    package let commonName: String?
    /// The subject alternative names (RFC 5280 §4.2.1.6) of three kinds, in the order of the certificate.
    package let dnsNames: [String]
    package let uris: [String]
    package let emails: [String]
    /// The distinguished name of the issuer, in the form of RFC 4514.
    package let issuer: String
    /// The serial number in upper-case hexadecimal digits.
    package let serial: String
    /// SHA-256 of the certificate in DER form.
    package let fingerprint: Digest256
    package let notAfter: WallTime
    /// `fingerprint` in 64 lower-case hexadecimal digits.
    package let fingerprintText: String

    package init(_ parts: Parts) {
        subject = parts.subject
        commonName = parts.commonName
        dnsNames = parts.dnsNames
        uris = parts.uris
        emails = parts.emails
        issuer = parts.issuer
        serial = parts.serial
        fingerprint = parts.fingerprint
        notAfter = parts.notAfter
        fingerprintText = parts.fingerprint.hex
    }

    /// What a certificate says, to be filled in by who reads it.
    package struct Parts: Sendable {
        package var subject = ""
        package var commonName: String?
        package var dnsNames: [String] = []
        package var uris: [String] = []
        package var emails: [String] = []
        package var issuer = ""
        package var serial = ""
        package var fingerprint: Digest256
        package var notAfter: WallTime

        package init(fingerprint: Digest256, notAfter: WallTime) {
            self.fingerprint = fingerprint
            self.notAfter = notAfter
        }
    }
}
