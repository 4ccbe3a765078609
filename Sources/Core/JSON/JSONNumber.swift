/// A JSON number, kept as it was written so that nothing is lost.
package struct JSONNumber: Sendable {
    /// The exact source text, in the grammar of RFC 8259 §6.
    package let text: String

    /// Takes a text that already fits the grammar.
    init(validText text: String) {
        self.text = text
    }

    package init(_ integer: Int64) {
        text = String(integer)
    }

    /// The value as an integer when it is exactly one, however it is written ("1.0", "1e3", "10e-1"); nil when it has a
    /// fraction or does not fit 64 bits.
    package var integer: Int64? {
        let bytes = text.utf8.span
        let isNegative = bytes.count > 0 && bytes[0] == 0x2D
        // The digits read so far are significand × 10^zeros: zeros are held back, since they may end the number.
        var significand: UInt64 = 0
        var zeros = 0
        var fractionDigits = 0
        var isFraction = false
        var index = isNegative ? 1 : 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x2E {
                isFraction = true
            } else if byte == 0x30 {
                zeros &+= 1
                if isFraction { fractionDigits &+= 1 }
            } else if byte.isDigit {
                guard let scaled = significand.multiplied(byPowerOfTen: significand == 0 ? 0 : zeros &+ 1) else {
                    return nil
                }
                let (sum, overflow) = scaled.addingReportingOverflow(UInt64(byte &- 0x30))
                if overflow { return nil }
                significand = sum
                zeros = 0
                if isFraction { fractionDigits &+= 1 }
            } else {
                break
            }
            index &+= 1
        }
        if significand == 0 { return 0 }
        let power = Self.exponent(in: bytes, from: index) &+ zeros &- fractionDigits
        guard power >= 0, let magnitude = significand.multiplied(byPowerOfTen: power) else { return nil }
        if isNegative { return magnitude <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
        return Int64(exactly: magnitude)
    }

    /// The decimal digits of an integer, of any size where it is written as digits alone, else within 64 bits; nil for other numbers.
    /// Two spellings of one integer give one text.
    package var integerText: String? {
        let bytes = text.utf8.span
        let start = bytes.count > 0 && bytes[0] == 0x2D ? 1 : 0
        for index in start..<bytes.count where !bytes[index].isDigit { return integer.map { String($0) } }
        return bytes.count == 2 && start == 1 && bytes[1] == 0x30 ? "0" : text
    }

    /// The nearest double; infinite beyond its range.
    package var double: Double { Double(text) ?? .nan }

    /// The exponent part that begins at `start` ("e-3"), 0 when there is none. Stops growing far outside of what any
    /// 64-bit integer can have, and far inside of what a text's length could make up for.
    private static func exponent(in bytes: Span<UInt8>, from start: Int) -> Int {
        var index = start &+ 1
        guard index < bytes.count else { return 0 }
        let isNegative = bytes[index] == 0x2D
        if isNegative || bytes[index] == 0x2B { index &+= 1 }
        var result = 0
        while index < bytes.count {
            if result < 1 << 48 { result = result &* 10 &+ Int(bytes[index] &- 0x30) }
            index &+= 1
        }
        return isNegative ? 0 &- result : result
    }
}

extension UInt64 {
    /// Nil when the product does not fit.
    fileprivate func multiplied(byPowerOfTen power: Int) -> UInt64? {
        if power > 19 { return self == 0 ? 0 : nil }
        var result = self
        for _ in 0..<power {
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            result = product
        }
        return result
    }
}
