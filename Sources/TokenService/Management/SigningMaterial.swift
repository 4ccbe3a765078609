import Core
import Crypto
import Store

/// The material of signing keys as it is made and as it is shown.
package enum SigningMaterial {
    enum Shown {
        case secret(String)
        case pair(publicKey: String?, privateKey: String?)
    }

    /// RFC 7518 §3.2: an HS256 secret is as long as the hash at least.
    static let shortestSecret = 32

    /// A secret as AuthRocket spells it, `jsk_` and 32 random bytes in base64url: the whole text is the HMAC key, so that what
    /// is shown can be pasted into any library.
    package static func newSecret() -> [UInt8] {
        let random = SecureRandom.bytes(32)
        return Array(("jsk_" + Base64URL.encode(random.span)).utf8)
    }

    static func shown(_ key: StoredSigningKey) -> Shown {
        switch key.algorithm {
        case .hs256, .hs384, .hs512:
            let isText = key.material.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            return .secret(isText ? String(decoding: key.material, as: UTF8.self) : Base64URL.encode(key.material.span))
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512, .es256, .es384, .es512, .eddsa:
            return .pair(publicKey: nil, privateKey: nil)
        }
    }
}
