import Core
import Crypto
import Testing

/// Every vector of Project Wycheproof for the algorithms of JWT. "valid" must verify; "invalid" and "acceptable" must
/// not.
struct WycheproofTests {
    private let cryptography = OpenSSLCryptography()

    @Test(arguments: [
        ("ecdsa_secp256r1_sha256_p1363_test", EllipticCurve.p256, SignatureAlgorithm.es256, 262),
        ("ecdsa_secp384r1_sha384_p1363_test", .p384, .es384, 280),
        ("ecdsa_secp521r1_sha512_p1363_test", .p521, .es512, 318),
    ])
    func `ECDSA in raw form`(
        file: String, curve: EllipticCurve, algorithm: SignatureAlgorithm, count: Int
    ) throws {
        try check(file, algorithm, count: count) { group in
            let point = try #require(group["publicKey"])
            // As written there, the numbers have a sign byte too many or leading zeros too few.
            let size = (try point.hex("uncompressed").count - 1) / 2
            let uncompressed = try point.hex("uncompressed")
            return .ec(
                curve: curve, x: Array(uncompressed[1..<1 + size]), y: Array(uncompressed[(1 + size)...]))
        }
    }

    @Test func `Ed25519`() throws {
        try check("ed25519_test", .eddsa, count: 151) { group in
            .ed25519(x: try #require(group["publicKey"]).hex("pk"))
        }
    }

    @Test(arguments: [
        ("rsa_signature_2048_sha256_test", SignatureAlgorithm.rs256, 259),
        ("rsa_signature_2048_sha384_test", .rs384, 258),
        ("rsa_signature_2048_sha512_test", .rs512, 259),
        ("rsa_pss_2048_sha256_mgf1_32_test", .ps256, 108),
        ("rsa_pss_2048_sha384_mgf1_48_test", .ps384, 141),
        ("rsa_pss_4096_sha512_mgf1_64_test", .ps512, 179),
    ])
    func `RSA with PKCS#1 and PSS padding`(file: String, algorithm: SignatureAlgorithm, count: Int) throws {
        try check(file, algorithm, count: count) { group in
            let key = try #require(group["publicKey"])
            return .rsa(modulus: try key.hex("modulus"), exponent: try key.hex("publicExponent"))
        }
    }

    @Test(arguments: [
        ("hmac_sha256_test", SignatureAlgorithm.hs256, 174), ("hmac_sha384_test", .hs384, 174),
        ("hmac_sha512_test", .hs512, 174),
    ])
    func `HMAC, truncated codes refused`(file: String, algorithm: SignatureAlgorithm, count: Int) throws {
        var seen = 0
        let root = try Vectors.json("wycheproof/\(file).json")
        for group in try root.elements("testGroups") {
            guard case .number(let bits) = group["tagSize"]?.value, let tagBits = bits.integer else {
                throw VectorError(member: "tagSize")
            }
            let isWhole = tagBits == algorithm.codeBits
            for test in try group.elements("tests") {
                seen += 1
                let key = try cryptography.verificationKey(from: .symmetric(try test.hex("key")))
                let verdict = key.accepts(try test.hex("tag"), of: try test.hex("msg"), algorithm)
                let isValid = try test.text("result") == "valid"
                let expected = isWhole && isValid
                #expect(verdict == expected, "\(file) \(test["tcId"]?.value as Any)")
            }
        }
        #expect(seen == count)
    }

    private func check(
        _ file: String, _ algorithm: SignatureAlgorithm, count: Int, material: (JSONNode) throws -> KeyMaterial
    ) throws {
        var seen = 0
        let root = try Vectors.json("wycheproof/\(file).json")
        for group in try root.elements("testGroups") {
            let key = try cryptography.verificationKey(from: try material(group))
            for test in try group.elements("tests") {
                seen += 1
                let verdict = key.accepts(try test.hex("sig"), of: try test.hex("msg"), algorithm)
                let expected = try test.text("result") == "valid"
                #expect(verdict == expected, "\(file) \(test["tcId"]?.value as Any)")
            }
        }
        #expect(seen == count)
    }
}

extension SignatureAlgorithm {
    fileprivate var codeBits: Int64 {
        switch self {
        case .hs256: 256
        case .hs384: 384
        default: 512
        }
    }
}
