import COpenSSL
import Core

/// An EVP_PKEY_CTX ready to verify signatures of one algorithm by one key. One thread at a time.
@safe final class VerificationContext: @unchecked Sendable {
    /// Owned; holds a reference to the key of its own.
    private let pointer: OpaquePointer

    /// Nil when OpenSSL has no such algorithm for the key.
    init?(_ key: PublicKey, _ algorithm: SignatureAlgorithm) {
        ERR_clear_error()
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil) else { return nil }
        unsafe pointer = context
        guard unsafe Self.configure(context, for: algorithm) else {
            ERR_clear_error()
            return nil
        }
    }

    deinit {
        unsafe EVP_PKEY_CTX_free(pointer)
    }

    private static func configure(_ context: OpaquePointer, for algorithm: SignatureAlgorithm) -> Bool {
        guard unsafe EVP_PKEY_verify_init(context) == 1 else { return false }
        let hash = unsafe EVP_get_digestbyname(algorithm.hash.name.cString)
        switch algorithm {
        case .rs256, .rs384, .rs512:
            return unsafe copenssl_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
                && EVP_PKEY_CTX_set_signature_md(context, hash) == 1
        case .ps256, .ps384, .ps512:
            // RFC 7518 §3.5: MGF1 with the same hash, salt as long as the hash.
            return unsafe copenssl_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_signature_md(context, hash) == 1
                && EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1
        case .es256, .es384, .es512:
            return unsafe EVP_PKEY_CTX_set_signature_md(context, hash) == 1
        case .hs256, .hs384, .hs512, .eddsa:
            return false
        }
    }

    /// True only for a good signature of this digest; ECDSA signatures in DER.
    func verifies(_ signature: Span<UInt8>, digest: Span<UInt8>) -> Bool {
        let answer = unsafe signature.withUnsafeBufferPointer { signature in
            // OpenSSL reads both buffers up to their counts and keeps neither.
            unsafe digest.withUnsafeBufferPointer { digest in
                unsafe EVP_PKEY_verify(
                    pointer, signature.baseAddress, signature.count, digest.baseAddress, digest.count)
            }
        }
        if answer != 1 { ERR_clear_error() }
        return answer == 1
    }
}
