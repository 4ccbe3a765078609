import COpenSSL
import Core

extension PEM {
    /// All certificates of a text, in their order, at least one. What else is in it (keys, remarks) is passed over.
    static func certificates(_ text: Span<UInt8>, limit: Int) throws(PEMFault) -> [X509Certificate] {
        guard text.count <= FixedBounds.pemBytes else { throw .tooLong }
        guard text.contains("-----BEGIN ") else { throw .notPEM }
        return try unsafe text.withUnsafeBufferPointer { text throws(PEMFault) in
            // The source reads the buffer in place and is freed before the buffer goes; the count fits, see above.
            guard let source = unsafe BIO_new_mem_buf(text.baseAddress, Int32(truncatingIfNeeded: text.count)) else {
                throw .tooLong
            }
            defer { unsafe BIO_free(source) }
            var found: [X509Certificate] = []
            while true {
                var isEnd: Int32 = 0
                guard let certificate = unsafe copenssl_next_certificate(source, &isEnd) else {
                    guard isEnd != 0 else { throw .malformed(number: found.count &+ 1) }
                    break
                }
                unsafe found.append(X509Certificate(owning: certificate))
                guard found.count <= limit else { throw .tooMany(limit: limit) }
            }
            guard !found.isEmpty else { throw .noCertificate }
            return found
        }
    }
}
