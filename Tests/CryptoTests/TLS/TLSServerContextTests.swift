import COpenSSL
import Core
import Crypto
import Testing

struct TLSServerContextTests {
    /// Each certificate is known by its common name.
    private static func certificate(_ name: String, _ names: String?, key: TestKey = .ec) throws -> TLSCertificate {
        try TestAuthority.root.identity(.init(subject: ["CN": name], names: names, key: key))
    }

    private static func shown(to name: TLSServerName, by server: TLSServerContext) throws -> String? {
        let link = try TestLink(TestContexts.client { $0.verification = .off }, server, name: name)
        link.handshake()
        #expect(link.isEstablished)
        return link.client.peerCertificate?.commonName
    }

    @Test(arguments: [
        ("default.example", "default"),
        ("a.example", "a"),
        ("A.Example", "a"),
        ("x.wild.example", "wild"),
        ("special.wild.example", "special"),
        ("wild.example", "default"),
        ("x.y.wild.example", "default"),
        (".wild.example", "default"),
        ("second.example", "a"),
        ("unknown.example", "default"),
        ("example", "default"),
    ])
    func `the name chooses the certificate`(name: String, expected: String) throws {
        let server = try TestContexts.server([
            Self.certificate("default", "DNS:default.example"),
            Self.certificate("a", "DNS:a.example,DNS:second.example"),
            Self.certificate("wild", "DNS:*.wild.example"),
            Self.certificate("special", "DNS:special.wild.example"),
        ])
        #expect(try Self.shown(to: .host(name), by: server) == expected)
    }

    @Test func `who names nobody sees the first`() throws {
        let server = try TestContexts.server([
            Self.certificate("default", nil), Self.certificate("a", "DNS:a.example"),
        ])
        #expect(try Self.shown(to: .address(IPAddress(v4: 0x7F00_0001)), by: server) == "default")
    }

    @Test func `names can be given in place of the certificate's own`() throws {
        var settings = TLSServerSettings([.init(try Self.certificate("default", "DNS:default.example"))])
        settings.choices.append(
            .init(try Self.certificate("a", "DNS:a.example"), names: ["*.given.example", "Given.example"]))
        let server = try TLSServerContext(settings)
        #expect(try Self.shown(to: .host("given.example"), by: server) == "a")
        #expect(try Self.shown(to: .host("x.given.example"), by: server) == "a")
        #expect(try Self.shown(to: .host("a.example"), by: server) == "default")
    }

    @Test func `of two certificates of one kind for one name the first counts`() throws {
        let server = try TestContexts.server([
            Self.certificate("default", nil), Self.certificate("first", "DNS:a.example"),
            Self.certificate("second", "DNS:a.example,DNS:b.example"),
        ])
        #expect(try Self.shown(to: .host("a.example"), by: server) == "first")
        #expect(try Self.shown(to: .host("b.example"), by: server) == "second")
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `ECDSA and RSA stand side by side for one name`(version: Int32) throws {
        let server = try TestContexts.server([
            Self.certificate("rsa", "DNS:a.example", key: .rsa), Self.certificate("ec", "DNS:a.example"),
            Self.certificate("other", "DNS:b.example"),
        ])
        for (algorithms, expected) in [
            ("RSA-PSS+SHA256:RSA+SHA256", "rsa"), ("ECDSA+SHA256", "ec"), ("RSA-PSS+SHA256:ECDSA+SHA256", "ec"),
        ] {
            for name: String? in ["a.example", nil] {
                let link = try RawLink(server, .init(maximumVersion: version, signatures: algorithms))
                if let name { unsafe _ = copenssl_offer_name(link.client.ssl, name) }
                link.handshake()
                #expect(link.client.peerName == expected, "\(algorithms) \(name ?? "-")")
            }
        }
    }

    @Test func `a context needs a certificate, and authorities where it asks for one`() throws {
        #expect(throws: TLSContextError.noCertificate) { try TLSServerContext(TLSServerSettings([])) }
        var settings = TLSServerSettings([.init(try TestAuthority.root.identity())])
        settings.clientCertificates = .required(.systemRoots())
        #expect(throws: TLSContextError.noClientAuthorities) { try TLSServerContext(settings) }
    }

    @Test(arguments: [
        ("localhost", TLSServerName.host("localhost")),
        ("API.Example.", .host("api.example")),
        ("127.0.0.1", .address(IPAddress(v4: 0x7F00_0001))),
        ("[::1]", .address(IPAddress(high: 0, low: 1))),
        ("::1", .address(IPAddress(high: 0, low: 1))),
    ])
    func `a server's name is a host or an address`(text: String, expected: TLSServerName) {
        #expect(TLSServerName(text) == expected)
    }
}
