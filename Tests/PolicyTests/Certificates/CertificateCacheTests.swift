import Core
import Testing

@testable import Policy

/// A certificate is judged once for a connection, and never by what another one was found to be.
struct CertificateCacheTests {
    private static func authenticator(_ name: String, subjectFrom part: CertificateAuthenticator.Part = .commonName)
        -> CertificateAuthenticator
    {
        CertificateAuthenticator(name: name, subjectFrom: part, entries: nil, scopes: ScopeSet([]))
    }

    private static let now = PolicyFixture.clock(0).wall

    private func identity(_ verdict: CertificateVerdict) -> CertificateIdentity? {
        if case .accepted(let identity) = verdict { identity } else { nil }
    }

    private func denial(_ verdict: CertificateVerdict) -> Denial? {
        if case .refused(let denial) = verdict { denial } else { nil }
    }

    @Test func `the same certificate under the same authenticator is the same identity`() throws {
        var cache = CertificateCache()
        let (certificate, authenticator) = (PolicyFixture.certificate(), Self.authenticator("a"))
        let first = try #require(identity(cache.verdict(on: certificate, by: authenticator, now: Self.now)))
        for _ in 0..<3 {
            #expect(identity(cache.verdict(on: certificate, by: authenticator, now: Self.now)) === first)
        }
        cache.removeAll()
        let again = try #require(identity(cache.verdict(on: certificate, by: authenticator, now: Self.now)))
        #expect(again !== first && again.subject == first.subject)
    }

    @Test func `a refusal is remembered, and is of that authenticator alone`() {
        var cache = CertificateCache()
        let certificate = PolicyFixture.certificate { $0.emails = [] }
        let (strict, lenient) = (Self.authenticator("strict", subjectFrom: .email), Self.authenticator("lenient"))
        for _ in 0..<2 {
            #expect(denial(cache.verdict(on: certificate, by: strict, now: Self.now)) == .credentialUnknown)
            #expect(identity(cache.verdict(on: certificate, by: lenient, now: Self.now))?.subject == "billing")
        }
    }

    @Test func `an expired certificate is refused whatever it was before`() {
        var cache = CertificateCache()
        let (certificate, authenticator) = (PolicyFixture.certificate(), Self.authenticator("a"))
        #expect(identity(cache.verdict(on: certificate, by: authenticator, now: Self.now)) != nil)
        let end = certificate.notAfter
        #expect(denial(cache.verdict(on: certificate, by: authenticator, now: end)) == .certificateExpired)
        #expect(identity(cache.verdict(on: certificate, by: authenticator, now: Self.now)) != nil)
    }

    @Test func `more certificates than there are places are each judged rightly`() {
        var cache = CertificateCache()
        let authenticator = Self.authenticator("a")
        let certificates = (0..<2000).map { number in PolicyFixture.certificate { $0.commonName = "client \(number)" } }
        for _ in 0..<2 {
            for certificate in certificates {
                let found = identity(cache.verdict(on: certificate, by: authenticator, now: Self.now))
                #expect(found?.subject == certificate.commonName && found?.certificate === certificate)
            }
        }
    }
}
