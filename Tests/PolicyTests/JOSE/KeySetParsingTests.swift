import Core
import Testing

@testable import Policy

struct KeySetParsingTests {
    private static let p256 =
        #""kty":"EC","crv":"P-256","x":"BXzwlSZ3bR4Hx9U3T4GA6TSN98bC7SOt4A9UTaEZ0Qg","#
        + #""y":"ODxlW_Q6Icj_mplTOJ9Wlb8sDiw1AlBE7CmQ6m3vMfY""#
    private static let ed25519 = #""kty":"OKP","crv":"Ed25519","x":"TbN9GFQmiwu-WhkDq0JYJTaj5c-3MQjy7Hd_wEX1j-o""#

    private func outcome(_ keys: String..., isLocal: Bool = false) -> KeySetOutcome {
        KeySetOutcome("{\"keys\":[\(keys.joined(separator: ","))]}", isLocal: isLocal)
    }

    @Test(arguments: [
        "", " ", "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", "{", "{\"keys\":[}",
        "{\"keys\":[],\"keys\":[]}", "not json",
    ])
    func `what is not JSON is refused`(text: String) {
        guard case .notJSON = KeySetOutcome(text, isLocal: false).error else {
            Issue.record("\(text)")
            return
        }
    }

    @Test(arguments: [
        "null", "[]", "{}", "\"keys\"", "{\"keys\":{}}", "{\"keys\":null}", "{\"keys\":[1]}", "{\"keys\":[[]]}",
    ])
    func `JSON that is no key set is refused`(text: String) {
        #expect(KeySetOutcome(text, isLocal: false).error == .notAKeySet)
    }

    @Test func `an empty set and one without a usable key are refused`() {
        #expect(outcome().error == .noUsableKey([]))
        #expect(
            outcome(#"{"kty":"XYZ"}"#).error
                == .noUsableKey([KeySet.SkippedKey(index: 0, kid: nil, reason: .kindUnknown)]))
    }

    @Test func `ten megabytes are refused unread`() {
        let document = [UInt8](repeating: 0x20, count: 10_485_760)
        #expect(KeySetOutcome(document, isLocal: false).error == .tooLarge(byteLimit: 1_048_576))
    }

    @Test func `a hundred keys are taken, and that the rest are not is reported`() {
        let keys = (0..<150).map { "{\(Self.ed25519),\"kid\":\"\($0)\"}" }
        let hundred = KeySetOutcome("{\"keys\":[\(keys.prefix(100).joined(separator: ","))]}", isLocal: false)
        #expect(hundred.kids?.count == 100 && hundred.skipped == [])
        let more = KeySetOutcome("{\"keys\":[\(keys.joined(separator: ",")),7]}", isLocal: false)
        #expect(more.kids == hundred.kids)
        #expect(more.set?.skipped == [KeySet.SkippedKey(index: 100, kid: nil, reason: .beyondLimit)])
    }

    @Test(arguments: ["d", "p", "q", "dp", "dq", "qi", "oth"], ["", "RSA", "EC", "OKP"])
    func `a private key among good ones is skipped, in a file too`(member: String, kind: String) {
        let bad = "{\"kty\":\"\(kind)\",\"\(member)\":\"AQAB\"}"
        for isLocal in [true, false] {
            let outcome = outcome("{\(Self.p256),\"kid\":\"good\"}", bad, isLocal: isLocal)
            #expect(outcome.kids == ["good"])
            #expect(outcome.skipped == [.privateKey])
        }
    }

    @Test func `the public key of a pair that is shown whole is not used either`() {
        let whole = "{\(Self.p256),\"d\":\"AQAB\"}"
        let outcome = outcome("{\(Self.p256),\"kid\":\"public\"}", whole, "{\(Self.ed25519),\"kid\":\"good\"}")
        #expect(outcome.kids == ["good"])
        #expect(outcome.skipped == [.privateKey, .privateKey])
    }

    @Test(arguments: [
        #""use":"jwt-svid""#, #""use":null"#, #""key_ops":[]"#, #""key_ops":null"#, #""key_ops":["sign","verify"]"#, #""alg":null"#,
        #""alg":"Ed25519""#, #""alg":"EdDSA""#, #""kid":null"#, #""note":"\ud83d""#, #""n\u00e9":1,"ne\u0301":2"#,
    ])
    func `a key is read as issuers write it`(member: String) {
        let outcome = outcome("{\(Self.ed25519),\(member)}")
        #expect(outcome.kids == [nil])
        #expect(outcome.set?.keys.first?.algorithms == [.eddsa])
    }

    @Test func `a byte order mark is passed over`() {
        #expect(KeySetOutcome("\u{FEFF}{\"keys\":[{\(Self.p256)}]}", isLocal: false).kids == [nil])
        guard case .notJSON = KeySetOutcome("\u{FEFF}\u{FEFF}{\"keys\":[{\(Self.p256)}]}", isLocal: false).error else {
            Issue.record("two marks were passed over")
            return
        }
    }

    @Test func `key material is read with padding and in the letters of standard base64`() throws {
        let secret = Array(repeating: 0xFB as UInt8, count: 31) + [0xFF]
        let plain = Base64URL.encode(secret.span)
        try #require(plain.contains("_") && plain.contains("-"))
        let standard = plain.replacing("-", with: "+").replacing("_", with: "/")
        for text in [plain, plain + "=", standard, standard + "="] {
            #expect(outcome("{\"kty\":\"oct\",\"k\":\"\(text)\"}", isLocal: true).set?.keys.first?.verification.bits == 256)
        }
        for text in [plain + "==", "=" + plain, plain + "\\n", String(plain.dropLast()) + "=" + "A", "="] {
            #expect(outcome("{\"kty\":\"oct\",\"k\":\"\(text)\"}", isLocal: true).set == nil, "\(text)")
        }
    }

    @Test func `a coordinate is a number, however many zeros it begins with`() {
        let (x, y) = SmallCoordinate.p256
        func outcome(x: [UInt8]) -> KeySetOutcome {
            let coordinates = "\"x\":\"\(Base64URL.encode(x.span))\",\"y\":\"\(Base64URL.encode(y.span))\""
            return self.outcome("{\"kty\":\"EC\",\"crv\":\"P-256\",\(coordinates)}")
        }
        for shown in [x, Array(x.dropFirst()), [0, 0] + x] { #expect(outcome(x: shown).kids == [nil], "\(shown.count) bytes") }
        #expect(outcome(x: [1] + x).set == nil)
    }

    @Test(arguments: [
        (#""use":"enc""#, KeySet.SkippedKey.Reason.notForSignatures), (#""use":"SIG""#, .notForSignatures),
        (#""use":1"#, .malformed), (#""key_ops":["sign"]"#, .notForSignatures),
        (#""key_ops":"verify""#, .malformed), (#""key_ops":["verify",1]"#, .malformed),
        (#""alg":"RS256""#, .algorithmUnfit),
        (#""alg":"ES384""#, .algorithmUnfit), (#""alg":"HS256""#, .algorithmUnfit),
        (#""alg":"ECDH-ES""#, .algorithmUnfit),
        (#""alg":"es256""#, .algorithmUnfit), (#""alg":"none""#, .algorithmUnfit),
        (#""kid":7"#, .malformed), (#""kid":"a\nb""#, .malformed),
    ])
    func `a key that is not for this is skipped`(member: String, reason: KeySet.SkippedKey.Reason) {
        let outcome = outcome("{\(Self.ed25519),\"kid\":\"good\"}", "{\(Self.p256),\(member)}")
        #expect(outcome.kids == ["good"])
        #expect(outcome.skipped == [reason])
    }

    @Test(arguments: [
        (#""kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA""#, KeySet.SkippedKey.Reason.malformed),
        (#""kty":"EC","crv":"P-256","x":"BXzwlSZ3bR4Hx9U3T4GA6TSN98bC7SOt4A9UTaEZ0Qg""#, .malformed),
        (#""kty":"EC","crv":"secp256k1","x":"AAAA","y":"AAAA""#, .kindUnknown), (#""kty":"EC""#, .malformed),
        (#""kty":"OKP","crv":"X25519","x":"AAAA""#, .kindUnknown),
        (#""kty":"OKP","crv":"Ed25519","x":"AA==""#, .malformed),
        (#""kty":"OKP","crv":"Ed25519","x":"""#, .malformed), (#""kty":"RSA","n":"AQAB","e":"AQAB""#, .weak),
        (#""kty":"RSA","n":1,"e":"AQAB""#, .malformed), (#""kty":"rsa","n":"AQAB","e":"AQAB""#, .kindUnknown),
        (#""kty":7"#, .malformed), (#""n":"AQAB""#, .malformed), (#""kty":"oct","k":"c2VjcmV0""#, .secretFromNetwork),
    ])
    func `key material that is no good is skipped`(members: String, reason: KeySet.SkippedKey.Reason) {
        let outcome = outcome("{\(members)}", "{\(Self.p256),\"kid\":\"good\"}")
        #expect(outcome.kids == ["good"])
        #expect(outcome.skipped == [reason])
    }

    @Test func `a key serves its own algorithm, else all of its kind`() {
        let keys = outcome("{\(Self.p256),\"alg\":\"ES256\"}", "{\(Self.ed25519)}", isLocal: true).set?.keys
        #expect(keys?.map(\.algorithms) == [[.es256], [.eddsa]])
        let long = String(repeating: "x", count: 64)
        let secrets = outcome(Sample.key(secret: long), Sample.key(secret: long, more: #","alg":"HS512""#), isLocal: true).set?.keys
        #expect(secrets?.map(\.algorithms) == [[.hs256, .hs384, .hs512], [.hs512]])
    }

    @Test(
        arguments: [
            (31, "", 256), (16, "", 256), (15, "", 256), (31, "HS256", 256), (47, "HS384", 384), (63, "HS512", 512), (32, "HS512", 512),
        ])
    func `a secret shorter than its hash is refused unless the policy takes it, and never below 16 bytes`(
        bytes: Int, algorithm: String, needed: Int
    ) throws {
        let secret = String(repeating: "x", count: bytes)
        let key = Sample.key(secret: secret, more: algorithm.isEmpty ? "" : #","alg":"\#(algorithm)""#)
        let text = "{\"keys\":[\(key)]}"
        func parse(allowing: Bool) throws -> KeySet {
            try KeySet.parse(text.utf8.span, isLocal: true, allowsShortSecrets: allowing, cryptography: Sample.cryptography)
        }
        func error(allowing: Bool) -> String {
            do {
                _ = try parse(allowing: allowing)
                return ""
            } catch { return (error as? KeySetError)?.message ?? "" }
        }
        #expect(error(allowing: false).contains("\(bytes * 8) bits, fewer than the \(needed)"))
        if bytes < 16 {
            #expect(error(allowing: true).contains("fewer than the 128"))
        } else {
            #expect(try parse(allowing: true).keys.count == 1)
        }
    }

    @Test func `a secret serves the algorithms that it is long enough for`() {
        for (bytes, algorithms) in [(32, [SignatureAlgorithm.hs256]), (48, [.hs256, .hs384]), (64, [.hs256, .hs384, .hs512])] {
            let keys = outcome(Sample.key(secret: String(repeating: "x", count: bytes)), isLocal: true).set?.keys
            #expect(keys?.map(\.algorithms) == [algorithms])
        }
    }

    @Test func `up to four keys of one kid and algorithm are taken`() {
        let key = "{\(Self.p256),\"kid\":\"same\"}"
        #expect(outcome(key, key, key, key).kids?.count == 4)
        #expect(outcome(key, key, key, key, key).error == .tooManyKeysOfOneKid("same"))
        #expect(outcome(key, key, key, key, "{\(Self.ed25519),\"kid\":\"same\"}").kids?.count == 5)
    }

    @Test func `members nobody knows and certificates do no harm`() {
        let outcome = outcome("{\(Self.p256),\"x5c\":[\"AAAA\"],\"x5u\":\"http://127.0.0.1:1/\",\"ext\":true}")
        #expect(outcome.kids == [nil])
    }

    @Test func `the same document is the same set only when it is read the same way`() {
        let first = outcome("{\(Self.p256)}").set?.fingerprint
        #expect(outcome("{\(Self.p256)}").set?.fingerprint == first)
        #expect(outcome("{\(Self.p256)}", isLocal: true).set?.fingerprint != first)
        #expect(outcome("{\(Self.ed25519)}").set?.fingerprint != first)
    }

    @Test func `a set of PEM answers to its kid, or to any`() throws {
        let pem = """
            -----BEGIN PUBLIC KEY-----
            MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE6mO6LbHiIJ4k0zcgyoGXtvhsvvwA
            eJS/1g78i7qabacDc/qZQmY6o1EsFFRd3+e/ZDrmxKgHnYM+mYQG0IKLjQ==
            -----END PUBLIC KEY-----
            """
        let any = try KeySet.parse(
            pem: pem.utf8.span, kid: nil, algorithm: nil, cryptography: Sample.cryptography)
        #expect(any.servesAnyKid)
        #expect(any.keys[0].algorithms == [.es256])
        let one = try KeySet.parse(
            pem: pem.utf8.span, kid: "one", algorithm: .es256, cryptography: Sample.cryptography)
        #expect(!one.servesAnyKid)
        // A reload that changes only the kid or the algorithm has to change the keys in force.
        let bound = try KeySet.parse(
            pem: pem.utf8.span, kid: "one", algorithm: nil, cryptography: Sample.cryptography)
        #expect(Set([any, one, bound].map(\.fingerprint)).count == 3)
        #expect(throws: KeySetError.algorithmUnfit(.rs256)) {
            try KeySet.parse(pem: pem.utf8.span, kid: nil, algorithm: .rs256, cryptography: Sample.cryptography)
        }
        #expect(throws: KeySetError.badPEM(.malformed)) {
            try KeySet.parse(pem: "{}".utf8.span, kid: nil, algorithm: nil, cryptography: Sample.cryptography)
        }
    }
}
