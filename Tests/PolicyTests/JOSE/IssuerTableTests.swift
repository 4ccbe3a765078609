import Core
import Testing

@testable import Policy

struct IssuerTableTests {
    private func payload(_ issuer: String?) -> String {
        let member = issuer.map { "\"iss\":\"\($0)\"," } ?? ""
        return "{\(member)\"aud\":\"gateway\",\"exp\":1800000100}"
    }

    @Test func `the issuer chooses the verifier, and no other key is asked`() throws {
        let keys = [try CountingKey(), try CountingKey(), try CountingKey()]
        var verifiers: [JWTVerifier] = []
        for (index, key) in keys.enumerated() {
            verifiers.append(
                try Sample.verifier(Sample.cell(key.keySet()), name: "v\(index)") {
                    $0.issuers = ["i\(index)", "j\(index)"]
                })
        }
        let table = try IssuerTable(verifiers)
        let good = Sample.token(payload("j1"))
        #expect(table.verify(good.span, now: Sample.now).token?.authenticator == "v1")
        #expect(keys.map(\.count) == [0, 1, 0])
        let forged = Sample.token(payload("i2"), secret: "another secret of 32 bytes, or so")
        #expect(table.verify(forged.span, now: Sample.now).fault == .signatureInvalid)
        #expect(keys.map(\.count) == [0, 1, 1])
        for issuer in ["i3", "I1", "", nil] {
            let token = Sample.token(payload(issuer))
            #expect(table.verify(token.span, now: Sample.now).fault == .issuerUnknown)
        }
        #expect(keys.map(\.count) == [0, 1, 1])
    }

    @Test func `an issuer that looks the same to Unicode is another issuer`() throws {
        let table = try IssuerTable([Sample.verifier { $0.issuers = ["K"] }])
        let token = Sample.token(payload("\u{212A}"))
        #expect(table.verify(token.span, now: Sample.now).fault == .issuerUnknown)
    }

    @Test func `a verifier of any issuer takes what no other claims`() throws {
        let table = try IssuerTable([
            Sample.verifier(name: "any") { $0.issuers = [] }, Sample.verifier(name: "one") { $0.issuers = ["one"] },
        ])
        for (issuer, name) in [("one", "one"), ("two", "any"), (nil, "any")] {
            let token = Sample.token(payload(issuer))
            #expect(table.verify(token.span, now: Sample.now).token?.authenticator == name)
        }
    }

    @Test func `verifiers that cannot be told apart are a conflict`() throws {
        let one = try Sample.verifier(name: "one")
        let two = try Sample.verifier(name: "two")
        #expect(throws: IssuerTable.Conflict.sameIssuer(Sample.issuer, first: "one", second: "two")) {
            try IssuerTable([one, two])
        }
        let any = try Sample.verifier(name: "any") { $0.issuers = [] }
        #expect(throws: IssuerTable.Conflict.anyIssuer(first: "any", second: "any")) { try IssuerTable([any, any]) }
    }

    @Test func `each verifier keeps its own limits`() throws {
        let small = try Sample.verifier(name: "small") { configuration in
            configuration.issuers = ["small"]
            configuration.tokenByteLimit = 100
        }
        let table = try IssuerTable([small, try Sample.verifier { $0.issuers = ["large"] }])
        let large = Sample.token(payload("large"))
        #expect(table.verify(large.span, now: Sample.now).token != nil)
        let refused = Sample.token(payload("small"))
        #expect(table.verify(refused.span, now: Sample.now).fault == .tooLarge)
        let huge = [UInt8](repeating: 0x41, count: 8193)
        #expect(table.verify(huge.span, now: Sample.now).fault == .tooLarge)
    }
}
