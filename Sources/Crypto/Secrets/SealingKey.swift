import COpenSSL
import Core

/// A key that keeps texts secret and unaltered: AES-256 in Galois/Counter Mode (NIST SP 800-38D).
///
/// A sealed text is 12 bytes of random nonce, the encrypted text, and 16 bytes of tag. Nonces are drawn, so one key may seal
/// 2^32 texts before a doubled one is to be feared.
package struct SealingKey: Sendable {
    package static let byteCount = 32
    static let nonceBytes = 12
    static let tagBytes = 16
    /// What a sealed text is longer by.
    package static let overheadBytes = nonceBytes + tagBytes

    private let bytes: [UInt8]

    /// Nil unless there are 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Encrypts `text`. It can be opened only with the same `associated` bytes, which say where it belongs and are not
    /// kept. Nil only above 1 GiB, or when OpenSSL is out of memory.
    package func seal(_ text: [UInt8], associated: [UInt8]) -> [UInt8]? {
        seal(text, associated: associated, nonce: SecureRandom.bytes(Self.nonceBytes))
    }

    func seal(_ text: [UInt8], associated: [UInt8], nonce: [UInt8]) -> [UInt8]? {
        guard let cipher = Cipher(key: bytes, nonce: nonce, isSealing: true), cipher.authenticate(associated),
            let encrypted = cipher.update(text), cipher.finish(), let tag = cipher.tag()
        else { return nil }
        return nonce + encrypted + tag
    }

    /// The text of `sealed`; nil unless this key sealed exactly these bytes with the same `associated` bytes.
    package func open(_ sealed: [UInt8], associated: [UInt8]) -> [UInt8]? {
        guard sealed.count >= Self.overheadBytes else { return nil }
        let nonce = Array(sealed.prefix(Self.nonceBytes))
        let encrypted = Array(sealed[Self.nonceBytes..<(sealed.count &- Self.tagBytes)])
        guard let cipher = Cipher(key: bytes, nonce: nonce, isSealing: false), cipher.authenticate(associated),
            let text = cipher.update(encrypted), cipher.expect(tag: Array(sealed.suffix(Self.tagBytes))), cipher.finish()
        else { return nil }
        return text
    }
}

/// One encryption or decryption by OpenSSL. Counts are at most 2^30, so that they fit its ints.
@safe private final class Cipher {
    private static let byteLimit = 1 << 30
    /// Owned; freed, and its key schedule erased, with the object.
    private let context: OpaquePointer

    init?(key: [UInt8], nonce: [UInt8], isSealing: Bool) {
        ERR_clear_error()
        guard key.count == SealingKey.byteCount, nonce.count == SealingKey.nonceBytes,
            let context = unsafe EVP_CIPHER_CTX_new()
        else { return nil }
        unsafe self.context = context
        guard unsafe EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce, isSealing ? 1 : 0) == 1 else {
            return nil
        }
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(context)
        ERR_clear_error()
    }

    func authenticate(_ associated: [UInt8]) -> Bool {
        guard associated.count <= Self.byteLimit else { return false }
        var count: Int32 = 0
        return unsafe EVP_CipherUpdate(context, nil, &count, associated, Int32(truncatingIfNeeded: associated.count)) == 1
    }

    /// As many bytes as went in: the mode is a stream.
    func update(_ input: [UInt8]) -> [UInt8]? {
        guard !input.isEmpty else { return [] }
        guard input.count <= Self.byteLimit else { return nil }
        var output = [UInt8](repeating: 0, count: input.count)
        var count: Int32 = 0
        guard unsafe EVP_CipherUpdate(context, &output, &count, input, Int32(truncatingIfNeeded: input.count)) == 1,
            Int(count) == input.count
        else { return nil }
        return output
    }

    /// False when the tag that was expected is not that of what was decrypted.
    func finish() -> Bool {
        var rest = [UInt8](repeating: 0, count: 16)
        var count: Int32 = 0
        return unsafe EVP_CipherFinal_ex(context, &rest, &count) == 1
    }

    func tag() -> [UInt8]? {
        var tag = [UInt8](repeating: 0, count: SealingKey.tagBytes)
        let answer = unsafe EVP_CIPHER_CTX_ctrl(
            context, EVP_CTRL_AEAD_GET_TAG, Int32(truncatingIfNeeded: SealingKey.tagBytes), &tag)
        return answer == 1 ? tag : nil
    }

    func expect(tag: [UInt8]) -> Bool {
        var tag = tag
        let count = Int32(truncatingIfNeeded: tag.count)
        return unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, count, &tag) == 1
    }
}
