import COpenSSL
import Core
import Crypto
import Testing

/// Sessions that are taken up again.
struct TLSResumptionTests {
    private static let hour: Nanoseconds = .seconds(3600)
    private static let start = Instant(nanoseconds: 0)

    /// One connection from the handshake to its end; whether it took up a session, on either side.
    private static func connect(
        _ client: TLSClientContext, _ server: TLSServerContext, name: String = "localhost"
    ) throws -> Bool {
        let link = try TestLink(client, server, name: .host(name))
        link.handshake()
        #expect(link.isEstablished)
        // Tickets of TLS 1.3 come after the handshake.
        #expect(link.server.write("x".utf8) == .bytes(1))
        #expect(link.client.readAll().bytes == Array("x".utf8))
        #expect(link.client.isResumed == link.server.isResumed)
        return link.server.isResumed
    }

    private static func keys() -> TLSTicketKeys { TLSTicketKeys(lifetime: hour, now: start) }

    @Test func `the second connection takes up the first`() throws {
        let keys = Self.keys()
        let (client, server) = (try TestContexts.client(), try TestContexts.server { $0.ticketKeys = keys })
        #expect(try !Self.connect(client, server))
        #expect(try Self.connect(client, server))
        #expect(try Self.connect(client, server))
    }

    @Test func `connections at one time take up a session each`() throws {
        let keys = Self.keys()
        let (client, server) = (try TestContexts.client(), try TestContexts.server { $0.ticketKeys = keys })
        #expect(try !Self.connect(client, server))
        // A full handshake brings two tickets.
        let links = try (0..<3).map { _ in try TestLink(client, server) }
        for link in links { link.handshake() }
        #expect(links.map(\.server.isResumed) == [true, true, false])
    }

    @Test func `a session belongs to its name`() throws {
        let keys = Self.keys()
        let server = try TestContexts.server([
            TestAuthority.root.identity(.init(names: "DNS:a.example,DNS:b.example"))
        ]) { $0.ticketKeys = keys }
        let client = try TestContexts.client()
        #expect(try !Self.connect(client, server, name: "a.example"))
        #expect(try !Self.connect(client, server, name: "b.example"))
        #expect(try Self.connect(client, server, name: "a.example"))
        #expect(try Self.connect(client, server, name: "b.example"))
    }

    @Test func `a context made anew with the same keys takes up the old one's sessions`() throws {
        let keys = Self.keys()
        let client = try TestContexts.client()
        #expect(try !Self.connect(client, TestContexts.server { $0.ticketKeys = keys }))
        #expect(try Self.connect(client, TestContexts.server { $0.ticketKeys = keys }))
    }

    @Test func `other keys open nothing`() throws {
        let client = try TestContexts.client()
        for _ in 0..<2 {
            let keys = Self.keys()
            #expect(try !Self.connect(client, TestContexts.server { $0.ticketKeys = keys }))
        }
    }

    @Test func `without keys, or where the client does not want it, nothing is taken up`() throws {
        let keys = Self.keys()
        for (client, server) in [
            (try TestContexts.client(), try TestContexts.server()),
            (try TestContexts.client { $0.resumesSessions = false }, try TestContexts.server { $0.ticketKeys = keys }),
        ] {
            #expect(try !Self.connect(client, server))
            #expect(try !Self.connect(client, server))
        }
    }

    @Test func `the key before the current one still opens, the one before that does not`() throws {
        let keys = Self.keys()
        let (client, server) = (try TestContexts.client(), try TestContexts.server { $0.ticketKeys = keys })
        #expect(try !Self.connect(client, server))
        #expect(keys.rotate(now: Self.start.advanced(by: Self.hour)))
        // Also renews the ticket under the new key.
        #expect(try Self.connect(client, server))
        #expect(keys.rotate(now: Self.start.advanced(by: 2 * Self.hour)))
        #expect(try Self.connect(client, server))
        #expect(keys.rotate(now: Self.start.advanced(by: 3 * Self.hour)))
        #expect(keys.rotate(now: Self.start.advanced(by: 4 * Self.hour)))
        #expect(try !Self.connect(client, server))
    }

    @Test func `keys that were not rotated in time open nothing`() throws {
        let keys = Self.keys()
        let (client, server) = (try TestContexts.client(), try TestContexts.server { $0.ticketKeys = keys })
        #expect(try !Self.connect(client, server))
        #expect(keys.rotate(now: Self.start.advanced(by: 2 * Self.hour)))
        #expect(try !Self.connect(client, server))
    }

    @Test func `before its time a key stays`() {
        let keys = Self.keys()
        #expect(!keys.rotate(now: Self.start))
        #expect(!keys.rotate(now: Self.start.advanced(by: Self.hour - 1)))
        #expect(keys.rotate(now: Self.start.advanced(by: Self.hour)))
        #expect(!keys.rotate(now: Self.start.advanced(by: Self.hour)))
        #expect(!keys.rotate(now: Self.start))
    }

    @Test func `in TLS 1_2 too, with the old key once more`() throws {
        let keys = Self.keys()
        let server = try TestContexts.server { $0.ticketKeys = keys }
        var session: OpaquePointer?
        defer { unsafe SSL_SESSION_free(session) }
        for (hours, expected) in [(0, false), (0, true), (1, true), (3, false)] {
            keys.rotate(now: Self.start.advanced(by: Int64(hours) * Self.hour))
            let link = try RawLink(server, .init(maximumVersion: TLS1_2_VERSION))
            if let session = unsafe session { unsafe SSL_set_session(link.client.ssl, session) }
            link.handshake()
            #expect(link.serverOutcome == .complete)
            #expect(link.server.version == .tls12)
            #expect(link.server.isResumed == expected, "after \(hours) hours")
            // The first ticket is the one that is shown again.
            if unsafe session == nil { unsafe session = SSL_get1_session(link.client.ssl) }
        }
    }

    @Test func `a session keeps its client's certificate`() throws {
        let authority = TestAuthority("Client Root")
        let store = try TrustStore(pem: authority.pem)
        let keys = Self.keys()
        let certificate = try authority.identity(.init(subject: ["CN": "device"], key: .otherEC, usage: "clientAuth"))
        let client = try TestContexts.client { $0.certificate = certificate }
        let server = try TestContexts.server {
            $0.ticketKeys = keys
            $0.clientCertificates = .required(store)
        }
        #expect(try !Self.connect(client, server))
        let link = try TestLink(client, server)
        link.handshake()
        #expect(link.server.isResumed)
        #expect(link.server.peerCertificate?.commonName == "device")
    }

    @Test func `a session is not taken up under other terms for clients`() throws {
        let keys = Self.keys()
        let (first, second) = (TestAuthority("Client Root"), TestAuthority("Second Root"))
        let stores = (try TrustStore(pem: first.pem), try TrustStore(pem: second.pem))
        let terms: [TLSClientCertificates] = [
            .none, .optional(stores.0), .required(stores.0), .optional(stores.1), .required(stores.1),
        ]
        let certificate = try first.identity(.init(key: .otherEC, usage: "clientAuth"))
        for (index, old) in terms.enumerated() {
            for (other, new) in terms.enumerated() where other != index {
                let client = try TestContexts.client { $0.certificate = certificate }
                for (count, terms) in [old, new].enumerated() {
                    let server = try TestContexts.server {
                        $0.ticketKeys = keys
                        $0.clientCertificates = terms
                    }
                    let link = try TestLink(client, server)
                    link.handshake()
                    _ = link.server.write("x".utf8)
                    _ = link.client.readAll()
                    #expect(!link.server.isResumed, "\(index) then \(other), connection \(count)")
                }
            }
        }
    }

    @Test func `a connection that ends without close_notify leaves its session good`() throws {
        let keys = Self.keys()
        let (client, server) = (try TestContexts.client(), try TestContexts.server { $0.ticketKeys = keys })
        do {
            let link = try TestLink(client, server)
            link.handshake()
            _ = link.server.write("x".utf8)
            _ = link.client.readAll()
            link.sockets.shutDown(link.sockets.second)
            #expect(link.client.readAll().end == .truncated)
        }
        #expect(try Self.connect(client, server))
    }
}
