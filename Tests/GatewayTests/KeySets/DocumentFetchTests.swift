import Core
import IO
import Testing

@testable import Gateway

@Suite struct DocumentFetchTests {
    static func fetch(_ issuer: ScriptedIssuer) throws(FetchFault) -> FetchedDocument {
        try DocumentFetch(
            address: FetchAddress(issuer.url), deadline: EventLoop.readClocks().instant.advanced(by: .seconds(10)),
            byteLimit: 1000
        ).run()
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
        "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ])
    func `a document comes in every framing`(answer: String) throws {
        let issuer = try ScriptedIssuer(answer: answer)
        defer { issuer.stop() }
        #expect(try Self.fetch(issuer) == FetchedDocument(bytes: Array("hello".utf8), lifetime: .unstated))
        let request = try #require(issuer.requests.first)
        #expect(request.hasPrefix("GET /jwks.json HTTP/1.1\r\nHost: 127.0.0.1:\(issuer.port)\r\n"))
    }

    static let large = String(repeating: "x", count: 1001)

    @Test(arguments: [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", FetchFault.status(404)),
        ("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", .status(302)),
        ("HTTP/1.1 204 No Content\r\n\r\n", .status(204)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", .cutShort),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", .cutShort),
        ("HTTP/1.1 200 OK\r\nContent-Le", .cutShort),
        ("", .cutShort),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", .tooLarge(byteLimit: 1000)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", .malformed("content_length_invalid")),
        ("HTTP/1.1 200 OK\r\n\r\n" + large, .tooLarge(byteLimit: 1000)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n\(large)\r\n", .tooLarge(byteLimit: 1000)),
    ])
    func `what is not a whole answer of status 200 is a fault`(answer: String, fault: FetchFault) throws {
        let issuer = try ScriptedIssuer(answer: answer)
        defer { issuer.stop() }
        #expect(throws: fault) { try Self.fetch(issuer) }
        #expect(issuer.requests.count == 1)
    }

    @Test func `an answer that is not HTTP is malformed`() throws {
        let issuer = try ScriptedIssuer(answer: "SSH-2.0-OpenSSH_9.2\r\n")
        defer { issuer.stop() }
        let fault = #expect(throws: FetchFault.self) { try Self.fetch(issuer) }
        guard case .malformed = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
    }

    @Test func `a server that never answers costs no more than the deadline`() throws {
        let listener = try Sockets.listen(on: SocketEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 0))
        defer { Sockets.closeDescriptor(listener) }
        let address = try FetchAddress("http://127.0.0.1:\(Sockets.localEndpoint(of: listener).port)/")
        let deadline = EventLoop.readClocks().instant.advanced(by: .milliseconds(50))
        #expect(throws: FetchFault.timedOut) {
            try DocumentFetch(address: address, deadline: deadline, byteLimit: 1000).run()
        }
    }

    @Test func `a port that nobody listens on is unreachable`() throws {
        let listener = try Sockets.listen(on: SocketEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 0))
        let port = Sockets.localEndpoint(of: listener).port
        Sockets.closeDescriptor(listener)
        let deadline = EventLoop.readClocks().instant.advanced(by: .seconds(10))
        let fault = #expect(throws: FetchFault.self) {
            try DocumentFetch(address: FetchAddress("http://127.0.0.1:\(port)/"), deadline: deadline, byteLimit: 1000)
                .run()
        }
        #expect(fault?.message.contains("Connection refused") == true)
    }

    @Test func `a name that does not exist says so`() throws {
        let deadline = EventLoop.readClocks().instant.advanced(by: .seconds(10))
        let fault = #expect(throws: FetchFault.self) {
            try DocumentFetch(address: FetchAddress("http://no..name/"), deadline: deadline, byteLimit: 1000).run()
        }
        #expect(fault?.message.hasPrefix("cannot resolve no..name: ") == true)
    }
}
