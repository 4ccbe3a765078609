/// A `publish_keys` action: whose public keys it answers with, and in which form.
package struct PublishKeysConfiguration: Sendable {
    package var keySet: Located<String>
    /// Every RSA key has a member `x5c` with its SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in base64, in place of the certificate
    /// that RFC 7517 §4.7 has there: AuthRocket's libraries read it so.
    package var hasPublicKeyInX5C = false

    package init(keySet: Located<String>) { self.keySet = keySet }
}
