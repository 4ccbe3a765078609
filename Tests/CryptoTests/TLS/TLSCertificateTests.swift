import COpenSSL
import Core
import Crypto
import Testing

/// Certificates and keys as operators give them.
struct TLSCertificateTests {
    private static let good = TestAuthority.root.issue()

    private static func error(
        _ certificate: [UInt8], _ key: [UInt8], _ passphrase: String? = nil
    ) -> TLSCertificateError? {
        do throws(TLSCertificateError) {
            _ = try TLSCertificate(
                certificate: certificate, key: key, passphrase: passphrase.map { Array($0.utf8) })
            return nil
        } catch {
            #expect(!error.description.isEmpty)
            return error
        }
    }

    @Test func `what belongs together is taken`() throws {
        #expect(Self.error(Self.good, TestKey.ec.pem()) == nil)
        #expect(Self.error(Self.good, TestKey.ec.traditionalPEM()) == nil)
        let rsa = TestAuthority.root.issue(.init(key: .rsa))
        #expect(Self.error(rsa, TestKey.rsa.pem()) == nil)
        #expect(Self.error(rsa, TestKey.rsa.traditionalPEM()) == nil)
        for kind in [TestKey.Kind.ec("P-384"), .ed25519, .rsa(bits: 3072)] {
            let key = TestKey(kind)
            #expect(Self.error(TestAuthority.root.issue(.init(key: key)), key.pem()) == nil)
        }
    }

    @Test func `both may stand in one file, in either order`() {
        let (certificate, key) = (Self.good, TestKey.ec.pem())
        #expect(Self.error(certificate + key, certificate + key) == nil)
        #expect(Self.error(key + certificate, key + certificate) == nil)
        let parameters = Array("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n".utf8)
        #expect(Self.error(certificate, parameters + TestKey.ec.traditionalPEM()) == nil)
    }

    @Test func `an encrypted key wants its passphrase`() {
        for passphrase in ["correct horse", "x", "pässwörd"] {
            let key = TestKey.ec.pem(passphrase: passphrase)
            #expect(Self.error(Self.good, key, passphrase) == nil)
            #expect(Self.error(Self.good, key) == .passphraseMissing)
            for wrong in ["wrong", "", passphrase + " ", String(repeating: "a", count: 5000)] {
                #expect(Self.error(Self.good, key, wrong) == .wrongPassphrase)
            }
        }
        // One that is not needed does no harm.
        #expect(Self.error(Self.good, TestKey.ec.pem(), "needless") == nil)
    }

    @Test func `a key of another certificate is refused`() {
        #expect(Self.error(Self.good, TestKey.otherEC.pem()) == .keyMismatch)
        #expect(Self.error(Self.good, TestKey.rsa.pem()) == .keyMismatch)
        #expect(Self.error(TestAuthority.root.issue(.init(key: .rsa)), TestKey.otherRSA.pem()) == .keyMismatch)
    }

    @Test func `of a chain in the wrong order the one to put first is named`() {
        #expect(Self.error(TestAuthority.root.pem + Self.good, TestKey.ec.pem()) == .keyOfLater(2))
        let middle = TestAuthority.root.intermediate("Middle")
        #expect(Self.error(TestAuthority.root.pem + middle.pem + middle.issue(), TestKey.ec.pem()) == .keyOfLater(3))
    }

    @Test func `a key on a curve that has only the right size is refused`() {
        let key = TestKey(.ec("secp256k1"))
        #expect(Self.error(TestAuthority.root.issue(.init(key: key)), key.pem()) == .unsupportedKey(.other))
    }

    // MARK: Flaws

    private static func flaws(
        _ certificates: [UInt8], for use: CertificateUse = .server
    ) throws -> [CertificateFlaw] {
        let flaws = try TLSCertificate(certificate: certificates, key: TestKey.ec.pem()).flaws(for: use)
        for flaw in flaws { #expect(!flaw.description.isEmpty) }
        return flaws
    }

    @Test func `a whole chain, a bare certificate and a self-signed one have no flaws`() throws {
        let middle = TestAuthority.root.intermediate("Middle")
        #expect(try Self.flaws(Self.good) == [])
        #expect(try Self.flaws(middle.issue() + middle.pem) == [])
        #expect(try Self.flaws(middle.issue() + middle.pem + TestAuthority.root.pem) == [])
        #expect(try Self.flaws(TestAuthority.selfSigned()) == [])
        #expect(try Self.flaws(TestAuthority.root.issue(.init(names: nil, usage: "clientAuth")), for: .client) == [])
    }

    @Test func `a link that is missing, or stands in the wrong place`() throws {
        let middle = TestAuthority.root.intermediate("Middle")
        #expect(try Self.flaws(middle.issue() + TestAuthority.root.pem) == [.chainBroken(after: 1)])
        #expect(try Self.flaws(middle.issue() + TestAuthority.root.pem + middle.pem) == [.chainBroken(after: 1)])
        #expect(try Self.flaws(middle.issue() + middle.pem + TestAuthority.other.pem) == [.chainBroken(after: 2)])
    }

    @Test func `a certificate for nobody, for another use, or of an authority`() throws {
        #expect(try Self.flaws(TestAuthority.root.issue(.init(names: nil))) == [.noNames])
        #expect(try Self.flaws(TestAuthority.root.issue(.init(names: "URI:spiffe://a/b"))) == [.noNames])
        #expect(try Self.flaws(TestAuthority.root.issue(.init(usage: "clientAuth"))) == [.notFor(.server)])
        #expect(try Self.flaws(Self.good, for: .client) == [.notFor(.client)])
        #expect(try Self.flaws(TestAuthority.root.issue(.init(isAuthority: true))).contains(.authority))
    }

    @Test func `what is no PEM, or other PEM`() {
        let (key, der) = (TestKey.ec.pem(), [UInt8]([0x30, 0x82, 1, 0, 0]))
        #expect(Self.error([], key) == .certificate(.notPEM))
        #expect(Self.error(der, key) == .certificate(.notPEM))
        #expect(Self.error(key, key) == .certificate(.noCertificate))
        #expect(Self.error(Self.good, []) == .keyNotPEM)
        #expect(Self.error(Self.good, der) == .keyNotPEM)
        #expect(Self.error(Self.good, Self.good) == .noPrivateKey)
        let broken = Array("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n".utf8)
        #expect(Self.error(Self.good, broken) == .malformedKey)
        let cut = Array(Self.good.prefix(Self.good.count / 2))
        #expect(Self.error(cut, key) == .certificate(.malformed(number: 1)))
        #expect(Self.error(Self.good + cut, key) == .certificate(.malformed(number: 2)))
        let many = (0...FixedBounds.certificateChain).flatMap { _ in Self.good }
        #expect(Self.error(many, key) == .certificate(.tooMany(limit: FixedBounds.certificateChain)))
    }

    @Test func `what is weak or cannot be used`() {
        let weak = TestKey(.rsa(bits: 1024))
        #expect(Self.error(TestAuthority.root.issue(.init(key: weak)), weak.pem()) == .keyTooWeak(.rsa(bits: 1024)))
        let p521 = TestKey(.ec("P-521"))
        #expect(Self.error(TestAuthority.root.issue(.init(key: p521)), p521.pem()) == .unsupportedKey(.ecdsa(bits: 521)))
        #expect(Self.error(TestAuthority.root.issue(.init(digest: "SHA1")), TestKey.ec.pem()) == .chainTooWeak)
    }

    @Test func `having expired is a fact and no error`() throws {
        let certificate = try TestAuthority.root.identity(.init(notBefore: -7200, notAfter: -3600))
        #expect(certificate.facts.notAfter.since(certificate.facts.notBefore) == .seconds(3600))
    }

    @Test func `the facts are those of the certificate`() throws {
        let request = TestAuthority.Request(
            subject: ["CN": "Zoë, \"the\" <gate>", "O": "Acme; Inc"],
            names: "DNS:a.example,DNS:*.b.example,URI:spiffe://acme/gate,email:ops@acme.example,IP:192.0.2.1,IP:2001:db8::1",
            key: .rsa, serial: 0x1F0A)
        let pem = TestAuthority.root.issue(request)
        let facts = try TLSCertificate(certificate: pem + TestAuthority.root.pem, key: TestKey.rsa.pem()).facts
        #expect(facts.subject.contains("CN=Zoë\\, \\\"the\\\" \\<gate\\>"))
        #expect(facts.subject.contains("O=Acme\\; Inc"))
        #expect(facts.commonName == "Zoë, \"the\" <gate>")
        #expect(facts.issuer == "CN=Test Root")
        #expect(facts.serial == "1F0A")
        #expect(facts.keyKind == .rsa(bits: 2048))
        #expect(facts.keyKind.description == "RSA 2048")
        #expect(facts.dnsNames == ["a.example", "*.b.example"])
        #expect(facts.uris == ["spiffe://acme/gate"])
        #expect(facts.emailAddresses == ["ops@acme.example"])
        #expect(facts.addresses == [IPAddress("192.0.2.1"), IPAddress("2001:db8::1")])
        #expect(facts.notAfter.since(facts.notBefore) == .seconds(86_400 + 3600))
        let der = try #require(Self.der(of: pem))
        #expect(facts.sha256 == OpenSSLCryptography().sha256(der.span))
    }

    @Test func `names with bytes that no name has are left out`() throws {
        let certificate = try TestAuthority.root.identity(
            .init(subject: ["CN": "a\u{1}b"], names: "DNS:good.example,DNS:b\u{7}d.example,URI:urn:ok"))
        #expect(certificate.facts.dnsNames == ["good.example"])
        #expect(certificate.facts.uris == ["urn:ok"])
        #expect(certificate.facts.commonName == nil)
        #expect(certificate.facts.subject == "CN=a\\01b")
    }

    private static func der(of pem: [UInt8]) -> [UInt8]? {
        let lines = String(decoding: pem, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("-----") }
        let text = Array(lines.joined().utf8)
        var bytes = [UInt8](repeating: 0, count: text.count)
        let count = unsafe EVP_DecodeBlock(&bytes, text, Int32(text.count))
        let padding = text.reversed().prefix { $0 == 0x3D }.count
        return count < 0 ? nil : Array(bytes[..<(Int(count) - padding)])
    }
}

extension WallTime {
    fileprivate func since(_ earlier: WallTime) -> Nanoseconds { nanoseconds - earlier.nanoseconds }
}
