/// What a TLS client shows and asks.
package struct TLSClientSettings: Sendable {
    /// How a server has to prove itself.
    package enum Verification: Sendable {
        /// By a certificate that these authorities vouch for, made out to the name that was meant.
        case authorities(TrustStore)
        /// Not at all: whoever answers is believed.
        case off
    }

    package var verification: Verification
    /// Shown to servers that ask for one.
    package var certificate: TLSCertificate?
    /// Offered in ALPN, in the order of preference; empty: no ALPN.
    package var protocols: [TLSApplicationProtocol] = [.http11]
    package var minimumVersion = TLSVersion.tls12
    /// Keep the newest sessions of each name and begin with them next time.
    package var resumesSessions = true
    /// Give the keys of connections to the kernel where it takes them.
    package var usesKernelTLS = false

    package init(_ verification: Verification) { self.verification = verification }
}
