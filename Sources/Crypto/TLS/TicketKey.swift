import COpenSSL

/// One key of session tickets: a name of 16 bytes, 32 for AES-256-CBC, 32 for HMAC-SHA-256. Erased when nobody holds it.
@safe final class TicketKey: @unchecked Sendable {
    private static let nameBytes = 16
    private static let keyBytes = 32

    /// Owned; never changed until it is erased.
    private let bytes: UnsafeMutableRawBufferPointer

    init() {
        unsafe bytes = .allocate(byteCount: Self.nameBytes + 2 * Self.keyBytes, alignment: 16)
        unsafe bytes.copyBytes(from: SecureRandom.bytes(Self.nameBytes + 2 * Self.keyBytes))
    }

    deinit {
        unsafe OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        unsafe bytes.deallocate()
    }

    /// `name` has 16 bytes.
    func isNamed(_ name: UnsafePointer<UInt8>) -> Bool {
        unsafe CRYPTO_memcmp(start, name, Self.nameBytes) == 0
    }

    /// Puts the name and a fresh IV where OpenSSL wants them, 16 bytes each, and keys its contexts.
    func seal(
        name: UnsafeMutablePointer<UInt8>, iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer?,
        _ code: OpaquePointer?
    ) -> Bool {
        unsafe name.update(from: start, count: Self.nameBytes)
        guard unsafe RAND_bytes(iv, 16) == 1 else { return false }
        return unsafe copenssl_key_ticket(cipher, code, cipherKey, codeKey, iv, 1) != 0
    }

    func open(iv: UnsafePointer<UInt8>, _ cipher: OpaquePointer?, _ code: OpaquePointer?) -> Bool {
        unsafe copenssl_key_ticket(cipher, code, cipherKey, codeKey, iv, 0) != 0
    }

    /// The allocation is not empty, so there is a base address.
    private var start: UnsafePointer<UInt8> {
        unsafe UnsafePointer(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    private var cipherKey: UnsafePointer<UInt8> { unsafe start + Self.nameBytes }
    private var codeKey: UnsafePointer<UInt8> { unsafe cipherKey + Self.keyBytes }
}
