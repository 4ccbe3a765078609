import Core
import Testing

@testable import Policy

/// The examples of the RFCs and of their cookbook.
struct RFCVectorTests {
    private static let privateMembers: Set<String> = ["d", "p", "q", "dp", "dq", "qi"]

    /// True when the signature of a compact JWS is good under the key: the JWS alone, whatever its payload.
    private func isSigned(_ compact: String, by jwk: JSONNode) throws -> Bool {
        let parts = compact.utf8.split(separator: 0x2E, omittingEmptySubsequences: false).map { Array($0) }
        try #require(parts.count == 3)
        let document = "{\"keys\":[\(jwk.text(without: Self.privateMembers))]}"
        let set = try KeySet.parse(document.utf8.span, isLocal: true, cryptography: Sample.cryptography)
        let header = try TokenHeader(try json(parts[0]))
        let signature = try decoded(parts[2])
        let message = parts[0] + [0x2E] + parts[1]
        return set.keys[0].serves(header.algorithm)
            && set.keys[0].verification.verifies(signature.span, of: message.span, using: header.algorithm)
    }

    private func decoded(_ part: [UInt8]) throws -> [UInt8] {
        let bytes = Base64URL.decode(part.span)
        return try #require(bytes)
    }

    private func json(_ part: [UInt8]) throws -> JSONNode {
        let bytes = try decoded(part)
        return try JSONNode.parse(bytes.span)
    }

    @Test func `signatures of RFC 7515, 7519, 7797 and 8037 verify, and not after one bit is flipped`() throws {
        guard case .array(let vectors) = try JOSEVectors.json("jose/rfc_vectors.json").value else { return }
        var seen: [String] = []
        for vector in vectors {
            guard let jwk = vector["jwk"], vector["compact"] != nil, vector["detached_payload"] == nil else { continue }
            let compact = try vector.string("compact")
            seen.append(try vector.string("name"))
            #expect(try isSigned(compact, by: jwk), "\(seen.last ?? "")")
            var bytes = Array(compact.utf8)
            let dot = try #require(bytes.firstIndex(of: 0x2E))
            bytes[dot + 2] = bytes[dot + 2] == 0x41 ? 0x42 : 0x41
            #expect(try !isSigned(String(decoding: bytes, as: UTF8.self), by: jwk), "\(seen.last ?? "")")
        }
        #expect(
            seen == [
                "RFC 7515 A.1", "RFC 7515 A.2", "RFC 7515 A.3", "RFC 7515 A.4", "RFC 7519 3.1", "RFC 8037 A.4",
                "RFC 7797 4.1 (b64 true)",
            ])
    }

    @Test func `the token of RFC 7519 3.1 is good in its time and expired after it`() throws {
        guard case .array(let vectors) = try JOSEVectors.json("jose/rfc_vectors.json").value else { return }
        let vector = try #require(try vectors.first { try $0.string("name") == "RFC 7519 3.1" })
        let jwk = try #require(vector["jwk"]).text(without: ["kid"])
        let verifier = try Sample.verifier(Sample.cell(Sample.keySet(jwk))) { configuration in
            configuration.issuers = ["joe"]
            configuration.audiences = []
        }
        let token = Array(try vector.string("compact").utf8)
        let verified = verifier.judge(token, at: Sample.clock(1_300_819_379)).token
        #expect(verified?.issuer == "joe")
        #expect(verified?.expiresAt == WallTime(seconds: 1_300_819_380))
        #expect(verifier.judge(token, at: Sample.clock(1_300_819_380)).fault == .expired)
    }

    @Test(arguments: [
        ("RFC 7515 A.5 (unsecured)", "compact", TokenFault.malformed),
        ("RFC 7515 A.6 (general JSON)", "json", .malformed), ("RFC 7515 A.7 (flattened JSON)", "json", .malformed),
        ("RFC 7515 E (unknown crit)", "compact", .malformed),
        ("RFC 7797 4.2 (b64 false, detached)", "compact", .malformed),
    ])
    func `what is no token for a gateway is refused`(name: String, member: String, fault: TokenFault) throws {
        guard case .array(let vectors) = try JOSEVectors.json("jose/rfc_vectors.json").value else { return }
        let vector = try #require(try vectors.first { try $0.string("name") == name })
        let verdict = try Sample.verifier().judge(Array(try vector.string(member).utf8))
        #expect(verdict.fault == fault)
    }

    @Test func `the public keys of RFC 7517 A.1 are read`() throws {
        guard case .array(let vectors) = try JOSEVectors.json("jose/rfc_vectors.json").value else { return }
        let documents = vectors.filter { $0["jwks"] != nil }.map { $0["jwks"]?.text() ?? "" }
        try #require(documents.count == 3)
        let keys = KeySetOutcome(documents[0], isLocal: false)
        // The first is for encryption, the second for RS256.
        #expect(keys.kids == ["2011-04-29"])
        #expect(keys.skipped == [.notForSignatures])
        for isLocal in [true, false] {
            guard case .noUsableKey(let skipped) = KeySetOutcome(documents[1], isLocal: isLocal).error else {
                Issue.record("a private key is used")
                continue
            }
            #expect(skipped.map(\.reason) == [.privateKey, .privateKey])
        }
        // One secret is for key wrapping, the other is an HMAC key: of use in a file, not from the network.
        #expect(KeySetOutcome(documents[2], isLocal: true).skipped == [.algorithmUnfit])
        #expect(KeySetOutcome(documents[2], isLocal: false).kids == nil)
    }

    @Test(arguments: [
        "jws/4_1.rsa_v15_signature", "jws/4_2.rsa-pss_signature", "jws/4_3.ecdsa_signature",
        "jws/4_4.hmac-sha2_integrity_protection", "curve25519/jws",
    ])
    func `signatures of the cookbook verify`(name: String) throws {
        let vector = try JOSEVectors.json("jose/cookbook/\(name).json")
        let jwk = try #require(vector["input"]?["key"])
        let compact = try #require(vector["output"]).string("compact")
        #expect(try isSigned(compact, by: jwk))
    }

    @Test(arguments: ["jws/4_5.signature_with_detached_content", "rfc7797/hmac-sha2_b64_false"])
    func `detached and unencoded content is refused`(name: String) throws {
        let vector = try JOSEVectors.json("jose/cookbook/\(name).json")
        let compact = try #require(vector["output"]).string("compact")
        #expect(try Sample.verifier().judge(Array(compact.utf8)).fault == .malformed)
    }

    @Test(arguments: [
        ("3_1.ec_public_key", false), ("3_2.ec_private_key", true), ("3_3.rsa_public_key", false), ("3_4.rsa_private_key", true),
        ("3_5.symmetric_key_mac_computation", false),
    ])
    func `keys of the cookbook`(name: String, isPrivate: Bool) throws {
        let jwk = try JOSEVectors.json("jose/cookbook/jwk/\(name).json").text()
        let outcome = KeySetOutcome("{\"keys\":[\(jwk)]}", isLocal: true)
        #expect((outcome.set == nil) == isPrivate)
    }
}
