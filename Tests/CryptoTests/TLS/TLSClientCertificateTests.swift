import Core
import Crypto
import Testing

/// Certificates that clients show.
struct TLSClientCertificateTests {
    private static let clientAuthority = TestAuthority("Client Root")
    private static let request = TestAuthority.Request(
        subject: ["CN": "device-1", "O": "Acme"], names: "DNS:device-1.example,email:device@example,URI:urn:device:1",
        key: .otherEC, usage: "clientAuth", serial: 0xAB)

    private static func link(
        _ certificate: TLSCertificate?, isRequired: Bool
    ) throws -> TestLink {
        let store = try TrustStore(pem: clientAuthority.pem)
        let link = try TestLink(
            TestContexts.client { $0.certificate = certificate },
            TestContexts.server { $0.clientCertificates = isRequired ? .required(store) : .optional(store) })
        link.handshake()
        return link
    }

    @Test(arguments: [true, false])
    func `a good one is known afterwards`(isRequired: Bool) throws {
        let link = try Self.link(Self.clientAuthority.identity(Self.request), isRequired: isRequired)
        #expect(link.isEstablished)
        let facts = try #require(link.server.peerCertificate)
        #expect(facts.subject == "CN=device-1,O=Acme" || facts.subject == "O=Acme,CN=device-1")
        #expect(facts.dnsNames == ["device-1.example"])
        let client = facts.clientCertificate
        #expect(client.subject == facts.subject)
        #expect(client.commonName == "device-1")
        #expect(client.dnsNames == ["device-1.example"])
        #expect(client.emails == ["device@example"])
        #expect(client.uris == ["urn:device:1"])
        #expect(client.issuer == "CN=Client Root")
        #expect(client.serial == "AB")
        #expect(client.fingerprint == facts.sha256)
        #expect(client.notAfter == facts.notAfter)
        #expect(link.server.peerCertificate === facts)
    }

    @Test func `none, where it is required`() throws {
        let link = try Self.link(nil, isRequired: true)
        #expect(link.serverOutcome == .failed(.certificateMissing))
        #expect(link.clientFault() == .alert(116))
    }

    @Test func `none, where it is optional`() throws {
        let link = try Self.link(nil, isRequired: false)
        #expect(link.isEstablished)
        #expect(link.server.peerCertificate == nil)
    }

    @Test(arguments: [true, false])
    func `a bad one is never taken for none`(isRequired: Bool) throws {
        var expired = Self.request
        (expired.notBefore, expired.notAfter) = (-7200, -3600)
        var forServers = Self.request
        forServers.usage = "serverAuth"
        for (certificate, fault, alert) in [
            (try TestAuthority.other.identity(Self.request), TLSPeerFault.unknownIssuer, 48),
            (try Self.clientAuthority.identity(expired), .expired, 45),
            (try Self.clientAuthority.identity(forServers), .wrongPurpose, 43),
            (try TLSCertificate(certificate: TestAuthority.selfSigned(Self.request), key: TestKey.otherEC.pem()),
                .selfSigned, 48),
        ] {
            let link = try Self.link(certificate, isRequired: isRequired)
            #expect(link.serverOutcome == .failed(.peerCertificate(fault)))
            #expect(link.clientFault() == .alert(UInt8(alert)))
        }
    }

    @Test func `a server that does not ask gets none`() throws {
        let link = try TestLink(
            TestContexts.client { $0.certificate = try? Self.clientAuthority.identity(Self.request) },
            TestContexts.server())
        link.handshake()
        #expect(link.isEstablished)
        #expect(link.server.peerCertificate == nil)
    }
}
