import Core
import Testing

@testable import Policy

/// Requests in clear where https is asked for.
struct SnapshotSchemeTests {
    private static let trusted = "10.0.0.1"

    private func fixture(_ forwarded: String = "x-forwarded") throws -> PolicyFixture {
        try PolicyFixture(
            members: #"""
                "trusted_proxies":["10.0.0.0/8"],"forwarded":"\#(forwarded)","https_only":true,
                "routes":[
                  {"name":"a","match":{"path":"/a"},"authenticate":"none","upstream":"up"},
                  {"name":"plain","match":{"path":"/plain"},"authenticate":"none","upstream":"up","https_only":false}
                ]
                """#)
    }

    @Test(
        arguments: [
            ("a stranger in clear", "192.0.2.7", false, [], "https_required"),
            ("a stranger over TLS", "192.0.2.7", true, [], "forwarded"),
            ("a stranger who says https", "192.0.2.7", false, ["X-Forwarded-Proto: https"], "https_required"),
            ("a stranger over TLS who says http", "192.0.2.7", true, ["X-Forwarded-Proto: http"], "forwarded"),
            ("a proxy in clear", trusted, false, [], "https_required"),
            ("a proxy that says https", trusted, false, ["X-Forwarded-Proto: HTTPS"], "forwarded"),
            ("a proxy that says http", trusted, false, ["X-Forwarded-Proto: http"], "https_required"),
            ("a proxy over TLS that says nothing", trusted, true, [], "forwarded"),
            ("a proxy over TLS whose client spoke http", trusted, true, ["X-Forwarded-Proto: http"], "https_required"),
            (
                "a proxy that says it twice", trusted, false, ["X-Forwarded-Proto: https", "X-Forwarded-Proto: https"],
                "https_required"
            ),
            ("a proxy with a list", trusted, false, ["X-Forwarded-Proto: https, https"], "https_required"),
            ("the other family", trusted, false, ["Forwarded: proto=https"], "https_required"),
        ] as [(String, String, Bool, [String], String)])
    func `https only`(trick: String, peer: String, isSecure: Bool, fields: [String], expected: String) throws {
        let facts = try PolicyFixture.facts(from: peer, isSecure: isSecure)
        #expect(try fixture().outcome("GET /a", fields, over: facts) == expected, "\(trick)")
    }

    @Test(
        arguments: [
            (["Forwarded: for=192.0.2.1;proto=https"], "forwarded"),
            (["Forwarded: for=192.0.2.1;Proto=\"https\""], "forwarded"),
            (["Forwarded: for=192.0.2.1;proto=http, for=10.0.0.2;proto=https"], "forwarded"),
            (["Forwarded: for=192.0.2.1;proto=https, for=10.0.0.2;proto=http"], "https_required"),
            (["Forwarded: proto=https", "Forwarded: proto=http"], "https_required"),
            (["Forwarded: for=192.0.2.1"], "https_required"),
            (["Forwarded: proto=https;proto=https"], "https_required"),
            (["Forwarded: proto=https;x"], "https_required"),
            (["Forwarded: proto=\"https"], "https_required"),
            (["X-Forwarded-Proto: https"], "https_required"),
        ] as [([String], String)])
    func `of Forwarded the last element counts`(fields: [String], expected: String) throws {
        let facts = try PolicyFixture.facts(from: Self.trusted)
        #expect(try fixture("forwarded").outcome("GET /a", fields, over: facts) == expected)
    }

    @Test(
        arguments: [
            (["X-Forwarded-Proto: https"], "forwarded"), (["Forwarded: proto=https"], "forwarded"),
            (["X-Forwarded-Proto: https", "Forwarded: proto=https"], "forwarded"),
            (["X-Forwarded-Proto: https", "Forwarded: proto=http"], "https_required"),
            (["X-Forwarded-Proto: http", "Forwarded: proto=https"], "https_required"), ([], "https_required"),
        ] as [([String], String)])
    func `with both families neither may say otherwise`(fields: [String], expected: String) throws {
        let facts = try PolicyFixture.facts(from: Self.trusted)
        #expect(try fixture("both").outcome("GET /a", fields, over: facts) == expected)
        #expect(try fixture("none").outcome("GET /a", fields, over: facts) == "https_required")
    }

    @Test func `a route may say otherwise, and what no route names is not found`() throws {
        let facts = try PolicyFixture.facts()
        #expect(try fixture().outcome("GET /plain", over: facts) == "forwarded")
        #expect(try fixture().outcome("GET /b", over: facts) == "route_not_found")
    }

    @Test func `a credential sent in clear is not looked at`() throws {
        let fixture = try PolicyFixture { configuration in
            configuration.httpsOnly = true
            configuration.routes = [PolicyFixture.route("/a", PolicyFixture.anyOf("keys"))]
        }
        for key in ["nobody's", PolicyFixture.key] {
            var head = try PolicyFixture.head("GET /a", ["X-API-Key: \(key)"])
            let decision = fixture.snapshot.decide(
                &head, connection: try PolicyFixture.facts(), now: fixture.now, memory: fixture.memory)
            guard case .refuse(let refusal) = decision else {
                Issue.record("not refused")
                return
            }
            #expect(refusal.denial == .httpsRequired)
            #expect(refusal.denial.status == 403)
            #expect(refusal.fingerprint == nil)
            #expect(refusal.identity.isAnonymous)
            #expect(refusal.route?.name == "/a")
        }
    }

    // MARK: Redirects

    private func location(
        _ first: String, _ fields: [String] = [], to target: HTTPSRedirect, from peer: String = PolicyFixture.peer,
        version: String = "HTTP/1.1"
    ) throws -> [String] {
        let head = try PolicyFixture.head(first, fields, version: version)
        var answer = LocalAnswer()
        let fixture = try fixture()
        let isAnswered = fixture.snapshot.redirect(
            head, to: target, connection: try PolicyFixture.facts(from: peer),
            requestID: PolicyFixture.requestID.utf8.span, now: fixture.now, into: &answer)
        if !isAnswered { return ["served"] }
        let answered = Answered(answer)
        #expect(answered.values("X-Request-ID") == [PolicyFixture.requestID])
        return ["\(answered.status)"] + answered.values("Location")
    }

    @Test(
        arguments: [
            ("GET /", "https://api.test/"), ("GET /a/b?c=d&e", "https://api.test/a/b?c=d&e"),
            ("GET /a?", "https://api.test/a?"), ("GET //evil.test/%2e%2e", "https://api.test//evil.test/%2e%2e"),
            ("POST http://other.test:8080/x?y", "https://other.test/x?y"), ("OPTIONS *", "https://api.test/"),
            ("GET http://other.test", "https://other.test/"),
        ])
    func `a redirect keeps host, path and query`(first: String, expected: String) throws {
        #expect(try location(first, to: HTTPSRedirect(host: nil, port: 443)) == ["308", expected])
    }

    @Test func `a redirect to another port, to another host`() throws {
        #expect(
            try location("GET /a", ["Host: api.test:8080"], to: HTTPSRedirect(host: nil, port: 8443))
                == ["308", "https://api.test:8443/a"])
        #expect(
            try location("GET /a", ["Host: [::1]:8080"], to: HTTPSRedirect(host: nil, port: 443))
                == ["308", "https://[::1]/a"])
        #expect(
            try location("GET /a", to: HTTPSRedirect(host: "www.test", port: 443)) == ["308", "https://www.test/a"])
    }

    @Test func `what a trusted proxy received over https is not sent round in circles`() throws {
        let target = HTTPSRedirect(host: nil, port: 443)
        #expect(try location("GET /a", ["X-Forwarded-Proto: https"], to: target, from: Self.trusted) == ["served"])
        #expect(try location("GET /a", ["X-Forwarded-Proto: https"], to: target).first == "308")
    }

    @Test func `without a host there is nowhere to go`() throws {
        var head = RequestHead()
        head.bytes = Array("GET / HTTP/1.0\r\n\r\n".utf8)
        head.version = .http10
        head.path = ByteRange(start: 4, count: 1)
        var answer = LocalAnswer()
        let fixture = try fixture()
        let isAnswered = fixture.snapshot.redirect(
            head, to: HTTPSRedirect(host: nil, port: 443), connection: try PolicyFixture.facts(),
            requestID: PolicyFixture.requestID.utf8.span, now: fixture.now, into: &answer)
        #expect(isAnswered)
        #expect(answer.status == 400)
        #expect(try Answered(answer).member("reason") == "host_missing")
    }
}
