/// A freshly made API key: `PREFIX_` and 22 base62 digits that spell 128 random bits exactly, most significant first,
/// with leading zeros. No checksum: every digit is secret.
///
/// The prefix tells people and secret scanners what the text is, and `bearer:PREFIX` sources find it by it.
package struct NewAPIKey: Sendable {
    /// Digits that 128 bits need: 62^21 < 2^128 < 62^22.
    package static let bodyLength = 22
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// The whole key. To be shown once, then kept as its digest only.
    package let text: [UInt8]

    /// A key of 16 bytes from a cryptographic source. Nil when the prefix is not valid.
    package init?(prefix: String, random: (UInt64, UInt64)) {
        guard Self.isValidPrefix(prefix) else { return nil }
        var rest = UInt128(random.0) << 64 | UInt128(random.1)
        var body = [UInt8](repeating: Self.digits[0], count: Self.bodyLength)
        for index in body.indices.reversed() {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 62)
            body[index] = Self.digits[Int(digit)]
            rest = quotient
        }
        text = Array(prefix.utf8) + body
    }

    /// One to sixteen letters and digits of ASCII, then an underscore.
    package static func isValidPrefix(_ prefix: String) -> Bool {
        let bytes = Array(prefix.utf8)
        guard (2...17).contains(bytes.count), bytes.last == UInt8(ascii: "_") else { return false }
        return bytes.dropLast().allSatisfy(digits.contains)
    }
}
