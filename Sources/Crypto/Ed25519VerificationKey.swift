import COpenSSL
import Core

/// An Ed25519 public key (RFC 8037, RFC 8032 §5.1).
final class Ed25519VerificationKey: VerificationKey {
    static let keyBytes = 32
    static let signatureBytes = 64

    let algorithms: [SignatureAlgorithm] = [.eddsa]
    let bits = 256
    private let key: PublicKey

    init(_ x: [UInt8]) throws(KeyMaterialError) {
        guard x.count == Self.keyBytes else { throw .malformed }
        ERR_clear_error()
        guard let pointer = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, x, x.count) else {
            ERR_clear_error()
            throw .malformed
        }
        unsafe key = PublicKey(owning: pointer)
    }

    func verifies(_ signature: Span<UInt8>, of message: Span<UInt8>, using algorithm: SignatureAlgorithm) -> Bool {
        guard algorithm == .eddsa, signature.count == Self.signatureBytes else { return false }
        ERR_clear_error()
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key.pointer) == 1 else { return false }
        let answer = unsafe signature.withUnsafeBufferPointer { signature in
            // OpenSSL reads both buffers up to their counts and keeps neither.
            unsafe message.withUnsafeBufferPointer { message in
                unsafe EVP_DigestVerify(
                    context, signature.baseAddress, signature.count, message.baseAddress, message.count)
            }
        }
        if answer != 1 { ERR_clear_error() }
        return answer == 1
    }
}
