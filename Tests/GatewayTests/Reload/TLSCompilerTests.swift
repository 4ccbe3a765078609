import Core
import Crypto
import Foundation
import IO
import Policy
import Testing

@testable import Gateway

/// TLS contexts from the files a policy names.
@Suite struct TLSCompilerTests {
    private let folder: TemporaryFolder
    private let certificates: TestCertificates

    init() throws {
        folder = try TemporaryFolder()
        certificates = TestCertificates(folder: folder)
        try certificates.make("server")
        try certificates.make("other")
    }

    /// What the compiler makes of a policy's text.
    private struct Outcome {
        var listeners: [CompiledServerTLS?]
        var upstreams: [String: CompiledClientTLS]
        var messages: [String]
        var expiries: [CertificateExpiry]
        var watched: [String]
    }

    private func compile(_ members: String, previous: CompiledPolicy? = nil) throws -> Outcome {
        let text = """
            {
              "routes": [{ "name": "r", "match": { "path": "/" }, "authenticate": "none", "upstream": "up" }],
              \(members)
            }
            """
        let (read, errors) = ConfigurationReader.read(text.utf8.span, file: "gateway.json")
        #expect(errors.map(\.description) == [])
        let configuration = try #require(read)
        let files = PolicyFiles(
            fileName: folder.path("gateway.json"), previous: [], cryptography: OpenSSLCryptography(),
            hashSeed: HashSeed(1, 2))
        var compiler = TLSCompiler(files: files, previous: previous)
        let listeners = configuration.listeners.enumerated().map { compiler.server($1, at: $0) }
        var upstreams: [String: CompiledClientTLS] = [:]
        for (name, upstream) in configuration.upstreams { upstreams[name] = compiler.client(upstream, named: name) }
        return Outcome(
            listeners: listeners, upstreams: upstreams,
            messages: (compiler.errors + files.warnings).filter { $0.code != .fileWorldReadable }.map {
                "\($0.severity.rawValue) \($0.code.rawValue) \($0.path): \($0.message)"
            }, expiries: compiler.expiries, watched: files.watched.map(\.path))
    }

    private func listener(_ tls: String, upstream: String = #"{ "servers": ["http://127.0.0.1:9"] }"#) -> String {
        """
        "listeners": [{ "address": "127.0.0.1:8443", "tls": { \(tls) } }], "upstreams": { "up": \(upstream) }
        """
    }

    private static let pair = #""certificate": "file:server.pem", "key": "file:server.key""#

    @Test func `a pair makes a context, and is watched`() throws {
        let outcome = try compile(listener(Self.pair))
        #expect(outcome.messages == [])
        let context = try #require(outcome.listeners.first??.context)
        #expect(context.certificates.map(\.facts.commonName) == ["server"])
        #expect(context.settings.protocols == [.h2, .http11])
        #expect(context.settings.ticketKeys?.lifetime == .seconds(8 * 3600))
        #expect(outcome.watched == [folder.path("server.pem"), folder.path("server.key")])
        #expect(outcome.expiries.map(\.user) == ["listener 127.0.0.1:8443"])
        #expect(outcome.expiries.map(\.source) == ["server.pem"])
        #expect(outcome.expiries.first?.notAfter == context.certificates.first?.facts.notAfter)
    }

    @Test func `several pairs, and clients that are asked`() throws {
        let outcome = try compile(
            listener(
                #"""
                "certificates": [{ \#(Self.pair) }, { "certificate": "file:other.pem", "key": "file:other.key" }],
                "client_ca": "file:other.pem", "client_certificates": "optional", "minimum_version": "1.3"
                """#))
        #expect(outcome.messages == [])
        let settings = try #require(outcome.listeners.first??.context.settings)
        #expect(settings.choices.count == 2)
        #expect(settings.minimumVersion == .tls13)
        guard case .optional(let store) = settings.clientCertificates else {
            Issue.record("clients are not asked")
            return
        }
        #expect(store.anchors.map(\.commonName) == ["other"])
    }

    @Test(
        arguments: [
            (
                #""certificate": "file:server.pem", "key": "file:other.key""#,
                "server.pem and other.key: the private key does not belong to the certificate"
            ),
            (#""certificate": "file:gone.pem", "key": "file:server.key""#, "No such file or directory"),
            (
                #""certificate": "file:server.key", "key": "file:server.key""#,
                "server.key and server.key: the certificate file is of no use: no certificate in it"
            ),
            (
                #""certificate": "file:locked.pem", "key": "file:locked.key""#,
                "locked.pem and locked.key: the private key is encrypted, and no passphrase is given"
            ),
            (
                #""certificate": "file:locked.pem", "key": "file:locked.key", "passphrase": "file:wrong""#,
                "locked.pem and locked.key: the passphrase does not open the private key"
            ),
            (#"\#(pair), "client_ca": "file:wrong""#, "wrong: not PEM"),
        ])
    func `what is wrong with files is said with their names`(tls: String, expected: String) throws {
        try certificates.make("locked", passphrase: "open sesame")
        _ = try folder.write("open nothing", to: "wrong")
        let outcome = try compile(listener(tls))
        #expect(outcome.listeners.first ?? nil == nil)
        #expect(outcome.messages.count == 1)
        #expect(outcome.messages.first?.contains(expected) == true, "\(outcome.messages)")
        #expect(outcome.messages.first?.hasPrefix("error ") == true)
    }

    @Test(arguments: [
        (#""certificate": "file:server.pem", "key": "file:other.key""#, "listeners[0].tls.key"),
        (#""certificate": "file:server.key", "key": "file:server.key""#, "listeners[0].tls.certificate"),
    ])
    func `an error stands at the file that is to be looked at`(tls: String, path: String) throws {
        let outcome = try compile(listener(tls))
        #expect(outcome.messages.count == 1)
        #expect(outcome.messages.first?.contains(" \(path): ") == true, "\(outcome.messages)")
    }

    @Test func `a certificate that servers will not take from a client is warned of`() throws {
        try TestCertificates.openssl(
            [
                "req", "-x509", "-subj", "/CN=client", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-addext", "extendedKeyUsage=serverAuth", "-keyout", folder.path("one.key"), "-out", folder.path("one.pem"),
            ])
        let tls = #""tls": { "certificate": "file:one.pem", "key": "file:one.key" }"#
        let outcome = try compile(
            #""listeners": [{ "address": "127.0.0.1:1" }], "upstreams": { "up": { "servers": ["https://127.0.0.1"], \#(tls) } }"#)
        #expect(
            outcome.messages == [
                "warning certificate_flawed upstreams.up.tls.certificate: the certificate in one.pem is not meant for clients: "
                    + "servers will refuse it"
            ])
        #expect(outcome.upstreams["up"] != nil)
    }

    @Test func `a passphrase opens its key`() throws {
        try certificates.make("locked", passphrase: "open sesame")
        _ = try folder.write("open sesame\n", to: "phrase")
        let outcome = try compile(
            listener(#""certificate": "file:locked.pem", "key": "file:locked.key", "passphrase": "file:phrase""#))
        #expect(outcome.messages == [])
    }

    @Test func `a certificate that ends soon is warned of`() throws {
        try certificates.make("server", days: 3)
        let outcome = try compile(listener(Self.pair))
        #expect(outcome.messages.count == 1)
        #expect(
            outcome.messages.first?.hasPrefix(
                "warning certificate_expires_soon listeners[0].tls.certificate: the certificate in server.pem expires at 20"
            ) == true)
        #expect(outcome.listeners.first ?? nil != nil)
    }

    @Test func `an upstream's contexts, with and without HTTP/2`() throws {
        let upstream = #"""
            { "servers": ["https://127.0.0.1"], "tls": { "ca": "file:other.pem", "certificate": "file:server.pem", "key": "file:server.key" } }
            """#
        let outcome = try compile(
            #""listeners": [{ "address": "127.0.0.1:1" }], "upstreams": { "up": \#(upstream), "plain": { "servers": ["h2c://a"] } }"#)
        #expect(outcome.messages == [])
        let tls = try #require(outcome.upstreams["up"])
        #expect(tls.context.settings.protocols == [.h2, .http11])
        #expect(tls.upgradeContext.settings.protocols == [.http11])
        #expect(tls.context.settings.certificate?.facts.commonName == "server")
        #expect(outcome.upstreams["plain"] == nil)
        #expect(outcome.expiries.map(\.user) == ["upstream up"])
        guard case .authorities(let store) = tls.context.settings.verification else {
            Issue.record("nobody is asked")
            return
        }
        #expect(store.anchors.count == 1)
    }

    // MARK: Reloads

    private func policy(_ text: String, previous: CompiledPolicy? = nil) throws -> PolicyLoad {
        let path = try folder.write(text, to: "gateway.json")
        return PolicySource(path: path).load(previous: previous)
    }

    private func text(_ tls: String) -> String {
        """
        {
          "listeners": [{ "address": "127.0.0.1:8443", "tls": { \(tls) } }],
          "upstreams": { "up": { "servers": ["https://127.0.0.1:9"], "tls": { "ca": "file:other.pem" } } },
          "routes": [{ "name": "r", "match": { "path": "/" }, "authenticate": "none", "upstream": "up" }]
        }
        """
    }

    @Test func `contexts stay while nothing they are made from changes`() throws {
        let first = try #require(try policy(text(Self.pair)).policy)
        let second = try #require(try policy(text(Self.pair + " "), previous: first).policy)
        #expect(second.listeners[0].tls === first.listeners[0].tls)
        #expect(second.upstreams[0].tls === first.upstreams[0].tls)
        #expect(second.upstreams[0].servers[0].tlsName == .address(IPAddress(v4: 0x7F00_0001)))
        #expect(second.certificates.count == 1)
        try certificates.make("server")
        try certificates.make("other")
        let third = try #require(try policy(text(Self.pair), previous: second).policy)
        #expect(third.listeners[0].tls !== first.listeners[0].tls)
        #expect(third.listeners[0].tls?.settings.ticketKeys === first.listeners[0].tls?.settings.ticketKeys)
        #expect(third.upstreams[0].tls !== first.upstreams[0].tls)
        let fourth = try #require(try policy(text(Self.pair + #", "ticket_rotation": "1h""#), previous: third).policy)
        #expect(fourth.listeners[0].tls?.settings.ticketKeys !== first.listeners[0].tls?.settings.ticketKeys)
    }

    @Test func `a pair that no longer fits leaves the old policy`() throws {
        let first = try #require(try policy(text(Self.pair)).policy)
        try certificates.make("other")
        let mixed = try policy(text(#""certificate": "file:server.pem", "key": "file:other.key""#), previous: first)
        #expect(mixed.policy == nil)
        let errors = mixed.diagnostics.filter { $0.severity == .error }.map(\.description)
        #expect(errors.count == 1)
        #expect(errors.first?.hasPrefix("\(folder.path("gateway.json")):2:") == true)
        #expect(errors.first?.hasSuffix("the private key does not belong to the certificate") == true)
        #expect(Set(mixed.watchedFiles.map(\.path)).isSuperset(of: [folder.path("server.pem"), folder.path("other.key")]))
    }
}
