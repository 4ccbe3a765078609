import Core
import Crypto
import Dispatch
import IO
import Policy
import Testing

@testable import Gateway

/// Keys fetched over TLS, and found by an issuer's metadata.
@Suite struct SecureFetchTests {
    private let folder: TemporaryFolder
    private let certificates: TestCertificates

    init() throws {
        folder = try TemporaryFolder()
        certificates = TestCertificates(folder: folder)
        try certificates.make("issuer")
        try certificates.make("other")
        try certificates.make("elsewhere", address: "192.0.2.1")
    }

    private func fetch(
        _ answer: String = ScriptedIssuer.ok("hello"), from name: String = "issuer", believing authority: String?,
        cutsShort: Bool = false
    ) throws -> (result: Result<FetchedDocument, FetchFault>, requests: Int) {
        let issuer = try ScriptedIssuer(answer: answer, security: certificates.server(name), cutsShort: cutsShort)
        defer { issuer.stop() }
        let security = try authority.map(certificates.client(believing:))
        let result = Result { () throws(FetchFault) in
            try DocumentFetch.run(issuer.url, security: security, timeout: .seconds(10), byteLimit: 1000)
        }
        return (result, issuer.requests.count)
    }

    @Test func `a document comes over TLS from who proves to be the issuer`() throws {
        let (result, requests) = try fetch(believing: "issuer")
        #expect(try result.get() == FetchedDocument(bytes: Array("hello".utf8), lifetime: .unstated))
        #expect(requests == 1)
    }

    @Test(arguments: [("issuer", "other"), ("elsewhere", "elsewhere")])
    func `nobody else is asked`(name: String, authority: String) throws {
        let (result, requests) = try fetch(from: name, believing: authority)
        guard case .failure(.insecure(let reason)) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(!reason.isEmpty)
        #expect(requests == 0)
    }

    @Test func `https without authorities is refused`() throws {
        let (result, requests) = try fetch(believing: nil)
        #expect(result == .failure(.insecure("nobody vouches for the server")))
        #expect(requests == 0)
    }

    @Test func `an answer that ends with the connection must end by TLS`() throws {
        let answer = "HTTP/1.0 200 OK\r\n\r\nhello"
        #expect(try fetch(answer, believing: "issuer").result.get().bytes == Array("hello".utf8))
        #expect(try fetch(answer, believing: "issuer", cutsShort: true).result == .failure(.cutShort))
    }

    // MARK: Discovery

    private static func discovered(_ issuer: String) -> CompiledKeySet {
        let cell = KeySetCell(name: issuer, isRemote: true)
        let place = Located(issuer, at: SourcePosition(line: 1, column: 1), path: "")
        let configuration = KeySetConfiguration(source: .discovery(issuer: place), position: place.position)
        return CompiledKeySet(cell: cell, configuration: configuration, local: nil)
    }

    /// Adopts a discovered key set, answers its fetches one after the other, and returns when they are over.
    private func fetch(_ set: CompiledKeySet, _ documents: [String], over transport: ScriptedTransport) throws {
        let fetcher = KeySetFetcher(
            log: RecordingLog().log, cryptography: OpenSSLCryptography(), surroundings: transport.surroundings)
        defer { fetcher.stop() }
        fetcher.adopt([set])
        try #require(transport.waitForFetch())
        let done = DispatchSemaphore(value: 0)
        fetcher.refetch(set.cell) { done.signal() }
        for (index, document) in documents.enumerated() {
            transport.end(document)
            if index + 1 < documents.count { try #require(transport.waitForFetch()) }
        }
        try #require(done.wait(timeout: .now() + 10) == .success)
    }

    @Test func `an issuer's metadata lead to its keys`() throws {
        let transport = ScriptedTransport()
        let set = Self.discovered("https://issuer.test/")
        try fetch(
            set,
            [
                #"{"issuer":"https://issuer.test/","jwks_uri":"https://keys.test/jwks"}"#,
                KeySetFetcherTests.document(KeySetFetcherTests.ec),
            ], over: transport)
        #expect(set.cell.current(now: transport.now)?.set.keys.map(\.kid) == ["ec"])
        #expect(transport.urls == ["https://issuer.test/.well-known/openid-configuration", "https://keys.test/jwks"])
    }

    @Test func `metadata of somebody else lead nowhere`() throws {
        let transport = ScriptedTransport()
        let set = Self.discovered("https://issuer.test")
        try fetch(set, [#"{"issuer":"https://evil.test","jwks_uri":"https://evil.test/jwks"}"#], over: transport)
        let status = set.cell.status(now: transport.now)
        #expect(status.lastError == "the metadata are those of the issuer \"https://evil.test\"")
        #expect(!status.isUsable)
        #expect(transport.urls.count == 1)
    }
}
