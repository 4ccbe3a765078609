package import Core

/// What a certificate says, taken out of it once. Names that hold bytes outside visible ASCII are left out, since no
/// name that can be compared has any.
package final class CertificateFacts: Sendable {
    /// The distinguished name as RFC 4514 writes it.
    package let subject: String
    /// The last common name of the subject; nil when it has none, or one with control characters in it.
    package let commonName: String?
    package let issuer: String
    /// Two upper-case hexadecimal digits a byte.
    package let serial: String
    /// Of the whole certificate.
    package let sha256: Digest256
    package let notBefore: WallTime
    package let notAfter: WallTime
    package let keyKind: CertificateKeyKind
    /// Subject alternative names (RFC 5280 §4.2.1.6) by their kinds, each in the certificate's order.
    package let dnsNames: [String]
    package let uris: [String]
    package let emailAddresses: [String]
    package let addresses: [IPAddress]

    init(_ certificate: X509Certificate) {
        let names = AlternativeNames(certificate)
        subject = certificate.subject
        commonName = certificate.commonName
        issuer = certificate.issuer
        serial = certificate.serial
        sha256 = certificate.sha256
        notBefore = certificate.notBefore
        notAfter = certificate.notAfter
        keyKind = certificate.keyKind
        dnsNames = names.dns
        uris = names.uris
        emailAddresses = names.emails
        addresses = names.addresses
    }

    /// The part of it that policies decide on.
    package var clientCertificate: ClientCertificate {
        var parts = ClientCertificate.Parts(fingerprint: sha256, notAfter: notAfter)
        parts.subject = subject
        parts.commonName = commonName
        parts.dnsNames = dnsNames
        parts.uris = uris
        parts.emails = emailAddresses
        parts.issuer = issuer
        parts.serial = serial
        return ClientCertificate(parts)
    }
}
