import COpenSSL
import Core

/// What OpenSSL answers about a certificate, as values.
extension X509Certificate {
    var subject: String { unsafe Self.text(X509_get_subject_name(pointer)) }

    var issuer: String { unsafe Self.text(X509_get_issuer_name(pointer)) }

    /// Nil also when it has control characters in it: no name that means anything has.
    var commonName: String? {
        guard let name = unsafe X509_get_subject_name(pointer) else { return nil }
        var last: Int32 = -1
        while true {
            let next = unsafe X509_NAME_get_index_by_NID(name, NID_commonName, last)
            guard next >= 0 else { break }
            last = next
        }
        guard last >= 0, let entry = unsafe X509_NAME_get_entry(name, last) else { return nil }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = unsafe ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(entry))
        guard count >= 0, let bytes = unsafe bytes else {
            ERR_clear_error()
            return nil
        }
        defer { unsafe CRYPTO_free(bytes, "", 0) }
        let text = unsafe UnsafeBufferPointer(start: bytes, count: Int(count))
        guard unsafe text.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return unsafe String(decoding: text, as: UTF8.self)
    }

    var serial: String {
        guard let number = unsafe ASN1_INTEGER_to_BN(X509_get0_serialNumber(pointer), nil) else { return "" }
        defer { unsafe BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: max(Int((unsafe BN_num_bits(number)) &+ 7) / 8, 1))
        // The array has as many bytes as the number; a zero has none and stays one zero byte.
        _ = unsafe BN_bn2binpad(number, &bytes, Int32(truncatingIfNeeded: bytes.count))
        return Hex.encode(bytes.span).uppercased()
    }

    var sha256: Digest256 {
        var digest = [UInt8](repeating: 0, count: 32)
        // SHA-256 writes 32 bytes.
        _ = unsafe X509_digest(pointer, EVP_sha256(), &digest, nil)
        return Digest256(bigEndian: digest)
    }

    var notBefore: WallTime { unsafe Self.time(X509_get0_notBefore(pointer)) ?? .distantFuture }

    var notAfter: WallTime { unsafe Self.time(X509_get0_notAfter(pointer)) ?? .distantPast }

    var keyKind: CertificateKeyKind {
        guard let key = unsafe X509_get0_pubkey(pointer) else { return .other }
        return unsafe CertificateKeyKind(key)
    }

    private static func time(_ time: UnsafePointer<ASN1_TIME>?) -> WallTime? {
        var seconds: Int64 = 0
        guard unsafe copenssl_seconds_since_1970(time, &seconds) != 0 else { return nil }
        return WallTime(seconds: seconds)
    }

    private static func text(_ name: OpaquePointer?) -> String {
        guard let target = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(target) }
        guard let name = unsafe name, unsafe copenssl_print_name(target, name) != 0 else { return "" }
        var bytes: UnsafePointer<UInt8>?
        let count = unsafe copenssl_memory_bytes(target, &bytes)
        // The bytes belong to `target`, which is freed after they have been copied.
        return unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: max(count, 0)), as: UTF8.self)
    }
}

extension Digest256 {
    /// From the 32 bytes of a digest.
    fileprivate init(bigEndian bytes: [UInt8]) {
        func word(_ start: Int) -> UInt64 { bytes[start..<start &+ 8].reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(word(0), word(8), word(16), word(24))
    }
}
