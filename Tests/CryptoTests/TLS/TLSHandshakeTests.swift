import COpenSSL
import Core
import Crypto
import Testing

struct TLSHandshakeTests {
    @Test func `both sides agree and tell the same of the connection`() throws {
        let link = try TestLink(TestContexts.client(), TestContexts.server())
        #expect(!link.server.isEstablished)
        link.handshake()
        #expect(link.isEstablished)
        for side in [link.client, link.server] {
            #expect(side.isEstablished)
            #expect(side.version == .tls13)
            #expect(side.cipherName == "TLS_AES_128_GCM_SHA256")
            #expect(side.applicationProtocol == .http11)
            #expect(side.serverName == "localhost")
            #expect(!side.isResumed)
            #expect(side.fault == nil)
            #expect(side.kernelTLS == (false, false))
        }
        #expect(link.server.peerCertificate == nil)
        #expect(link.client.peerCertificate?.commonName == "server")
        #expect(link.server.write("hello".utf8) == .bytes(5))
        #expect(link.client.readAll().bytes == Array("hello".utf8))
        #expect(link.client.write("you too".utf8) == .bytes(7))
        #expect(link.server.readAll().bytes == Array("you too".utf8))
    }

    @Test func `a client of TLS 1_2 gets it with forward secrecy and an AEAD`() throws {
        let link = try RawLink(TestContexts.server(), .init(maximumVersion: TLS1_2_VERSION))
        link.handshake()
        #expect(link.serverOutcome == .complete)
        #expect(link.server.version == .tls12)
        #expect(link.server.cipherName == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    }

    @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION])
    func `older versions are refused`(version: Int32) throws {
        let link = try RawLink(
            TestContexts.server(), .init(minimumVersion: version, maximumVersion: version, isLax: true))
        link.handshake()
        #expect(link.serverOutcome == .failed(.versionRefused))
        #expect(!link.isClientDone)
        #expect(link.client.reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
    }

    @Test func `TLS 1_2 is refused where 1_3 is the least`() throws {
        let link = try RawLink(
            TestContexts.server { $0.minimumVersion = .tls13 }, .init(maximumVersion: TLS1_2_VERSION))
        link.handshake()
        #expect(link.serverOutcome == .failed(.versionRefused))
    }

    @Test(arguments: [
        "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA", "DHE-RSA-AES128-GCM-SHA256",
    ])
    func `ciphers without forward secrecy or without an AEAD are refused`(cipher: String) throws {
        let server = try TestContexts.server([
            TestAuthority.root.identity(), TestAuthority.root.identity(.init(key: .rsa)),
        ])
        let link = try RawLink(server, .init(maximumVersion: TLS1_2_VERSION, ciphers: cipher, isLax: true))
        link.handshake()
        #expect(link.serverOutcome == .failed(.nothingShared))
    }

    @Test(arguments: ["P-521", "X448", "ffdhe2048"])
    func `groups that are not on the list are refused`(group: String) throws {
        let link = try RawLink(TestContexts.server(), .init(groups: group))
        link.handshake()
        #expect(link.serverOutcome == .failed(.nothingShared))
    }

    @Test(arguments: ["X25519", "P-256", "P-384"])
    func `groups on the list serve`(group: String) throws {
        let link = try RawLink(TestContexts.server(), .init(groups: group))
        link.handshake()
        #expect(link.serverOutcome == .complete)
    }

    @Test func `renegotiation is refused and the connection goes on`() throws {
        let link = try RawLink(TestContexts.server(), .init(maximumVersion: TLS1_2_VERSION))
        link.handshake()
        #expect(unsafe SSL_renegotiate(link.client.ssl) == 1)
        #expect(!link.client.handshake())
        #expect(link.server.readAll().end == .wantsRead)
        // The server's answer is a warning that OpenSSL's client takes for the end; the server has not begun anew.
        #expect(!link.client.handshake())
        #expect(link.client.reason == SSL_R_NO_RENEGOTIATION)
        #expect(link.server.fault == nil)
    }

    @Test func `a handshake arrives byte by byte`() throws {
        let link = try RelayLink(TestContexts.client(), TestContexts.server())
        try link.handshakeByteByByte()
        #expect(link.server.applicationProtocol == .http11)
    }

    @Test func `a complete handshake stays complete and a failed one failed`() throws {
        let link = try TestLink(TestContexts.client(trusting: .other), TestContexts.server())
        link.handshake()
        #expect(link.clientOutcome == .failed(.peerCertificate(.unknownIssuer)))
        #expect(link.client.handshake() == link.clientOutcome)
        #expect(link.client.readAll().end == .failed(.peerCertificate(.unknownIssuer)))
        #expect(link.client.write("x".utf8) == .failed(.peerCertificate(.unknownIssuer)))
        #expect(link.client.shutdown() == .impossible)
        #expect(link.serverOutcome == .failed(.alert(48)))
    }
}
