import Core
import Crypto
import Testing

struct TLSHandshakeTests {
    @Test(arguments: TLSVersion.allCases)
    func `both sides agree and tell the same of the connection`(version: TLSVersion) throws {
        // The client's lowest version and the server's highest meet at 1.3; 1.2 comes from a client without 1.3.
        let link = try TestLink(
            TestContexts.client { $0.minimumVersion = version }, TestContexts.server())
        link.handshake()
        #expect(link.isEstablished)
        #expect(link.server.version == .tls13)
        #expect(link.client.version == .tls13)
        #expect(link.client.cipherName == "TLS_AES_128_GCM_SHA256")
        #expect(link.server.cipherName == "TLS_AES_128_GCM_SHA256")
        #expect(link.server.serverName == "localhost")
        #expect(!link.server.isResumed)
        #expect(link.server.peerCertificate == nil)
        #expect(link.client.peerCertificate?.commonName == "server")
        #expect(link.server.write("hello".utf8) == .bytes(5))
        #expect(link.client.readAll().bytes == Array("hello".utf8))
    }
}
