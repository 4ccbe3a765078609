import COpenSSL
import Core

/// An RSA public key for RS* and PS* (RFC 7518 §3.3, §3.5).
final class RSAVerificationKey: VerificationKey {
    /// Above, one verification costs a forger's token too much: with 16,384 bits 16 times as much as with 4,096.
    static let bitRange = 2048...8192
    /// Exponents are small in practice, and a large one only makes verification slow.
    static let exponentBits = 33

    let algorithms: [SignatureAlgorithm] = [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512]
    let bits: Int
    /// A signature has exactly as many bytes as the modulus (RFC 8017 §8.1.2, §8.2.2).
    private let signatureBytes: Int
    /// In the order of `algorithms`.
    private let pools: [VerificationContextPool]

    /// Big-endian numbers; leading zero bytes are allowed. The modulus has to be odd, the exponent odd and at least 3.
    init(modulus: [UInt8], exponent: [UInt8]) throws(KeyMaterialError) {
        let modulus = modulus.drop { $0 == 0 }
        let exponent = exponent.drop { $0 == 0 }
        bits = modulus.bitCount
        guard Self.bitRange.contains(bits) else { throw .outOfBounds(bits: bits) }
        guard exponent.bitCount >= 2, exponent.bitCount <= Self.exponentBits,
            let lastOfExponent = exponent.last, lastOfExponent & 1 == 1,
            let lastOfModulus = modulus.last, lastOfModulus & 1 == 1
        else { throw .malformed }
        signatureBytes = modulus.count
        let key = try Self.publicKey(modulus: Array(modulus), exponent: Array(exponent))
        pools = algorithms.map { VerificationContextPool(key, $0) }
    }

    private static func publicKey(modulus: [UInt8], exponent: [UInt8]) throws(KeyMaterialError) -> PublicKey {
        // BN_bin2bn copies; both numbers are freed after the key has been made of them.
        let n = unsafe BN_bin2bn(modulus, Int32(truncatingIfNeeded: modulus.count), nil)
        let e = unsafe BN_bin2bn(exponent, Int32(truncatingIfNeeded: exponent.count), nil)
        defer {
            unsafe BN_free(n)
            unsafe BN_free(e)
        }
        return try unsafe PublicKey(type: "RSA") { builder in
            unsafe copenssl_push_rsa(builder, n, e) == 1
        }
    }

    func verifies(_ signature: Span<UInt8>, of message: Span<UInt8>, using algorithm: SignatureAlgorithm) -> Bool {
        guard let index = algorithms.firstIndex(of: algorithm), signature.count == signatureBytes else { return false }
        let digest = SHA2.digest(message, algorithm.hash)
        return pools[index].verifies(signature, digest: digest.span.extracting(0..<algorithm.hash.byteCount))
    }
}

extension ArraySlice<UInt8> {
    /// Bits of the big-endian number these bytes are, the first of them not zero.
    fileprivate var bitCount: Int {
        guard let first else { return 0 }
        return count &* 8 &- first.leadingZeroBitCount
    }
}
