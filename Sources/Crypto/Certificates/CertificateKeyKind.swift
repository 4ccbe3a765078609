import COpenSSL

/// What kind of key a certificate is for.
package enum CertificateKeyKind: Hashable, Sendable {
    case rsa(bits: Int)
    /// RSA for PSS signatures only.
    case rsaPSS(bits: Int)
    case ecdsa(bits: Int)
    case ed25519
    case ed448
    case other

    /// Of a key that OpenSSL holds.
    init(_ key: OpaquePointer) {
        let bits = Int(unsafe EVP_PKEY_get_bits(key))
        switch unsafe EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA: self = .rsa(bits: bits)
        case EVP_PKEY_RSA_PSS: self = .rsaPSS(bits: bits)
        case EVP_PKEY_EC: self = unsafe Self.isOnNISTCurve(key) ? .ecdsa(bits: bits) : .other
        case EVP_PKEY_ED25519: self = .ed25519
        case EVP_PKEY_ED448: self = .ed448
        default: self = .other
        }
    }

    /// Other curves have as many bits, and no peer for them.
    private static func isOnNISTCurve(_ key: OpaquePointer) -> Bool {
        var name = [CChar](repeating: 0, count: 32)
        var count = 0
        guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, &count) == 1 else { return false }
        let text = name.prefix(count).map { UInt8(bitPattern: $0) }
        return ["prime256v1", "secp384r1", "secp521r1"].contains(String(decoding: text, as: UTF8.self))
    }
}

extension CertificateKeyKind: CustomStringConvertible {
    package var description: String {
        switch self {
        case .rsa(let bits): "RSA \(bits)"
        case .rsaPSS(let bits): "RSA-PSS \(bits)"
        case .ecdsa(let bits): "ECDSA P-\(bits)"
        case .ed25519: "Ed25519"
        case .ed448: "Ed448"
        case .other: "of another kind"
        }
    }
}
