import COpenSSL
import Core

/// An RSA private key that signs with RS256. Not changed after it was made, so threads may share it.
@safe final class RSASigningKey: @unchecked Sendable {
    private static let generatedBits = 2048
    /// Of keys that somebody brings. A larger one takes longer to sign with than others should wait.
    private static let givenBits = 2048...8192

    /// Big-endian, without leading zeros.
    let modulus: [UInt8]
    let exponent: [UInt8]
    private let key: PublicKey

    /// Reads a PKCS #8 PrivateKeyInfo in DER and nothing behind it.
    convenience init(pkcs8: [UInt8]) throws(KeyMaterialError) {
        guard pkcs8.count <= FixedBounds.pemBytes else { throw .malformed }
        ERR_clear_error()
        defer { ERR_clear_error() }
        // OpenSSL keeps nothing of the text.
        let pointer = unsafe pkcs8.withUnsafeBufferPointer { bytes in
            unsafe copenssl_read_pkcs8(bytes.baseAddress, bytes.count)
        }
        guard let pointer = unsafe pointer else { throw .malformed }
        try unsafe self.init(PublicKey(owning: pointer))
    }

    /// Reads a PKCS #8 PrivateKeyInfo in PEM form, and tries it: its halves belong together.
    convenience init(pem text: Span<UInt8>) throws(KeyMaterialError) {
        guard text.count <= FixedBounds.pemBytes, text.contains("-----BEGIN PRIVATE KEY-----"),
            text.count(of: "-----BEGIN ") == 1, let read = try? PrivateKey(pem: text, passphrase: nil)
        else { throw .malformed }
        try self.init(pkcs8: read.pkcs8())
        let verification = try RSAVerificationKey(modulus: modulus, exponent: exponent)
        guard Self.givenBits.contains(verification.bits) else { throw .outOfBounds(bits: verification.bits) }
        let message = exponent
        guard let signature = signature(of: message.span),
            verification.verifies(signature.span, of: message.span, using: .rs256)
        else { throw .malformed }
    }

    private init(_ key: PublicKey) throws(KeyMaterialError) {
        self.key = key
        guard case .rsa(let modulus, let exponent) = try key.material() else { throw .unsupported }
        let bits = unsafe Int(EVP_PKEY_get_bits(key.pointer))
        guard RSAVerificationKey.bitRange.contains(bits) else { throw .outOfBounds(bits: bits) }
        self.modulus = modulus
        self.exponent = exponent
    }

    /// A new key of 2048 bits with the exponent 65537.
    static func generate() throws(KeyMaterialError) -> RSASigningKey {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let pointer = unsafe copenssl_generate_rsa(generatedBits) else { throw .malformed }
        return try unsafe RSASigningKey(PublicKey(owning: pointer))
    }

    /// The private key as PKCS #8 in DER, not encrypted.
    func pkcs8() throws(KeyMaterialError) -> [UInt8] { try unsafe Self.pkcs8(key.pointer) }

    fileprivate static func pkcs8(_ key: OpaquePointer) throws(KeyMaterialError) -> [UInt8] {
        var count: Int = 0
        guard let bytes = unsafe copenssl_write_pkcs8(key, &count) else { throw .malformed }
        defer { unsafe copenssl_free_secret(bytes, count) }
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    func signature(of message: Span<UInt8>) -> [UInt8]? {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let context = unsafe EVP_MD_CTX_new() else { return nil }
        defer { unsafe EVP_MD_CTX_free(context) }
        var count = modulus.count
        var signature = [UInt8](repeating: 0, count: count)
        guard unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key.pointer) == 1 else { return nil }
        let answer = unsafe message.withUnsafeBufferPointer { message in
            unsafe EVP_DigestSign(context, &signature, &count, message.baseAddress, message.count)
        }
        return answer == 1 && count == signature.count ? signature : nil
    }
}

extension PrivateKey {
    /// PKCS #8 in DER, not encrypted.
    fileprivate func pkcs8() throws(KeyMaterialError) -> [UInt8] { try unsafe RSASigningKey.pkcs8(pointer) }
}

extension Span where Element == UInt8 {
    /// How often a text stands in it, without overlaps.
    fileprivate func count(of literal: StaticString) -> Int {
        let length = literal.utf8CodeUnitCount
        var found = 0
        var start = 0
        while start &+ length <= count {
            if extracting(start..<start &+ length).equals(literal) {
                found &+= 1
                start &+= length
            } else {
                start &+= 1
            }
        }
        return found
    }
}
