import Core
import HTTP1
import IO
import Testing

@testable import Gateway

@Suite struct DocumentFetchTests {
    static func fetch(
        _ issuer: ScriptedIssuer, within timeout: Nanoseconds = .seconds(10)
    ) throws(FetchFault) -> FetchedDocument {
        try DocumentFetch.run(issuer.url, timeout: timeout, byteLimit: 1000)
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

    @Test func `a request with content says how long it is, and more answers may be good`() throws {
        let issuer = try ScriptedIssuer(answer: "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")
        defer { issuer.stop() }
        let request = FetchRequest(
            url: issuer.url, method: "POST", fields: [("X-Token", Array("t".utf8))], content: Array("hello".utf8),
            acceptedStatuses: 200...299)
        let document = try DocumentFetch.run(request, security: nil, timeout: .seconds(10), byteLimit: 1000)
        #expect(document.bytes == Array("{}".utf8))
        let sent = try #require(issuer.requests.first)
        #expect(sent.hasPrefix("POST /jwks.json HTTP/1.1\r\nHost: 127.0.0.1:\(issuer.port)\r\nAccept: application/json\r\n"))
        #expect(sent.contains("\r\nX-Token: t\r\n") && sent.contains("\r\nContent-Length: 5\r\n"))
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
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", .headMalformed(.contentLengthInvalid)),
        ("HTTP/1.1 200 OK\r\n\r\n" + large, .tooLarge(byteLimit: 1000)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n\(large)\r\n", .tooLarge(byteLimit: 1000)),
    ])
    func `what is not a whole answer of status 200 is a fault`(answer: String, fault: FetchFault) throws {
        let issuer = try ScriptedIssuer(answer: answer)
        defer { issuer.stop() }
        #expect(throws: fault) { try Self.fetch(issuer) }
        #expect(issuer.requests.count == 1)
    }

    @Test(arguments: [
        ("SSH-2.0-OpenSSH_9.2\r\n", FetchFault.headMalformed(.statusLineInvalid)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", .chunksMalformed(.chunkSizeInvalid)),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            .headMalformed(.framingAmbiguous)
        ),
        ("HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 70_000))\r\n\r\n", .headMalformed(.headTooLarge)),
    ])
    func `an answer that is not HTTP is malformed`(answer: String, fault: FetchFault) throws {
        let issuer = try ScriptedIssuer(answer: answer)
        defer { issuer.stop() }
        #expect(throws: fault) { try Self.fetch(issuer) }
    }

    @Test(arguments: [
        "", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
    ])
    func `a server that stops in the middle costs no more than the deadline`(answer: String) throws {
        let issuer = try ScriptedIssuer(answer: answer, holdsOpen: true)
        defer { issuer.stop() }
        #expect(throws: FetchFault.timedOut) { try Self.fetch(issuer, within: .milliseconds(50)) }
    }

    @Test func `an answer that is whole does not wait for the connection to close`() throws {
        let issuer = try ScriptedIssuer(answer: ScriptedIssuer.ok("hello"), holdsOpen: true)
        defer { issuer.stop() }
        #expect(try Self.fetch(issuer).bytes == Array("hello".utf8))
    }

    @Test func `a server that never accepts costs no more than the deadline`() throws {
        let listener = try Sockets.listen(on: SocketEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 0))
        defer { Sockets.closeDescriptor(listener) }
        let url = "http://127.0.0.1:\(Sockets.localEndpoint(of: listener).port)/"
        #expect(throws: FetchFault.timedOut) { try DocumentFetch.run(url, timeout: .milliseconds(50)) }
    }

    @Test func `no time at all is a timeout`() throws {
        let issuer = try ScriptedIssuer(answer: ScriptedIssuer.ok("hello"))
        defer { issuer.stop() }
        #expect(throws: FetchFault.timedOut) { try Self.fetch(issuer, within: 0) }
    }

    @Test func `a port that nobody listens on is unreachable`() throws {
        let listener = try Sockets.listen(on: SocketEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 0))
        let port = Sockets.localEndpoint(of: listener).port
        Sockets.closeDescriptor(listener)
        let fault = #expect(throws: FetchFault.self) {
            try DocumentFetch.run("http://127.0.0.1:\(port)/", timeout: .seconds(10))
        }
        #expect(fault?.message.contains("Connection refused") == true)
    }

    @Test func `a name that does not exist says so`() throws {
        let fault = #expect(throws: FetchFault.self) {
            try DocumentFetch.run("http://no..name/", timeout: .seconds(10))
        }
        #expect(fault?.message.hasPrefix("cannot resolve no..name: ") == true)
    }
}
