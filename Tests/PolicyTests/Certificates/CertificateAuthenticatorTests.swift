import Core
import Crypto
import Testing

@testable import Policy

/// Callers known by the certificates of their TLS handshakes.
struct CertificateAuthenticatorTests {
    private static let hex = "0123456789abcdef000000000000000200000000000000030000000000000004"

    private func fixture(_ authenticator: String, _ route: String = "") throws -> PolicyFixture {
        try PolicyFixture(
            members: #"""
                "limits":{"one":{"requests":1,"per":"1h"},"two":{"requests":2,"per":"1h"}},
                "authenticators":{
                  "machines":{"type":"certificate"\#(authenticator)},
                  "keys":{"type":"api_key","from":["header:X-API-Key"],"keys":[{"id":"k","sha256":"\#(Self.digest)"}]}
                },
                "routes":[
                  {"name":"a","match":{"path":"/a"},"authenticate":["machines","keys"],"upstream":"up"\#(route)},
                  {"name":"last","match":{"path":"/last"},"authenticate":["keys","machines"],"upstream":"up"},
                  {"name":"both","match":{"path":"/both"},"authenticate":{"all_of":["keys","machines"]},"upstream":"up"},
                  {"name":"perhaps","match":{"path":"/perhaps"},"authenticate":{"optional":["machines"]},"upstream":"up"}
                ]
                """#)
    }

    private static let key = "X-API-Key: secret"
    private static var digest: String { Sample.cryptography.sha256("secret".utf8.span).hex }

    @Test(
        arguments: [
            ("subject", "CN=billing,O=Acme"), ("common_name", "billing"), ("san_dns", "billing.acme.test"),
            ("san_uri", "spiffe://acme/billing"), ("san_email", "billing@acme.test"), ("fingerprint", hex),
        ])
    func `the subject is taken from the part the policy names`(part: String, subject: String) throws {
        let facts = try PolicyFixture.facts(isSecure: true, certificate: PolicyFixture.certificate())
        let fixture = try fixture(#","subject_from":"\#(part)","scopes":["read"]"#)
        let request = try fixture.forwarded("GET /a", over: facts)
        #expect(request.values("X-Auth-Subject") == [subject])
        #expect(request.values("X-Auth-Method") == ["certificate"])
        #expect(request.values("X-Auth-Credential") == ["0123456789abcdef"])
        #expect(request.values("X-Auth-Issuer") == [])
        #expect(request.values("X-Auth-Scopes") == ["read"])
        #expect(request.grant.fingerprint == 0x0123_4567)
    }

    @Test(
        arguments: [
            (#"{"san_dns":"b.acme.test"}"#, true), (#"{"san_dns":["x","billing.acme.test"]}"#, true),
            (#"{"san_uri":"spiffe://acme/billing","common_name":"billing"}"#, true),
            (#"{"san_uri":"spiffe://acme/billing","common_name":"other"}"#, false),
            (#"{"fingerprint":"\#(hex)"}"#, true), (#"{"fingerprint":"\#(hex.uppercased())"}"#, true),
            (#"{"fingerprint":"\#(hex.dropLast())5"}"#, false), (#"{"common_name":"BILLING"}"#, false),
            (#"{"san_dns":"acme.test"}"#, false), (#"{"subject":"CN=billing,O=Acme"}"#, true),
            (#"{"subject":"CN=billing"}"#, false), (#"{"san_email":"billing@acme.test"}"#, true),
        ] as [(String, Bool)])
    func `an entry fits when each of its parts has one of the values`(match: String, fits: Bool) throws {
        let fixture = try fixture(#","certificates":[{"match":\#(match)}]"#)
        let facts = try PolicyFixture.facts(isSecure: true, certificate: PolicyFixture.certificate())
        #expect(try fixture.outcome("GET /a", over: facts) == (fits ? "forwarded" : "credential_unknown"))
    }

    @Test func `the first entry that fits decides, also when it is disabled`() throws {
        let entries = #"""
            ,"subject_from":"common_name","certificates":[
              {"match":{"common_name":"other"},"subject":"none"},
              {"match":{"san_uri":"spiffe://acme/billing"},"subject":"first","scopes":["a"]},
              {"match":{"fingerprint":"\#(Self.hex)"},"subject":"second"},
              {"match":{"common_name":"off"},"enabled":false},
              {"match":{"common_name":["off","on"]}}
            ]
            """#
        let fixture = try fixture(entries)
        let facts = try PolicyFixture.facts(isSecure: true, certificate: PolicyFixture.certificate())
        #expect(try fixture.forwarded("GET /a", over: facts).values("X-Auth-Subject") == ["first"])
        for (name, expected) in [("off", "credential_unknown"), ("on", "forwarded")] {
            let other = PolicyFixture.certificate {
                $0.commonName = name
                $0.uris = []
                $0.fingerprint = Digest256(9, 9, 9, 9)
            }
            let facts = try PolicyFixture.facts(isSecure: true, certificate: other)
            #expect(try fixture.outcome("GET /a", over: facts) == expected)
        }
    }

    @Test func `no certificate is none, one without the subject's part or beyond its time is a bad one`() throws {
        let fixture = try fixture(#","subject_from":"san_email""#)
        #expect(try fixture.outcome("GET /a", over: PolicyFixture.facts(isSecure: true)) == "credential_missing")
        let nameless = PolicyFixture.certificate { $0.emails = [] }
        #expect(
            try fixture.outcome("GET /a", over: PolicyFixture.facts(isSecure: true, certificate: nameless))
                == "credential_unknown")
        let forged = PolicyFixture.certificate { $0.emails = ["a\r\nX: b"] }
        #expect(
            try fixture.outcome("GET /a", over: PolicyFixture.facts(isSecure: true, certificate: forged))
                == "credential_unknown")
        let facts = try PolicyFixture.facts(isSecure: true, certificate: PolicyFixture.certificate())
        #expect(try fixture.outcome("GET /a", over: facts) == "forwarded")
        fixture.now = PolicyFixture.clock(3600)
        #expect(try fixture.outcome("GET /a", over: facts) == "certificate_expired")
    }

    @Test func `the first place that shows something decides`() throws {
        let fixture = try fixture(#","certificates":[{"match":{"common_name":"somebody"}}]"#)
        let facts = try PolicyFixture.facts(isSecure: true, certificate: PolicyFixture.certificate())
        let none = try PolicyFixture.facts(isSecure: true)
        #expect(try fixture.outcome("GET /a", [Self.key], over: facts) == "credential_unknown")
        #expect(try fixture.outcome("GET /last", [Self.key], over: facts) == "forwarded")
        #expect(try fixture.outcome("GET /a", [Self.key], over: none) == "forwarded")
        #expect(try fixture.outcome("GET /perhaps", over: facts) == "credential_unknown")
        #expect(try fixture.outcome("GET /perhaps", over: none) == "forwarded")
        #expect(try fixture.outcome("GET /both", [Self.key], over: facts) == "credential_unknown")
        #expect(try fixture.outcome("GET /both", [Self.key], over: none) == "credential_missing")
    }

    @Test func `addresses, limits and scopes are those of the entry`() throws {
        let entries = #"""
            ,"certificates":[
              {"match":{"common_name":"billing"},"allow_ips":["192.0.2.0/24"],"limits":["two"],"scopes":["read"]}
            ]
            """#
        let certificate = PolicyFixture.certificate()
        let fixture = try fixture(entries, #","limits":["one"]"#)
        let facts = try PolicyFixture.facts(isSecure: true, certificate: certificate)
        let elsewhere = try PolicyFixture.facts(from: "198.51.100.1", isSecure: true, certificate: certificate)
        #expect(try fixture.outcome("GET /a", over: elsewhere) == "address_not_allowed")
        #expect(try fixture.outcome("GET /a", over: facts) == "forwarded")
        #expect(try fixture.outcome("GET /a", over: facts) == "forwarded")
        #expect(try fixture.outcome("GET /a", over: facts) == "rate_limited")
        let scoped = try self.fixture(entries, #","authorize":{"scopes":["write"]}"#)
        #expect(try scoped.outcome("GET /a", over: facts) == "scope_missing")
    }

    @Test func `a renewed certificate has the bucket of its subject`() throws {
        let fixture = try fixture(#","subject_from":"common_name""#, #","limits":["one"]"#)
        let renewed = PolicyFixture.certificate { $0.fingerprint = Digest256(7, 7, 7, 7) }
        let other = PolicyFixture.certificate { $0.commonName = "other" }
        var outcomes: [String] = []
        for certificate in [PolicyFixture.certificate(), renewed, other] {
            let facts = try PolicyFixture.facts(isSecure: true, certificate: certificate)
            outcomes.append(try fixture.outcome("GET /a", over: facts))
        }
        #expect(outcomes == ["forwarded", "rate_limited", "forwarded"])
    }

    @Test func `templates show the certificate, whoever the caller is taken for`() throws {
        let fixture = try PolicyFixture(
            members: #"""
                "routes":[{"name":"a","match":{"path":"/a"},"authenticate":"none","upstream":"up",
                  "request_headers":{"set":{
                    "X-Names":"{certificate.san_dns}","X-Serial":"{certificate.serial} of {certificate.issuer}",
                    "X-Print":"{certificate.fingerprint}","X-Mail":"{certificate.san_email}"}},
                  "response_headers":{"set":{"X-Common":"{certificate.common_name}"}}}]
                """#)
        let certificate = PolicyFixture.certificate {
            $0.dnsNames = ["a,b", "c"]
            $0.emails = []
        }
        let facts = try PolicyFixture.facts(isSecure: true, certificate: certificate)
        let request = try fixture.forwarded("GET /a", ["X-Mail: me@here"], over: facts)
        #expect(request.values("X-Names") == ["a%2Cb,c"])
        #expect(request.values("X-Serial") == ["0A of CN=Acme CA"])
        #expect(request.values("X-Print") == [Self.hex])
        #expect(request.values("X-Mail") == [])
        var lines = HeaderLines()
        var head = ResponseHead()
        fixture.snapshot.completeResponse(
            &head, grant: request.grant, requestID: PolicyFixture.requestID.utf8.span, now: fixture.now, into: &lines)
        #expect(String(decoding: lines.bytes.array, as: UTF8.self).contains("X-Common: billing\r\n"))
        let plain = try fixture.forwarded("GET /a", over: PolicyFixture.facts(isSecure: true))
        #expect(plain.values("X-Serial") == [])
    }
}
