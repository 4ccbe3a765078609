private import Core
private import Crypto

/// The key that the secrets of a store are encrypted with, made of `store.encryption_key`.
package struct EncryptionKey: Sendable {
    /// What the operator's secret has at least: bytes of a text, or of what 64 hexadecimal digits stand for.
    package static let leastBytes = 32

    private let key: SealingKey

    /// Takes 32 bytes as 64 hexadecimal digits or as 43 characters of base64url, and any other secret as it is. Nil when
    /// that is shorter than 32 bytes.
    package init?(secret: [UInt8]) {
        var bytes = secret
        if secret.count == 64, let decoded = Hex.decode(secret.span) {
            bytes = decoded
        } else if secret.count == 43, let decoded = Base64URL.decode(secret.span) {
            bytes = decoded
        }
        guard bytes.count >= Self.leastBytes else { return nil }
        let derived = HKDF.sha256(
            secret: bytes, salt: [], context: Array("portcullis store".utf8), count: SealingKey.byteCount)
        guard let key = SealingKey(derived) else { return nil }
        self.key = key
    }

    /// - Parameter place: table and identity of the row. What is sealed for one row is not opened for another.
    func seal(_ bytes: [UInt8], for place: [String]) throws(StoreFault) -> [UInt8] {
        guard let sealed = key.seal(bytes, associated: Self.spelled(place)) else {
            throw .unavailable("a secret cannot be encrypted")
        }
        return sealed
    }

    /// Nil when it was sealed with another key or for another row, or was altered.
    func open(_ sealed: [UInt8], for place: [String]) -> [UInt8]? {
        key.open(sealed, associated: Self.spelled(place))
    }

    /// Each name ends in a zero that no name has, so that no two places are spelled alike.
    private static func spelled(_ place: [String]) -> [UInt8] {
        place.flatMap { $0.utf8.map { $0 == 0 ? 0xFF : $0 } + [0] }
    }
}
