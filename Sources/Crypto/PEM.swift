import COpenSSL
import Core

/// Public keys in PEM (RFC 7468).
enum PEM {
    /// The material of the first public key or certificate. A certificate stands for its key only: it is pinned by
    /// being there, its dates and its issuer are not looked at. A text with a private key anywhere in it is
    /// `.unsupported`.
    static func keyMaterial(_ text: Span<UInt8>) throws(KeyMaterialError) -> KeyMaterial {
        guard text.count <= FixedBounds.pemBytes else { throw .malformed }
        if text.contains("PRIVATE KEY-----") { throw .unsupported }
        ERR_clear_error()
        defer { ERR_clear_error() }
        let isCertificate = text.contains("-----BEGIN CERTIFICATE-----")
        let pointer = unsafe text.withUnsafeBufferPointer { text in
            // The count fits, see above; OpenSSL keeps nothing of the text.
            let count = Int32(truncatingIfNeeded: text.count)
            return isCertificate
                ? unsafe copenssl_pem_certificate_key(text.baseAddress, count)
                : unsafe copenssl_pem_public_key(text.baseAddress, count)
        }
        guard let pointer = unsafe pointer else { throw .malformed }
        return try unsafe PublicKey(owning: pointer).material()
    }
}

extension PublicKey {
    /// The key taken apart, so that keys from every source pass the same checks.
    func material() throws(KeyMaterialError) -> KeyMaterial {
        switch unsafe EVP_PKEY_get_base_id(pointer) {
        case EVP_PKEY_RSA:
            return .rsa(modulus: try number(OSSL_PKEY_PARAM_RSA_N), exponent: try number(OSSL_PKEY_PARAM_RSA_E))
        case EVP_PKEY_EC:
            let curve = try curve()
            return .ec(
                curve: curve, x: try number(OSSL_PKEY_PARAM_EC_PUB_X, byteCount: curve.coordinateBytes),
                y: try number(OSSL_PKEY_PARAM_EC_PUB_Y, byteCount: curve.coordinateBytes))
        case EVP_PKEY_ED25519:
            var bytes = [UInt8](repeating: 0, count: Ed25519VerificationKey.keyBytes)
            var count = bytes.count
            guard unsafe EVP_PKEY_get_raw_public_key(pointer, &bytes, &count) == 1, count == bytes.count else {
                throw .malformed
            }
            return .ed25519(x: bytes)
        default:
            throw .unsupported
        }
    }

    private func curve() throws(KeyMaterialError) -> EllipticCurve {
        var name = [CChar](repeating: 0, count: 64)
        var count = 0
        guard unsafe EVP_PKEY_get_utf8_string_param(pointer, OSSL_PKEY_PARAM_GROUP_NAME, &name, name.count, &count) == 1
        else { throw .unsupported }
        let text = name.prefix(count).map { UInt8(bitPattern: $0) }
        for curve in [EllipticCurve.p256, .p384, .p521] where text.span.equals(curve.openSSLName) { return curve }
        throw .unsupported
    }

    /// A number among the key's parameters, big-endian, padded with leading zeros to `byteCount`.
    private func number(_ name: String, byteCount: Int = 0) throws(KeyMaterialError) -> [UInt8] {
        var number: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(pointer, name, &number) == 1, let number = unsafe number else {
            throw .malformed
        }
        defer { unsafe BN_free(number) }
        let length = max(Int((unsafe BN_num_bits(number)) &+ 7) / 8, byteCount)
        var bytes = [UInt8](repeating: 0, count: length)
        guard unsafe BN_bn2binpad(number, &bytes, Int32(truncatingIfNeeded: length)) >= 0 else { throw .malformed }
        return bytes
    }
}

extension Span where Element == UInt8 {
    func contains(_ literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        var start = 0
        while start &+ length <= count {
            if extracting(start..<start &+ length).equals(literal) { return true }
            start &+= 1
        }
        return false
    }
}
