package import Core

/// Who a client certificate stands for under one authenticator. Immutable.
package final class CertificateIdentity: Sendable {
    package let certificate: ClientCertificate
    /// The authenticator's name.
    package let authenticator: String
    package let subject: String
    let scopes: ScopeSet
    /// Nil allows every address.
    let addresses: AddressSet?
    /// Nil where the route's apply.
    let limits: LimitList?
    /// Some certificate of this authenticator has scopes.
    let mayHaveScopes: Bool

    /// Hexadecimal digits of the fingerprint that name the certificate in logs and headers.
    static let idDigits = 16

    init(
        _ certificate: ClientCertificate, authenticator: String, subject: String, scopes: ScopeSet,
        addresses: AddressSet?, limits: LimitList?, mayHaveScopes: Bool
    ) {
        self.certificate = certificate
        self.authenticator = authenticator
        self.subject = subject
        self.scopes = scopes
        self.addresses = addresses
        self.limits = limits
        self.mayHaveScopes = mayHaveScopes
    }

    /// The first digits of the fingerprint.
    var id: Substring.UTF8View { certificate.fingerprintText.prefix(Self.idDigits).utf8 }
}
