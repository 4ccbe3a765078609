import Core
import Testing

@testable import Crypto

struct SigningKeyTests {
    private let cryptography = OpenSSLCryptography()

    /// RFC 4231 §4.3.
    @Test(arguments: [
        (SignatureAlgorithm.hs256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (.hs384, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"),
        (
            .hs512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
                + "caeab1a34d4a6b4b636e070a38bce737"
        ),
    ])
    func `HMAC of RFC 4231`(algorithm: SignatureAlgorithm, code: String) throws {
        let key = try SigningKey(algorithm, material: bytes("Jefe"))
        let made = key.signature(of: "what do ya want for nothing?".utf8.span)
        #expect(try made == hex(code))
    }

    @Test func `RS256 of RFC 7515 appendix A.2`() throws {
        let key = try SigningKey(.rs256, material: SamplePrivateKeys.decoded(SamplePrivateKeys.rfc7515))
        let vectors = try Vectors.json("jose/rfc_vectors.json")
        guard case .array(let all) = vectors.value else { throw VectorError(member: "") }
        let vector = try #require(all.first { (try? $0.text("name")) == "RFC 7515 A.2" })
        let parts = try vector.text("compact").split(separator: ".")
        let signature = key.signature(of: "\(parts[0]).\(parts[1])".utf8.span)
        let expected = Base64URL.decode(parts[2].utf8.span)
        #expect(signature == expected)
        let jwk = try #require(vector["jwk"])
        guard case .rsa(let modulus, let exponent) = key.verificationMaterial else { throw VectorError(member: "jwk") }
        #expect(try modulus == jwk.base64URL("n"))
        #expect(try exponent == jwk.base64URL("e"))
    }

    @Test(arguments: [SignatureAlgorithm.hs256, .hs384, .hs512, .rs256])
    func `what a new key signs is verified by its verification material`(algorithm: SignatureAlgorithm) throws {
        let material = try SigningKey.newMaterial(for: algorithm)
        let key = try SigningKey(algorithm, material: material)
        let verification = try cryptography.verificationKey(from: key.verificationMaterial)
        let made = key.signature(of: "message".utf8.span)
        let signature = try #require(made)
        #expect(verification.accepts(signature, of: bytes("message"), algorithm))
        #expect(!verification.accepts(signature, of: bytes("Message"), algorithm))
        #expect(try SigningKey.newMaterial(for: algorithm) != material)
    }

    @Test func `a new RSA key has 2048 bits and the usual exponent`() throws {
        let key = try SigningKey(.rs256, material: SigningKey.newMaterial(for: .rs256))
        guard case .rsa(let modulus, let exponent) = key.verificationMaterial else { throw VectorError(member: "rsa") }
        #expect(modulus.count == 256 && modulus[0] >= 0x80)
        #expect(exponent == [1, 0, 1])
    }

    @Test func `material that does not fit the algorithm is refused`() throws {
        #expect(throws: KeyMaterialError.outOfBounds(bits: 0)) { try SigningKey(.hs256, material: []) }
        #expect(throws: KeyMaterialError.malformed) { try SigningKey(.rs256, material: []) }
        #expect(throws: KeyMaterialError.malformed) { try SigningKey(.rs256, material: bytes("no DER")) }
        #expect(throws: KeyMaterialError.outOfBounds(bits: 1024)) {
            try SigningKey(.rs256, material: SamplePrivateKeys.decoded(SamplePrivateKeys.rsa1024))
        }
        #expect(throws: KeyMaterialError.unsupported) {
            try SigningKey(.rs256, material: SamplePrivateKeys.decoded(SamplePrivateKeys.p256))
        }
        let whole = try SamplePrivateKeys.decoded(SamplePrivateKeys.rfc7515)
        #expect(throws: KeyMaterialError.malformed) { try SigningKey(.rs256, material: whole + [0]) }
        #expect(throws: KeyMaterialError.malformed) { try SigningKey(.rs256, material: whole.dropLast()) }
    }

    // MARK: Keys that somebody brings

    private static func pem(_ base64URL: String, label: String = "PRIVATE KEY") -> String {
        let text = base64URL.filter { !$0.isNewline }.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        let padded = String(text) + String(repeating: "=", count: (4 - text.count % 4) % 4)
        return "-----BEGIN \(label)-----\n\(padded)\n-----END \(label)-----\n"
    }

    /// PKCS #8 around numbers that nobody has made a key of; only the length of the modulus is real.
    private static func nonsense(bits: Int) -> String {
        func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
            [tag, 0x82, UInt8(content.count >> 8), UInt8(truncatingIfNeeded: content.count)] + content
        }
        let number = [UInt8](repeating: 0x11, count: 64)
        let modulus = [1] + [UInt8](repeating: 0x11, count: (bits - 1) / 8)
        let numbers = [[0], modulus, [1, 0, 1], number, number, number, number, number, number].map { element(0x02, $0) }
        let algorithm: [UInt8] = [0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00]
        let document = element(0x30, element(0x02, [0]) + algorithm + element(0x04, element(0x30, Array(numbers.joined()))))
        return pem(Base64URL.encode(document.span))
    }

    @Test func `a private key in PEM form becomes the material that signs`() throws {
        let text = Self.pem(SamplePrivateKeys.rfc7515)
        let material = try SigningKey.material(fromPEM: text.utf8.span)
        #expect(try material == SamplePrivateKeys.decoded(SamplePrivateKeys.rfc7515))
        #expect(try SigningKey.material(fromPEM: "remarks\n\(text)\nmore".utf8.span) == material)
    }

    @Test func `a text that is no RSA private key, or one out of bounds, is refused`() throws {
        let refusal = { (text: String) -> KeyMaterialError? in
            do throws(KeyMaterialError) { _ = try SigningKey.material(fromPEM: text.utf8.span) } catch { return error }
            return nil
        }
        let good = Self.pem(SamplePrivateKeys.rfc7515)
        for label in ["PUBLIC KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "private key"] {
            #expect(refusal(Self.pem(SamplePrivateKeys.rfc7515, label: label)) == .malformed, "\(label)")
        }
        for text in ["", "jsk_x", good + good, String(good.dropLast(30)), good.replacing("MIIEv", with: "MIIEw"), good.replacing("\n", with: "")] {
            #expect(refusal(text) == .malformed, "\(text)")
        }
        #expect(refusal(Self.pem(SamplePrivateKeys.rsa1024)) == .outOfBounds(bits: 1024))
        #expect(refusal(Self.pem(SamplePrivateKeys.p256)) == .unsupported)
        #expect(refusal(Self.nonsense(bits: 8193)) == .outOfBounds(bits: 8193))
    }

    @Test func `halves that do not belong together are no key`() throws {
        var bytes = try SamplePrivateKeys.decoded(SamplePrivateKeys.rfc7515)
        // In the middle of the modulus.
        bytes[150] ^= 1
        let text = Self.pem(Base64URL.encode(bytes.span))
        #expect(throws: KeyMaterialError.malformed) { try SigningKey.material(fromPEM: text.utf8.span) }
        #expect(throws: KeyMaterialError.malformed) { try SigningKey.material(fromPEM: Self.nonsense(bits: 2049).utf8.span) }
    }

    @Test(arguments: SignatureAlgorithm.allCases.filter { ![.hs256, .hs384, .hs512, .rs256].contains($0) })
    func `other algorithms do not sign`(algorithm: SignatureAlgorithm) throws {
        #expect(throws: KeyMaterialError.unsupported) { try SigningKey(algorithm, material: [1]) }
        #expect(throws: KeyMaterialError.unsupported) { try SigningKey.newMaterial(for: algorithm) }
    }
}
