/// A certificate chain and its private key, by reference: what one side of a TLS connection shows of itself.
package struct CertificateConfiguration: Sendable, Equatable {
    /// The certificate and those that lead to its root, in PEM form, the certificate first.
    package var certificate: Located<SecretReference>
    /// Its private key in PEM form.
    package var key: Located<SecretReference>
    /// What the key is encrypted with; nil for a key in clear.
    package var passphrase: Located<SecretReference>?
    /// An OCSP response in DER form to staple (RFC 6066 §8); servers only.
    package var ocspResponse: Located<SecretReference>?

    package init(certificate: Located<SecretReference>, key: Located<SecretReference>) {
        self.certificate = certificate
        self.key = key
    }
}
