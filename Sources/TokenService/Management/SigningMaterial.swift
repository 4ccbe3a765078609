import Core
import Crypto
import Store

/// The material of signing keys as it is made and as it is shown.
enum SigningMaterial {
    enum Shown {
        case secret(String)
        case pair(publicKey: String?, privateKey: String?)
    }

    /// RFC 7518 §3.2: an HS256 secret is as long as the hash at least.
    static let shortestSecret = 32
    /// Of a text that a caller brings, in bytes of UTF-8.
    static let longestSecret = 1024

    /// A secret as AuthRocket spells it, `jsk_` and random bytes in base64url: the whole text is the HMAC key, so that what is
    /// shown can be pasted into any library.
    static func newSecret(byteCount: Int = 32) -> [UInt8] { Array(("jsk_" + SecureRandom.base64URL(byteCount)).utf8) }

    /// Material of a new key; nil when this machine's randomness fails. An RSA key takes a while.
    static func make(for algorithm: SignatureAlgorithm) -> [UInt8]? {
        switch algorithm {
        case .hs256: newSecret()
        case .hs384: newSecret(byteCount: 48)
        case .hs512: newSecret(byteCount: 64)
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512, .es256, .es384, .es512, .eddsa:
            try? SigningKey.newMaterial(for: algorithm)
        }
    }

    static func shown(_ key: StoredSigningKey) -> Shown {
        switch key.algorithm {
        case .hs256, .hs384, .hs512:
            // The bytes of the text are the HMAC key: what is shown verifies.
            return .secret(String(validating: key.material, as: UTF8.self) ?? Base64URL.encode(key.material.span))
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512, .es256, .es384, .es512, .eddsa:
            guard case .rsa(let modulus, let exponent)? = try? SigningKey(key.algorithm, material: key.material).verificationMaterial
            else { return .pair(publicKey: nil, privateKey: nil) }
            return .pair(
                publicKey: PEMText.publicKey(modulus: modulus, exponent: exponent),
                privateKey: PEMText.encode(key.material, label: "PRIVATE KEY"))
        }
    }
}
