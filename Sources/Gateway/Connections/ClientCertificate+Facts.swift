import Core
import Crypto

extension ClientCertificate {
    /// What a good certificate of a client says.
    convenience init(_ facts: CertificateFacts) {
        var parts = Parts(fingerprint: facts.sha256, notAfter: facts.notAfter)
        parts.subject = facts.subject
        parts.commonName = facts.commonName
        parts.dnsNames = facts.dnsNames
        parts.uris = facts.uris
        parts.emails = facts.emailAddresses
        parts.issuer = facts.issuer
        parts.serial = facts.serial.uppercased()
        self.init(parts)
    }
}
