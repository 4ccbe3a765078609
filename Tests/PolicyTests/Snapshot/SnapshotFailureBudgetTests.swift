import Core
import Crypto
import Testing

@testable import Policy

/// What is held against an address, and what an address that has used up its budget may still show.
struct SnapshotFailureBudgetTests {
    private static let key = "X-API-Key: \(PolicyFixture.key)"
    private static func bearer(_ token: [UInt8]) -> String { "Authorization: Bearer \(String(decoding: token, as: UTF8.self))" }
    private static let expired = #"{"iss":"https://issuer.test","aud":"gateway","sub":"old","exp":1700000000}"#

    private func fixture(
        _ requirement: RouteConfiguration.Requirement = PolicyFixture.anyOf("keys", "jwt", "machines"),
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> PolicyFixture {
        try PolicyFixture { configuration in
            configuration.authenticators["machines"] = PolicyFixture.authenticator(
                "machines", .certificate(CertificateAuthenticatorConfiguration()))
            configuration.authenticators["keys"]?.change { $0.sources = [.header("X-API-Key")] }
            configuration.routes = [PolicyFixture.route("/a", requirement)]
            configuration.failureBudget?.burst = 3
            change(&configuration)
        }
    }

    private func exhaust(_ fixture: PolicyFixture) throws {
        for guess in 0..<3 { #expect(try fixture.outcome("GET /a", ["X-API-Key: guess-\(guess)"]) == "credential_unknown") }
        #expect(try fixture.outcome("GET /a", ["X-API-Key: guess-3"]) == "too_many_failures")
    }

    @Test(arguments: [
        (expired, "token_expired"),
        (#"{"iss":"https://issuer.test","aud":"gateway","sub":"a","nbf":1900000000,"exp":1900000100}"#, "token_not_yet_valid"),
        (#"{"iss":"https://issuer.test","aud":"other","sub":"a","exp":1800000100}"#, "token_audience_wrong"),
        (#"{"iss":"https://issuer.test","aud":"gateway","sub":"a"}"#, "token_claim_missing"),
        (#"{"iss":"https://other.test","aud":"gateway","sub":"a","exp":1800000100}"#, "token_issuer_unknown"),
    ])
    func `a token that is no guess is held against nobody, however many there are`(payload: String, reason: String) throws {
        let fixture = try fixture()
        for number in 0..<50 {
            let token = Sample.token(payload.replacing(#""aud""#, with: #""n":\#(number),"aud""#))
            #expect(try fixture.outcome("GET /a", [Self.bearer(token)], waited: true) == reason)
        }
        #expect(try fixture.outcome("GET /a", [Self.key]) == "forwarded")
    }

    @Test(arguments: ["key-that-is-off", "wrong"])
    func `one forgotten client with one bad key shuts out nobody`(secret: String) throws {
        let fixture = try fixture()
        for _ in 0..<200 { #expect(try fixture.outcome("GET /a", ["X-API-Key: \(secret)"]) != "too_many_failures") }
        #expect(try fixture.outcome("GET /a", [Self.key]) == "forwarded")
    }

    @Test func `tokens that are forged, of an unknown key or no tokens at all are counted, each once`() throws {
        let forged = Sample.token(secret: "another secret of thirty-2 bytes")
        let unknown = Sample.token(header: #"{"alg":"HS256","kid":"other"}"#)
        let long = Array(repeating: UInt8(ascii: "x"), count: 2000)
        let fixture = try fixture()
        for _ in 0..<20 {
            for token in [forged, unknown] {
                #expect(try fixture.outcome("GET /a", [Self.bearer(token)], waited: true) != "too_many_failures")
            }
        }
        #expect(try fixture.outcome("GET /a", ["X-API-Key: \(String(decoding: long, as: UTF8.self))"]) == "credential_unknown")
        #expect(try fixture.outcome("GET /a", [Self.key]) == "too_many_failures")
    }

    @Test func `a key and a token that were accepted before pass, others do not`() throws {
        let fixture = try fixture()
        let token = Self.bearer(Sample.token())
        for fields in [[Self.key], [token]] {
            #expect(try fixture.outcome("GET /a", fields, from: "198.51.100.1") == "forwarded")
        }
        try exhaust(fixture)
        for fields in [[Self.key], [token]] { #expect(try fixture.outcome("GET /a", fields) == "forwarded") }
        #expect(try fixture.outcome("GET /a", ["X-API-Key: \(PolicyFixture.otherKey)"]) == "too_many_failures")
        let another = Sample.token(Sample.payload.replacing("alice", with: "bob"))
        #expect(try fixture.outcome("GET /a", [Self.bearer(another)]) == "too_many_failures")
        #expect(try fixture.outcome("GET /a", ["X-API-Key: key-that-is-off"]) == "too_many_failures")
        // Another policy or a change of the store forgets callers, but not what was accepted.
        fixture.memory.reset(for: fixture.snapshot)
        for fields in [[Self.key], [token]] { #expect(try fixture.outcome("GET /a", fields) == "forwarded") }
    }

    @Test func `a credential that was accepted before and is good no more is refused`() throws {
        let fixture = try fixture {
            $0.authenticators["keys"]?.change { $0.isStored = true }
        }
        let stored = DirectorySamples.key("stored", secret: "secret-1")
        fixture.directory.publish(try DirectorySamples.directory([stored]))
        let token = Self.bearer(Sample.token())
        for fields in [["X-API-Key: secret-1"], [token]] { #expect(try fixture.outcome("GET /a", fields) == "forwarded") }
        try exhaust(fixture)
        #expect(try fixture.outcome("GET /a", ["X-API-Key: secret-1"]) == "forwarded")
        fixture.directory.publish(try DirectorySamples.directory([]))
        #expect(try fixture.outcome("GET /a", ["X-API-Key: secret-1"]) == "credential_unknown")
        fixture.now = PolicyFixture.clock(100)
        #expect(try fixture.outcome("GET /a", [token]) != "forwarded")
    }

    @Test func `a certificate that the handshake has proved is no guess`() throws {
        let fixture = try fixture()
        try exhaust(fixture)
        let facts = try PolicyFixture.facts(isSecure: true, certificate: PolicyFixture.certificate())
        #expect(try fixture.outcome("GET /a", over: facts) == "forwarded")
    }

    @Test func `all of several credentials pass where each was accepted before`() throws {
        let fixture = try fixture(PolicyFixture.allOf("keys", "jwt"))
        let token = Self.bearer(Sample.token())
        #expect(try fixture.outcome("GET /a", [Self.key, token]) == "forwarded")
        for guess in 0..<3 { _ = try fixture.outcome("GET /a", ["X-API-Key: guess-\(guess)", token]) }
        #expect(try fixture.outcome("GET /a", [Self.key, token]) == "forwarded")
        #expect(try fixture.outcome("GET /a", ["X-API-Key: \(PolicyFixture.otherKey)", token]) == "too_many_failures")
    }
}
