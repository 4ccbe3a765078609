/// The name of one request, the same in answers, logs and upstream requests: `rq_` and 22 base62 characters.
package struct RequestID: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    /// The bytes of every identifier the gateway makes.
    package static let byteCount = 25

    /// The longest identifier taken over from a client.
    private static let acceptableBytes = 128

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Appends the 25 bytes; different identifiers have different texts.
    package func append(to output: inout [UInt8]) {
        output.append("rq_")
        Self.append(high, to: &output)
        Self.append(low, to: &output)
    }

    /// True for what may be taken over as an identifier: 1 to 128 of letters, digits, `.`, `_`, `-`.
    package static func isAcceptable(_ bytes: Span<UInt8>) -> Bool {
        guard 1...acceptableBytes ~= bytes.count else { return false }
        for index in bytes.indices {
            let byte = bytes[index]
            guard (byte | 0x20) &- 0x61 < 26 || byte.isDigit || byte == 0x2E || byte == 0x5F || byte == 0x2D else {
                return false
            }
        }
        return true
    }

    /// Appends the first eleven base62 digits of the fraction `word` / 2^64, which costs multiplications where digits
    /// from the other end would cost divisions. 62^11 is more than 2^64, so two words never have all eleven in common.
    private static func append(_ word: UInt64, to output: inout [UInt8]) {
        var fraction = word
        var digits = InlineArray<11, UInt8>(repeating: 0)
        for index in 0..<11 {
            let product = fraction.multipliedFullWidth(by: 62)
            digits[index] = UInt8(truncatingIfNeeded: product.high).base62Digit
            fraction = product.low
        }
        output.append(contentsOf: digits.span)
    }
}

extension UInt8 {
    /// The digit of a value below 62: 0-9, A-Z, a-z. Sums instead of branches, which no processor could foresee.
    fileprivate var base62Digit: UInt8 {
        0x30 &+ self &+ (self > 9 ? 7 : 0) &+ (self > 35 ? 6 : 0)
    }
}
