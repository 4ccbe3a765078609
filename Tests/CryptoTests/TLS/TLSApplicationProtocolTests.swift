import COpenSSL
import Crypto
import Testing

struct TLSApplicationProtocolTests {
    @Test(arguments: [
        ([TLSApplicationProtocol.h2, .http11], [TLSApplicationProtocol.h2, .http11], TLSApplicationProtocol.h2),
        ([.h2, .http11], [.http11, .h2], .http11),
        ([.http11, .h2], [.h2, .http11], .h2),
        ([.http11], [.h2, .http11], .http11),
        ([.h2], [.h2, .http11], .h2),
        ([.h2, .http11], [.http11], .http11),
    ])
    func `the server's preference decides`(
        offered: [TLSApplicationProtocol], served: [TLSApplicationProtocol], expected: TLSApplicationProtocol
    ) throws {
        let link = try TestLink(
            TestContexts.client { $0.protocols = offered }, TestContexts.server { $0.protocols = served })
        link.handshake()
        #expect(link.isEstablished)
        #expect(link.server.applicationProtocol == expected)
        #expect(link.client.applicationProtocol == expected)
    }

    @Test func `where nothing is shared the handshake fails`() throws {
        let link = try TestLink(
            TestContexts.client { $0.protocols = [.h2] }, TestContexts.server { $0.protocols = [.http11] })
        link.handshake()
        #expect(link.serverOutcome == .failed(.noApplicationProtocol))
        #expect(link.clientFault() == .alert(120))
    }

    @Test func `a client without ALPN is served without`() throws {
        let link = try TestLink(TestContexts.client { $0.protocols = [] }, TestContexts.server())
        link.handshake()
        #expect(link.isEstablished)
        #expect(link.server.applicationProtocol == nil)
        #expect(link.client.applicationProtocol == nil)
    }

    @Test(arguments: ["H2", "http/1.0", "h2c", "http/1.1x", "spdy/3"])
    func `names are compared byte for byte`(name: String) throws {
        let link = try RawLink(TestContexts.server(), .init(protocols: [name]))
        link.handshake()
        #expect(link.serverOutcome == .failed(.noApplicationProtocol))
    }

    @Test func `a server that chooses what was not offered is not believed`() throws {
        let sockets = SocketPair()
        let server = RawPeer(
            descriptor: sockets.second, isServer: true,
            .init(choosesH2: true, identity: (TestAuthority.root.issue(), .ec)))
        let client = try TLSStream(
            connecting: TestContexts.client { $0.protocols = [.http11] }, to: .host("localhost"),
            descriptor: sockets.first)
        var outcome = client.handshake()
        for _ in 0..<10 where outcome.isUnfinished {
            _ = server.handshake()
            outcome = client.handshake()
        }
        // Newer releases of OpenSSL see it themselves.
        let seenByOpenSSL = TLSFault.other(library: ERR_LIB_SSL, reason: SSL_R_BAD_EXTENSION)
        #expect(outcome == .failed(.noApplicationProtocol) || outcome == .failed(seenByOpenSSL))
    }
}
