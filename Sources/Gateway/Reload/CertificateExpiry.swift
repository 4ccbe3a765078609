package import Core

/// A certificate in use and the time it ends, for operators.
package struct CertificateExpiry: Hashable, Sendable {
    /// `listener 127.0.0.1:8443` or `upstream api`.
    package var user: String
    /// Where it was read from, as the policy names it: a path, or `env:NAME`.
    package var source: String
    package var subject: String
    package var notAfter: WallTime

    package init(user: String, source: String, subject: String, notAfter: WallTime) {
        self.user = user
        self.source = source
        self.subject = subject
        self.notAfter = notAfter
    }
}
