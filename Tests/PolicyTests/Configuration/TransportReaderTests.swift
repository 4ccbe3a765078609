import Core
import Policy
import Testing

/// TLS, HTTP/2, certificates and upgrades as the file says them.
@Suite struct TransportReaderTests {
    private static func read(_ fragment: String) throws -> Configuration {
        try ConfigurationReaderTests.read(PolicyText.document(fragment))
    }

    private static func route(_ members: String) throws -> RouteConfiguration {
        try #require(read(PolicyText.route(members)).routes.first)
    }

    @Test func `a listener with TLS is read whole`() throws {
        let listener = try #require(
            Self.read(
                #"""
                "listeners":[{"address":"127.0.0.1:8443","protocols":["http/1.1"],"tls":{"certificates":[{"certificate":"file:a","key":"env:KEY","passphrase":"file:p","ocsp_response":"file:o"},{"certificate":"file:c","key":"file:d"}],"client_ca":"file:ca","client_certificates":"optional","minimum_version":"1.3","handshake_timeout":"3s","kernel_tls":true,"ticket_rotation":"1h"}}]
                """#
            ).listeners.first)
        let tls = try #require(listener.tls)
        #expect(listener.protocols == [.http11])
        #expect(listener.redirect == nil)
        #expect(tls.certificates.map(\.certificate.value) == [.file("a"), .file("c")])
        #expect(tls.certificates.map(\.key.value) == [.environment("KEY"), .file("d")])
        #expect(tls.certificates.map(\.passphrase?.value) == [.file("p"), nil])
        #expect(tls.certificates.map(\.ocspResponse?.value) == [.file("o"), nil])
        #expect(tls.certificates.first?.key.path == "listeners[0].tls.certificates[0].key")
        #expect(tls.clientCA?.value == .file("ca"))
        #expect(tls.clientCertificates == .optional)
        #expect(tls.minimumVersion == .tls13)
        #expect(tls.handshakeTimeout == .seconds(3))
        #expect(tls.usesKernelTLS)
        #expect(tls.ticketRotation == .seconds(3600))
    }

    @Test func `what a listener leaves out has its default`() throws {
        let plain = try #require(Self.read("").listeners.first)
        #expect(plain.tls == nil)
        #expect(plain.protocols == [.http2, .http11])
        let listener = try #require(
            Self.read(#""listeners":[{"address":"127.0.0.1:1","tls":{"certificate":"file:a","key":"file:b"}}]"#)
                .listeners.first)
        let tls = try #require(listener.tls)
        #expect(tls.clientCertificates == .none)
        #expect(tls.minimumVersion == .tls12)
        #expect(tls.handshakeTimeout == .seconds(10))
        #expect(!tls.usesKernelTLS)
    }

    @Test func `an authority without more said asks for certificates and insists`() throws {
        let listener = try #require(
            Self.read(
                #""listeners":[{"address":"127.0.0.1:1","tls":{"certificate":"file:a","key":"file:b","client_ca":"env:CA"}}]"#
            ).listeners.first)
        #expect(listener.tls?.clientCertificates == .require)
    }

    @Test(
        arguments: [
            ("true", nil, 443), ("8443", nil, 8443), (#""WWW.Example.com""#, "www.example.com", 443),
            (#""www.example.com:8443""#, "www.example.com", 8443), (#""[::1]:1""#, "[::1]", 1),
        ] as [(String, String?, UInt16)])
    func `redirects`(text: String, host: String?, port: UInt16) throws {
        let configuration = try Self.read(#""listeners":[{"address":"127.0.0.1:1","redirect_to_https":\#(text)}]"#)
        #expect(configuration.listeners.first?.redirect == HTTPSRedirect(host: host, port: port))
    }

    @Test(
        arguments: [
            ("http://a", .http, 80, [.http11], false), ("https://a", .https, 443, [.http2, .http11], true),
            ("h2://a", .h2, 443, [.http2], true), ("H2C://a:1", .h2c, 1, [.http2], false),
        ] as [(String, UpstreamConfiguration.Scheme, UInt16, [WireProtocol], Bool)])
    func `the scheme of its servers says how an upstream is spoken with`(
        server: String, scheme: UpstreamConfiguration.Scheme, port: UInt16, protocols: [WireProtocol], hasTLS: Bool
    ) throws {
        let upstream = try #require(Self.read(#""upstreams":{"up":{"servers":["\#(server)"]}}"#).upstreams["up"])
        #expect(upstream.scheme == scheme)
        #expect(upstream.servers.map(\.value) == [.init(host: "a", port: port)])
        #expect(upstream.protocols == protocols)
        #expect((upstream.tls != nil) == hasTLS)
        #expect(upstream.tls?.verifies ?? true)
        #expect(upstream.keepAlivePing == nil)
    }

    @Test func `TLS with an upstream is read whole`() throws {
        let upstream = try #require(
            Self.read(
                #"""
                "upstreams":{"up":{"servers":["https://a"],"protocols":["http/1.1","h2"],"keep_alive_ping":"30s","tls":{"ca":"file:ca","server_name":"API.internal","certificate":"file:c","key":"file:k","passphrase":"env:P","minimum_version":"1.3"}}}
                """#
            ).upstreams["up"])
        let tls = try #require(upstream.tls)
        #expect(upstream.protocols == [.http2, .http11])
        #expect(upstream.keepAlivePing == .seconds(30))
        #expect(tls.ca?.value == .file("ca"))
        #expect(tls.serverName == "api.internal")
        #expect(tls.certificate?.passphrase?.value == .environment("P"))
        #expect(tls.minimumVersion == .tls13)
    }

    @Test func `bounds of HTTP/2, one window moving the other`() throws {
        let bounds = try Self.read(#""bounds":{"http2":{"streams":10,"stream_window":"2MiB","header_table":"0B"}}"#)
            .bounds.http2
        #expect(bounds.streamLimit == 10)
        #expect(bounds.streamWindowBytes == 2_097_152)
        #expect(bounds.connectionWindowBytes == 2_097_152)
        #expect(bounds.headerTableBytes == 0)
        let narrow = try Self.read(#""bounds":{"http2":{"connection_window":"64KiB"}}"#).bounds.http2
        #expect(narrow.streamWindowBytes == 65_536)
    }

    @Test func `what is held of answers grows with the number of streams, unless it is said`() throws {
        let many = try Self.read(#""bounds":{"http2":{"streams":1000}}"#).bounds.http2
        #expect(many.queuedBytes == 1000 * 8192)
        let few = try Self.read(#""bounds":{"http2":{"streams":10}}"#).bounds.http2
        #expect(few.queuedBytes == 1_048_576)
        let said = try Self.read(#""bounds":{"http2":{"streams":10,"queued_bytes":"64KiB"}}"#).bounds.http2
        #expect(said.queuedBytes == 65_536)
    }

    @Test func `keys found by an issuer`() throws {
        let named = try Self.read(#""key_sets":{"set":{"issuer":"https://issuer.example/t/","ca":"file:ca"}}"#)
        guard case .discovery(let issuer) = named.keySets["set"]?.source else {
            Issue.record("another source")
            return
        }
        #expect(issuer.value == "https://issuer.example/t/")
        #expect(named.keySets["set"]?.ca?.value == .file("ca"))
        let alone = try Self.read(
            #"""
            "authenticators":{"keys":{"type":"api_key","from":["header:X-API-Key"],"keys_file":"k"},"jwt":{"type":"jwt","issuer":"https://issuer.example","audiences":["a"],"algorithms":["RS256"]}}
            """#)
        guard case .jwt(let jwt) = alone.authenticators["jwt"]?.kind else { return }
        #expect(jwt.keySet.value == "https://issuer.example")
        guard case .discovery(let found) = alone.keySets["https://issuer.example"]?.source else {
            Issue.record("no key set of the issuer")
            return
        }
        #expect(found.value == "https://issuer.example")
    }

    @Test func `certificates as credentials`() throws {
        let digits = String(repeating: "0a", count: 32)
        let configuration = try Self.read(
            #"""
            "authenticators":{"keys":{"type":"api_key","from":["header:X-API-Key"],"keys_file":"k"},"jwt":{"type":"certificate","subject_from":"san_uri","certificates":[{"match":{"san_uri":["a","b"],"fingerprint":"\#(digits.uppercased())"},"subject":"billing","scopes":["x"],"allow_ips":["10.0.0.0/8"],"limits":["gold"],"enabled":false}]}}
            """#)
        guard case .certificate(let certificates) = configuration.authenticators["jwt"]?.kind else {
            Issue.record("another kind")
            return
        }
        let entry = try #require(certificates.entries?.first)
        #expect(certificates.subjectFrom == .uri)
        #expect(entry.match == [.uri: ["a", "b"], .fingerprint: [digits]])
        #expect(entry.subject == "billing")
        #expect(entry.scopes == ["x"])
        #expect(entry.allowedAddresses.map(\.description) == ["10.0.0.0/8"])
        #expect(entry.limits.map(\.value) == ["gold"])
        #expect(!entry.isEnabled)
    }

    @Test func `upgrades and https only`() throws {
        let route = try Self.route(
            #""https_only":false,"upgrade":["WebSocket"],"upgrade_idle_timeout":"1m","upgrade_lifetime":"2h","close_when_credential_ends":false"#
        )
        var upgrade = UpgradeConfiguration(protocols: ["websocket"])
        upgrade.idleTimeout = .seconds(60)
        upgrade.lifetime = .seconds(7200)
        upgrade.closesWithCredential = false
        #expect(route.upgrade == upgrade)
        #expect(route.httpsOnly == false)
        let plain = try Self.route(#""keep_credentials":false"#)
        #expect(plain.upgrade == nil)
        #expect(plain.httpsOnly == nil)
        #expect(try Self.read(#""https_only":true,"trusted_proxies":["10.0.0.1"]"#).httpsOnly)
    }
}
