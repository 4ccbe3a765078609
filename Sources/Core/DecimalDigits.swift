/// The decimal digits of a number, at the end of room for the most there can be.
@usableFromInline
struct DecimalDigits {
    private(set) var bytes = InlineArray<24, UInt8>(repeating: 0x30)
    /// Where in `bytes` the first digit stands.
    private(set) var start = 24

    @usableFromInline
    init(_ number: UInt64) {
        var rest = number
        repeat {
            let (quotient, group) = rest.quotientAndRemainder(dividingBy: 100_000_000)
            start &-= 8
            var digits = group.eightDigits
            for index in start..<start &+ 8 {
                bytes[index] = 0x30 &+ UInt8(truncatingIfNeeded: digits)
                digits &>>= 8
            }
            rest = quotient
        } while rest != 0
        while start < 23, bytes[start] == 0x30 { start &+= 1 }
    }
}

extension UInt64 {
    /// The eight decimal digits of a number below 10^8, one a byte, the first lowest, as values from 0 to 9.
    ///
    /// Halves become quarters and quarters digits, all in one word: multiplying by 10,486 / 2^20 divides what is below
    /// 10,000 by 100, and by 103 / 2^10 what is below 100 by 10, both rounded down.
    @inline(__always)
    var eightDigits: UInt64 {
        let fours = self / 10_000 | (self % 10_000) &<< 32
        let hundreds = (fours &* 10_486) &>> 20 & 0x0000_007F_0000_007F
        let twos = hundreds | (fours &- hundreds &* 100) &<< 16
        let tens = (twos &* 103) &>> 10 & 0x000F_000F_000F_000F
        return tens | (twos &- tens &* 10) &<< 8
    }
}
