import Core
import Testing

@testable import Policy

/// Every token of jwt-attacks.json against the verdict written there.
struct AttackTokenTests {
    /// What this gateway does where the file leaves it open.
    private static let policy = [
        // Strict base64url: the text of a token is what the cache compares.
        "J67": "reject",
        // A date beyond the year 2262 counts as the end of time, one before 1677 as its beginning.
        "J89": "accept", "J93": "accept",
    ]

    private static let faults: [String: TokenFault] = [
        "J11": .malformed, "J15": .algorithmNotAllowed, "J17": .malformed, "J19": .algorithmNotAllowed,
        "J21": .algorithmNotAllowed, "J25": .algorithmNotAllowed, "J27": .algorithmNotAllowed, "J29": .keyUnknown,
        "J31": .signatureInvalid, "J33": .signatureInvalid, "J37": .signatureInvalid, "J39": .signatureInvalid,
        "J49": .keyUnknown, "J51": .tooLarge, "J53": .malformed, "J55": .malformed, "J77": .malformed,
        "J79": .tooLarge, "J83": .notYetValid, "J85": .malformed, "J91": .expired, "J95": .issuerUnknown,
        "J97": .issuerUnknown, "J99": .audienceWrong, "J101": .malformed,
    ]

    private func table(_ file: JSONNode, tokenByteLimit: Int = 8192) throws -> IssuerTable {
        let document = try #require(file["jwks"]).text()
        let keys = try KeySet.parse(document.utf8.span, isLocal: false, cryptography: Sample.cryptography)
        let verifier = try Sample.verifier(Sample.cell(keys)) { configuration in
            configuration.algorithms = [.rs256, .ps256, .es256, .es384, .eddsa]
            configuration.tokenByteLimit = tokenByteLimit
        }
        return try IssuerTable([verifier])
    }

    @Test func `every attack is refused and every good token taken`() throws {
        let file = try JOSEVectors.json("jwt-attacks.json")
        let table = try table(file)
        let cache = TokenCache(seed: HashSeed(1, 2))
        let cases = try file.list("cases")
        #expect(cases.count == 52)
        for attack in cases {
            let id = try attack.string("id")
            let written = try attack.string("verdict")
            let expected = written == "policy" ? Self.policy[id] : written
            let token = Array(try attack.string("token").utf8)
            // Twice with the cache, so that what is remembered is the same.
            for verdict in [
                table.verify(token.span, now: Sample.now), table.verify(token.span, now: Sample.now, cache: cache),
                table.verify(token.span, now: Sample.now, cache: cache),
            ] {
                #expect((verdict.token == nil ? "reject" : "accept") == expected, "\(id)")
                if let fault = Self.faults[id] { #expect(verdict.fault == fault, "\(id)") }
            }
        }
    }

    @Test(arguments: ["J51", "J79"])
    func `huge tokens are refused for what is in them when size does not stop them`(id: String) throws {
        let file = try JOSEVectors.json("jwt-attacks.json")
        let attack = try file.list("cases").first { try $0.string("id") == id }
        let token = Array(try #require(attack).string("token").utf8)
        let verdict = try table(file, tokenByteLimit: 1_000_000).verify(token.span, now: Sample.now)
        #expect(verdict.fault == .malformed)
    }

    @Test func `keys for encryption and weak keys of the set are skipped`() throws {
        let file = try JOSEVectors.json("jwt-attacks.json")
        let document = try #require(file["jwks"]).text()
        let keys = try KeySet.parse(document.utf8.span, isLocal: false, cryptography: Sample.cryptography)
        #expect(keys.keys.map(\.kid) == ["rsa1", "ps1", "ec1", "ec3", "ed1"])
        #expect(keys.skipped.map(\.reason) == [.notForSignatures, .weak])
    }
}
