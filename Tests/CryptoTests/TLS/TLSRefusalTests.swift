import COpenSSL
import Core
import Crypto
import Testing

/// What comes to a server and is no handshake.
struct TLSRefusalTests {
    private static func outcome(of bytes: [UInt8], thenClosing: Bool = false) throws -> TLSHandshakeOutcome {
        let sockets = SocketPair()
        let server = try TLSStream(accepting: TestContexts.server(), descriptor: sockets.second)
        sockets.send(bytes, on: sockets.first)
        if thenClosing { sockets.shutDown(sockets.first) }
        let outcome = server.handshake()
        #expect(server.handshake() == outcome)
        return outcome
    }

    @Test(arguments: ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "PROPFIND"])
    func `a plain request is known for one and can be answered`(method: String) throws {
        let sockets = SocketPair()
        let server = try TLSStream(accepting: TestContexts.server(), descriptor: sockets.second)
        sockets.send("\(method) / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8, on: sockets.first)
        #expect(server.handshake() == .failed(.plaintextHTTP))
        #expect(TLSFault.plaintextHTTP.label == "plaintext_http")
        // OpenSSL has written nothing that would stand before the answer.
        #expect(sockets.receive(on: sockets.first).isEmpty)
        sockets.send("HTTP/1.1 400 Bad Request\r\n\r\n".utf8, on: sockets.second)
        #expect(sockets.receive(on: sockets.first) == Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
    }

    @Test func `a plain request in pieces too`() throws {
        let sockets = SocketPair()
        let server = try TLSStream(accepting: TestContexts.server(), descriptor: sockets.second)
        var outcome = TLSHandshakeOutcome.wantsRead
        for byte in "GET / HTTP/1.1\r\n".utf8 where outcome == .wantsRead {
            sockets.send([byte], on: sockets.first)
            outcome = server.handshake()
        }
        #expect(outcome == .failed(.plaintextHTTP))
    }

    @Test(arguments: [
        Array("SSH-2.0-OpenSSH\r\n".utf8), Array("get / http/1.1\r\n".utf8), [0, 0, 0, 0, 0, 0, 0, 0],
        [UInt8](repeating: 0xFF, count: 100), [0x16, 9, 9, 0, 5, 1, 2, 3, 4, 5], [0x80, 0x2E, 1, 0, 2, 0, 0, 0, 0, 0, 0],
        [0x16, 3, 1, 0, 0], [0x16, 3, 1, 0xFF, 0xFF, 0], [0x15, 3, 1, 0, 2, 2, 40], [0x17, 3, 3, 0, 1, 0],
        [0x16, 3, 1, 0, 4, 1, 0, 0, 0], [0x16, 3, 1, 0, 4, 2, 0, 0, 0],
    ])
    func `garbage ends the handshake`(bytes: [UInt8]) throws {
        guard case .failed(let fault) = try Self.outcome(of: bytes, thenClosing: true) else {
            Issue.record("not refused")
            return
        }
        #expect(!fault.label.isEmpty)
        #expect(!fault.description.isEmpty)
    }

    @Test func `what is no TLS is called so`() throws {
        #expect(try Self.outcome(of: Array("hello, world".utf8)) == .failed(.notTLS))
    }

    @Test func `an end in the handshake`() throws {
        #expect(try Self.outcome(of: [], thenClosing: true) == .failed(.closedInHandshake))
        let hello = try Self.clientHello()
        for count in [1, 5, 6, 50, hello.count - 1] {
            #expect(try Self.outcome(of: Array(hello[..<count]), thenClosing: true) == .failed(.closedInHandshake))
        }
    }

    @Test func `a client that falls silent is waited for`() throws {
        let hello = try Self.clientHello()
        #expect(try Self.outcome(of: Array(hello[..<100])) == .wantsRead)
        #expect(try Self.outcome(of: []) == .wantsRead)
    }

    /// Whatever a bit does: the server answers, waits or refuses, and its process goes on.
    @Test func `a hello with any one bit turned`() throws {
        let hello = try Self.clientHello()
        let context = try TestContexts.server()
        var refused = 0
        for index in hello.indices {
            let sockets = SocketPair()
            let server = try TLSStream(accepting: context, descriptor: sockets.second)
            var bytes = hello
            bytes[index] ^= 1 << UInt8(truncatingIfNeeded: index % 8)
            sockets.send(bytes, on: sockets.first)
            sockets.shutDown(sockets.first)
            let outcome = server.handshake()
            guard case .failed(let fault) = outcome else {
                Issue.record("byte \(index): \(outcome)")
                return
            }
            // With most bits the hello is as good as before; then only the end of the connection fails.
            if fault != .closedInHandshake { refused += 1 }
        }
        #expect(refused > 20)
    }

    private static func clientHello() throws -> [UInt8] {
        let sockets = SocketPair()
        let client = try TLSStream(
            connecting: TestContexts.client(), to: .host("localhost"), descriptor: sockets.first)
        #expect(client.handshake() == .wantsRead)
        return sockets.receive(on: sockets.second)
    }

    @Test func `a client is told from what answers it in clear`() throws {
        let sockets = SocketPair()
        let client = try TLSStream(
            connecting: TestContexts.client(), to: .host("localhost"), descriptor: sockets.first)
        #expect(client.handshake() == .wantsRead)
        sockets.send("HTTP/1.1 400 Bad Request\r\n\r\n".utf8, on: sockets.second)
        #expect(client.handshake() == .failed(.notTLS))
    }

    @Test func `certificates of a client beyond the bound end the handshake`() throws {
        let authority = TestAuthority("Client Root")
        let store = try TrustStore(pem: authority.pem)
        let many = (0..<2000).map { "DNS:name-\($0).with-a-long-label-behind-it.example" }.joined(separator: ",")
        let certificate = try authority.identity(.init(names: many, key: .otherEC, usage: "clientAuth"))
        let link = try TestLink(
            TestContexts.client { $0.certificate = certificate },
            TestContexts.server { $0.clientCertificates = .required(store) })
        link.handshake()
        #expect(link.serverOutcome == .failed(.other(library: ERR_LIB_SSL, reason: SSL_R_EXCESSIVE_MESSAGE_SIZE)))
    }
}
