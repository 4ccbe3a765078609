import Core
import Crypto
import Testing

/// What a client believes of a server's certificate.
struct TLSVerificationTests {
    private static func outcome(
        of certificate: TLSCertificate, name: String = "localhost", trusting authority: TestAuthority = .root
    ) throws -> TLSHandshakeOutcome {
        let link = try TestLink(
            TestContexts.client(trusting: authority), TestContexts.server([certificate]), name: TLSServerName(name))
        link.handshake()
        if case .failed = link.clientOutcome {
            guard case .failed(.alert) = link.serverOutcome else {
                Issue.record("the server was not told: \(link.serverOutcome)")
                return link.clientOutcome
            }
        }
        return link.clientOutcome
    }

    @Test(arguments: ["localhost", "LOCALHOST", "127.0.0.1", "::1", "[::1]", "api.wild.example"])
    func `a name the certificate is made out to is believed`(name: String) throws {
        let certificate = try TestAuthority.root.identity(
            .init(names: "DNS:localhost,DNS:*.wild.example,IP:127.0.0.1,IP:::1"))
        #expect(try Self.outcome(of: certificate, name: name) == .complete)
    }

    @Test(arguments: [
        "other.example", "127.0.0.2", "::2", "wild.example", "a.b.wild.example", "server", "xlocalhost",
    ])
    func `another name is not`(name: String) throws {
        let certificate = try TestAuthority.root.identity(
            .init(names: "DNS:localhost,DNS:*.wild.example,IP:127.0.0.1,IP:::1"))
        #expect(try Self.outcome(of: certificate, name: name) == .failed(.peerCertificate(.nameMismatch)))
    }

    @Test func `the common name is no host name`() throws {
        let certificate = try TestAuthority.root.identity(.init(subject: ["CN": "localhost"], names: nil))
        #expect(try Self.outcome(of: certificate) == .failed(.peerCertificate(.nameMismatch)))
    }

    @Test func `an address among the DNS names does not count`() throws {
        let certificate = try TestAuthority.root.identity(.init(names: "DNS:127.0.0.1"))
        #expect(try Self.outcome(of: certificate, name: "127.0.0.1") == .failed(.peerCertificate(.nameMismatch)))
    }

    @Test func `expired`() throws {
        let certificate = try TestAuthority.root.identity(.init(notBefore: -7200, notAfter: -3600))
        #expect(try Self.outcome(of: certificate) == .failed(.peerCertificate(.expired)))
    }

    @Test func `not valid yet`() throws {
        let certificate = try TestAuthority.root.identity(.init(notBefore: 3600))
        #expect(try Self.outcome(of: certificate) == .failed(.peerCertificate(.notYetValid)))
    }

    @Test func `issued by nobody who is trusted`() throws {
        let certificate = try TestAuthority.other.identity()
        #expect(try Self.outcome(of: certificate) == .failed(.peerCertificate(.unknownIssuer)))
    }

    @Test func `an authority of the same name with another key`() throws {
        let certificate = try TestAuthority("Test Root").identity()
        let outcome = try Self.outcome(of: certificate)
        #expect(outcome == .failed(.peerCertificate(.badSignature)))
    }

    @Test func `self-signed`() throws {
        let certificate = try TLSCertificate(certificate: TestAuthority.selfSigned(), key: TestKey.ec.pem())
        #expect(try Self.outcome(of: certificate) == .failed(.peerCertificate(.selfSigned)))
    }

    @Test func `made for clients only`() throws {
        let certificate = try TestAuthority.root.identity(.init(usage: "clientAuth"))
        #expect(try Self.outcome(of: certificate) == .failed(.peerCertificate(.wrongPurpose)))
    }

    @Test func `an intermediate has to be sent`() throws {
        let intermediate = TestAuthority.root.intermediate("Intermediate")
        #expect(try Self.outcome(of: intermediate.identity()) == .failed(.peerCertificate(.unknownIssuer)))
        #expect(try Self.outcome(of: intermediate.identity(chain: intermediate.pem)) == .complete)
    }

    @Test func `an intermediate that is trusted is an anchor`() throws {
        let intermediate = TestAuthority.root.intermediate("Intermediate")
        #expect(try Self.outcome(of: intermediate.identity(), trusting: intermediate) == .complete)
    }

    @Test func `a certificate that is trusted itself is believed for its names and dates`() throws {
        func client(_ pem: [UInt8]) throws -> TLSClientContext {
            try TLSClientContext(TLSClientSettings(.authorities(try TrustStore(pem: pem))))
        }
        for (request, expected) in [
            (TestAuthority.Request(), TLSHandshakeOutcome.complete),
            (.init(names: "DNS:other.example"), .failed(.peerCertificate(.nameMismatch))),
            (.init(notBefore: -7200, notAfter: -3600), .failed(.peerCertificate(.expired))),
        ] {
            let pem = TestAuthority.selfSigned(request)
            let server = try TestContexts.server([TLSCertificate(certificate: pem, key: TestKey.ec.pem())])
            let link = try TestLink(client(pem), server)
            link.handshake()
            #expect(link.clientOutcome == expected)
        }
    }

    @Test func `a chain that is too long is not believed`() throws {
        var authority = TestAuthority.root
        var chain: [UInt8] = []
        for depth in 1...9 {
            authority = authority.intermediate("Intermediate \(depth)")
            chain = authority.pem + chain
        }
        #expect(try Self.outcome(of: authority.identity(chain: chain)) == .failed(.peerCertificate(.chainTooLong)))
    }

    @Test func `with verification off everybody is believed`() throws {
        let certificate = try TLSCertificate(
            certificate: TestAuthority.selfSigned(.init(notBefore: -7200, notAfter: -3600)), key: TestKey.ec.pem())
        let link = try TestLink(
            TestContexts.client { $0.verification = .off }, TestContexts.server([certificate]),
            name: .host("whatever.example"))
        link.handshake()
        #expect(link.isEstablished)
    }

    @Test func `the system's roots do not know a test's authority`() throws {
        let link = try TestLink(
            TLSClientContext(TLSClientSettings(.authorities(.systemRoots()))), TestContexts.server())
        link.handshake()
        #expect(link.clientOutcome == .failed(.peerCertificate(.unknownIssuer)))
    }

    @Test(arguments: ["", "with\0zero"])
    func `a name that cannot be asked for is refused`(name: String) throws {
        let sockets = SocketPair()
        #expect(throws: TLSFault.self) {
            try TLSStream(connecting: TestContexts.client(), to: .host(name), descriptor: sockets.first)
        }
    }

    @Test func `authorities that cannot be read`() {
        let broken = Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)
        for (text, fault) in [
            (Array("no".utf8), PEMFault.notPEM), ([], .notPEM), (TestKey.ec.pem(), .noCertificate),
            (TestAuthority.root.pem + broken, .malformed(number: 2)),
            ([UInt8](repeating: 0x2D, count: FixedBounds.pemBytes + 1), .tooLong),
        ] {
            #expect(throws: fault) { try TrustStore(pem: text) }
        }
    }

    @Test func `authorities are listed`() throws {
        let store = try TrustStore(pem: TestAuthority.root.pem + TestAuthority.other.pem)
        #expect(store.anchors.map(\.subject) == ["CN=Test Root", "CN=Other Root"])
    }
}
