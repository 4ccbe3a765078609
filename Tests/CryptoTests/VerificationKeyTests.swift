import Core
import Crypto
import Dispatch
import Synchronization
import Testing

/// The checks on key material, and that a key serves its own algorithms only.
struct VerificationKeyTests {
    private let cryptography = OpenSSLCryptography()

    private func modulus(bits: Int) -> [UInt8] {
        var modulus = [UInt8](repeating: 0xFF, count: (bits + 7) / 8)
        if bits % 8 != 0 { modulus[0] = UInt8(1 << (bits % 8)) - 1 }
        return modulus
    }

    @Test(arguments: [1, 512, 1024, 2047, 8193, 16384, 20000])
    func `an RSA modulus out of bounds is refused`(bits: Int) {
        #expect(throws: KeyMaterialError.outOfBounds(bits: bits)) {
            try cryptography.verificationKey(from: .rsa(modulus: modulus(bits: bits), exponent: [1, 0, 1]))
        }
    }

    @Test(arguments: [2048, 2049, 3072, 8192])
    func `an RSA modulus in bounds is taken, with leading zeros too`(bits: Int) throws {
        let key = try cryptography.verificationKey(from: .rsa(modulus: [0, 0] + modulus(bits: bits), exponent: [3]))
        #expect(key.bits == bits)
    }

    @Test(
        arguments: [[], [0], [1], [2], [1, 0, 0], [0, 1], [2, 0, 0, 0, 1], [255, 255, 255, 255, 255]] as [[UInt8]])
    func `an RSA exponent that is even, 1 or huge is refused`(exponent: [UInt8]) {
        #expect(throws: KeyMaterialError.malformed) {
            try cryptography.verificationKey(from: .rsa(modulus: modulus(bits: 2048), exponent: exponent))
        }
    }

    @Test func `an even RSA modulus is refused`() {
        var even = modulus(bits: 2048)
        even[even.count - 1] = 0xFE
        #expect(throws: KeyMaterialError.malformed) {
            try cryptography.verificationKey(from: .rsa(modulus: even, exponent: [1, 0, 1]))
        }
        #expect(throws: KeyMaterialError.outOfBounds(bits: 0)) {
            try cryptography.verificationKey(from: .rsa(modulus: [], exponent: [1, 0, 1]))
        }
    }

    @Test(arguments: [EllipticCurve.p256, .p384, .p521])
    func `a point off its curve is refused`(curve: EllipticCurve) throws {
        let size = [EllipticCurve.p256: 32, .p384: 48, .p521: 66][curve] ?? 0
        let one = [UInt8](repeating: 0, count: size - 1) + [1]
        let zero = [UInt8](repeating: 0, count: size)
        let large = [UInt8](repeating: 0xFF, count: size)
        for (x, y) in [(one, one), (zero, zero), (large, large), (one, zero), ([], []), (one, []), (one + [1], one)] {
            #expect(throws: KeyMaterialError.malformed) {
                try cryptography.verificationKey(from: .ec(curve: curve, x: x, y: y))
            }
        }
    }

    @Test(arguments: [0, 31, 33, 64])
    func `an Ed25519 key has 32 bytes`(count: Int) {
        #expect(throws: KeyMaterialError.malformed) {
            try cryptography.verificationKey(from: .ed25519(x: [UInt8](repeating: 1, count: count)))
        }
    }

    @Test func `a secret may not be empty`() throws {
        #expect(throws: KeyMaterialError.outOfBounds(bits: 0)) {
            try cryptography.verificationKey(from: .symmetric([]))
        }
        let key = try cryptography.verificationKey(from: .symmetric([1, 2, 3]))
        #expect(key.bits == 24)
        #expect(key.algorithms == [.hs256, .hs384, .hs512])
    }

    @Test func `a key says no to every algorithm that is not its own`() throws {
        let samples = [
            (SampleKeys.rsa, SampleKeys.rs256Signature), (SampleKeys.p256, SampleKeys.es256Signature),
            (SampleKeys.ed25519, SampleKeys.ed25519Signature),
        ]
        for (pem, signature) in samples {
            let key = try onlyKey(pem)
            let signature = try hex(signature)
            let accepted = SignatureAlgorithm.allCases.filter { key.accepts(signature, of: bytes("message"), $0) }
            #expect(accepted.count == 1)
            #expect(key.algorithms.contains(accepted[0]))
        }
    }

    @Test func `a signature with one bit flipped, cut or lengthened is refused`() throws {
        let samples: [(String, String, SignatureAlgorithm)] = [
            (SampleKeys.rsa, SampleKeys.rs256Signature, .rs256), (SampleKeys.p256, SampleKeys.es256Signature, .es256),
            (SampleKeys.ed25519, SampleKeys.ed25519Signature, .eddsa),
        ]
        let message = bytes(SampleKeys.message)
        for (pem, text, algorithm) in samples {
            let key = try onlyKey(pem)
            let good = try hex(text)
            for index in good.indices {
                var bad = good
                bad[index] ^= 1 << UInt8(index % 8)
                #expect(!key.accepts(bad, of: message, algorithm))
            }
            #expect(!key.accepts([], of: message, algorithm))
            #expect(!key.accepts(Array(good.dropLast()), of: message, algorithm))
            #expect(!key.accepts(good + [0], of: message, algorithm))
            #expect(!key.accepts([0] + good, of: message, algorithm))
        }
    }

    @Test func `threads verify at once with one key`() throws {
        let keys: [(any VerificationKey, [UInt8], SignatureAlgorithm)] = [
            (
                try onlyKey(SampleKeys.rsa), try hex(SampleKeys.rs256Signature),
                .rs256
            ),
            (
                try onlyKey(SampleKeys.p256),
                try hex(SampleKeys.es256Signature), .es256
            ),
            (
                try onlyKey(SampleKeys.ed25519),
                try hex(SampleKeys.ed25519Signature), .eddsa
            ),
        ]
        let message = bytes(SampleKeys.message)
        let wrong = bytes("another")
        let mistakes = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<50 {
                for (key, signature, algorithm) in keys {
                    if !key.accepts(signature, of: message, algorithm) { mistakes.add(1, ordering: .relaxed) }
                    if key.accepts(signature, of: wrong, algorithm) { mistakes.add(1, ordering: .relaxed) }
                }
            }
        }
        #expect(mistakes.load(ordering: .relaxed) == 0)
    }
}
