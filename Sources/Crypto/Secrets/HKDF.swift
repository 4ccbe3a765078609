import Core

/// Keys made of a secret: HKDF with SHA-256 (RFC 5869).
package enum HKDF {
    /// As many bytes as the function can give.
    package static let byteLimit = 255 * 32

    /// `count` bytes that nobody can guess who does not know `secret`.
    /// - Parameters:
    ///   - context: what the key is for; other contexts give unrelated keys. The RFC calls it "info".
    ///   - count: clamped to `byteLimit`.
    package static func sha256(secret: [UInt8], salt: [UInt8], context: [UInt8], count: Int) -> [UInt8] {
        let extracted = SHA2.hmacSHA256(key: salt.span, secret.span).bytes
        var output: [UInt8] = []
        var block: [UInt8] = []
        var number: UInt8 = 1
        let wanted = min(max(count, 0), byteLimit)
        while output.count < wanted {
            let input = block + context + [number]
            block = SHA2.hmacSHA256(key: extracted.span, input.span).bytes
            output += block
            number &+= 1
        }
        return Array(output.prefix(wanted))
    }
}
