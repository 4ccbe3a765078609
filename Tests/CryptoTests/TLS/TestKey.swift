import COpenSSL

/// A key pair made for a test.
@safe final class TestKey: @unchecked Sendable {
    enum Kind { case rsa(bits: Int), ec(String), ed25519 }

    let pointer: OpaquePointer

    init(_ kind: Kind) {
        var name = "ED25519"
        switch kind {
        case .rsa: name = "RSA"
        case .ec: name = "EC"
        case .ed25519: break
        }
        let context = unsafe EVP_PKEY_CTX_new_from_name(nil, name, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        unsafe EVP_PKEY_keygen_init(context)
        switch kind {
        case .rsa(let bits): unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits))
        case .ec(let curve): unsafe EVP_PKEY_CTX_set_group_name(context, curve)
        case .ed25519: break
        }
        var key: OpaquePointer?
        unsafe EVP_PKEY_generate(context, &key)
        unsafe pointer = key!
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// PKCS #8, encrypted with AES-256 when there is a passphrase.
    func pem(passphrase: String? = nil) -> [UInt8] {
        unsafe memoryText { target in
            if let passphrase {
                let bytes = Array(passphrase.utf8)
                unsafe bytes.withUnsafeBufferPointer { bytes in
                    _ = unsafe bytes.withMemoryRebound(to: CChar.self) { bytes in
                        unsafe PEM_write_bio_PKCS8PrivateKey(
                            target, pointer, EVP_aes_256_cbc(), bytes.baseAddress, Int32(bytes.count), nil, nil)
                    }
                }
            } else {
                unsafe PEM_write_bio_PKCS8PrivateKey(target, pointer, nil, nil, 0, nil, nil)
            }
        }
    }

    /// The older forms: "RSA PRIVATE KEY", "EC PRIVATE KEY".
    func traditionalPEM() -> [UInt8] {
        unsafe memoryText { unsafe PEM_write_bio_PrivateKey_traditional($0, pointer, nil, nil, 0, nil, nil) }
    }

    static let rsa = TestKey(.rsa(bits: 2048))
    static let otherRSA = TestKey(.rsa(bits: 2048))
    static let ec = TestKey(.ec("P-256"))
    static let otherEC = TestKey(.ec("P-256"))
}

/// What is written into a buffer of OpenSSL's.
func memoryText(_ write: (OpaquePointer?) -> Void) -> [UInt8] {
    let target = unsafe BIO_new(BIO_s_mem())
    defer { unsafe BIO_free(target) }
    unsafe write(target)
    var bytes: UnsafePointer<UInt8>?
    let count = unsafe copenssl_memory_bytes(target, &bytes)
    return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
}
