import COpenSSL
import Core

/// An EVP_PKEY that holds a private key. Not changed after it was made, so threads may share it.
@safe final class PrivateKey: @unchecked Sendable {
    /// Owned; freed, and its secret erased, with the object.
    let pointer: OpaquePointer

    /// The first private key of a PEM text (PKCS #8, encrypted or not, or the older forms of RSA and EC keys).
    init(pem text: Span<UInt8>, passphrase: [UInt8]?) throws(TLSCertificateError) {
        guard text.count <= FixedBounds.pemBytes, text.contains("-----BEGIN ") else { throw .keyNotPEM }
        guard text.contains("PRIVATE KEY-----") else { throw .noPrivateKey }
        ERR_clear_error()
        defer { ERR_clear_error() }
        // OpenSSL keeps nothing of text and passphrase; both outlive the call.
        unsafe pointer = try text.withUnsafeBufferPointer { text throws(TLSCertificateError) in
            try unsafe Self.read(text, passphrase)
        }
    }

    private static func read(
        _ text: UnsafeBufferPointer<UInt8>, _ passphrase: [UInt8]?
    ) throws(TLSCertificateError) -> OpaquePointer {
        var request = unsafe copenssl_passphrase()
        let count = Int32(truncatingIfNeeded: text.count)
        let key: OpaquePointer?
        if let passphrase {
            unsafe key = passphrase.withUnsafeBufferPointer { bytes in
                // An empty passphrase is one all the same.
                unsafe withUnsafeBytes(of: UInt8(0)) { none in
                    unsafe request.bytes = bytes.baseAddress ?? none.bindMemory(to: UInt8.self).baseAddress
                    unsafe request.count = bytes.count
                    return unsafe copenssl_pem_private_key(text.baseAddress, count, &request)
                }
            }
        } else {
            unsafe key = copenssl_pem_private_key(text.baseAddress, count, &request)
        }
        if let key = unsafe key { return unsafe key }
        guard unsafe request.was_asked != 0 else { throw .malformedKey }
        throw passphrase == nil ? .passphraseMissing : .wrongPassphrase
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }
}
