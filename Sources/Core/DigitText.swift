extension Span where Element == UInt8 {
    /// The value of a Content-Length field (RFC 9110 §8.6): digits only, at least one, below 2⁶⁴; nil for anything else.
    package var contentLength: UInt64? {
        guard !isEmpty else { return nil }
        var length: UInt64 = 0
        for index in indices {
            guard self[index].isDigit else { return nil }
            let (product, overflowed) = length.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(UInt64(self[index] &- 0x30))
            guard !overflowed, !carried else { return nil }
            length = sum
        }
        return length
    }

    /// The number that all bytes of `range` spell in decimal digits; nil when one is something else or the range is not
    /// within bounds. For at most 18 digits.
    func number(in range: Range<Int>) -> Int? {
        guard range.lowerBound >= 0, range.upperBound <= count, 1...18 ~= range.count else { return nil }
        var number = 0
        for index in range {
            guard self[index].isDigit else { return nil }
            number = number &* 10 &+ Int(self[index] &- 0x30)
        }
        return number
    }

    /// Splits `30s` into its number, written without leading zeros, and where its unit begins. Nil without a number, or
    /// when it does not fit.
    func leadingNumber() -> (number: UInt64, end: Int)? {
        var number: UInt64 = 0
        var index = 0
        while index < count, self[index].isDigit {
            let (product, overflowsProduct) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflowsSum) = product.addingReportingOverflow(UInt64(self[index] &- 0x30))
            if overflowsProduct || overflowsSum { return nil }
            number = sum
            index &+= 1
        }
        guard index == 1 || index > 1 && self[0] != 0x30 else { return nil }
        return (number, index)
    }
}

extension Array where Element == UInt8 {
    /// Appends the last `width` decimal digits of a number that is not negative, leading zeros included.
    mutating func append(_ number: Int, width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor &*= 10 }
        while divisor > 0 {
            append(0x30 &+ UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}
