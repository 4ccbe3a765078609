package import Core

/// An authenticator that knows callers by the certificate they show in the TLS handshake.
package struct CertificateAuthenticatorConfiguration: Sendable {
    /// A part of a certificate.
    package enum Part: String, Sendable, CaseIterable {
        /// The distinguished name in the form of RFC 4514.
        case subject
        case commonName = "common_name"
        case dnsName = "san_dns"
        case uri = "san_uri"
        case email = "san_email"
        /// SHA-256 of the certificate in DER form, 64 lower-case hexadecimal digits.
        case fingerprint
    }

    /// Certificates that are let in, and as whom.
    package struct Entry: Sendable {
        /// Every part must have one of its values, byte by byte. Never empty.
        package var match: [Part: [String]]
        /// Whom the certificate stands for; nil takes it from the certificate.
        package var subject: String?
        package var scopes: [String] = []
        /// Empty allows every address.
        package var allowedAddresses: [CIDRBlock] = []
        /// Limit names that replace the route's.
        package var limits: [Located<String>] = []
        package var isEnabled = true
        package var position: SourcePosition

        package init(match: [Part: [String]], position: SourcePosition) {
            self.match = match
            self.position = position
        }
    }

    /// The part that says who is calling; of several names the first.
    package var subjectFrom = Part.subject
    /// The first that fits decides. Nil lets in every certificate that the listener's `client_ca` vouches for.
    package var entries: [Entry]?
    /// Of certificates let in without entries.
    package var scopes: [String] = []

    package init() {}
}
