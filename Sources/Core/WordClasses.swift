/// Classes of bytes, asked of the eight bytes of a word at once. In an answer the top bit of each byte that it is about is
/// set and every other bit is clear.
///
/// How a comparison works: with its top bit cleared, a byte plus `0x80 - n` reaches 0x80 where it is n or more, and no
/// such sum goes over into the byte above it. So each byte is judged by itself.
extension UInt64 {
    /// `byte` eight times.
    @inlinable @inline(__always)
    init(each byte: UInt8) { self = UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// The top bit of each byte whose lower seven bits are `byte` or more. The top bits of `self` are clear; the lower
    /// bits of the answer mean nothing.
    @inlinable @inline(__always)
    func reaching(_ byte: UInt8) -> UInt64 { self &+ UInt64(each: 0x80 &- byte) }

    @inlinable @inline(__always)
    static var topBits: UInt64 { UInt64(each: 0x80) }

    /// Bytes below 0x20 and DEL.
    @inlinable @inline(__always)
    package var controls: UInt64 {
        let ascii = self & ~Self.topBits
        return ~(ascii.reaching(0x20) & ~ascii.reaching(0x7F) | self) & Self.topBits
    }

    /// Bytes other than letters, digits, `-` and `.`: all that most names hold, of fields and of hosts.
    @inlinable @inline(__always)
    package var outsideNames: UInt64 {
        let ascii = self & ~Self.topBits
        let slashes = ~(ascii ^ UInt64(each: 0x2F)).reaching(1)
        return outsidePaths | slashes & Self.topBits
    }

    /// Bytes other than letters, digits, `-`, `.` and `/`: all that most paths hold.
    @inlinable @inline(__always)
    package var outsidePaths: UInt64 {
        let ascii = self & ~Self.topBits
        let folded = ascii | UInt64(each: 0x20)
        let letters = folded.reaching(0x61) & ~folded.reaching(0x7B)
        // `-`, `.`, `/` and the digits stand in one row.
        let digits = ascii.reaching(0x2D) & ~ascii.reaching(0x3A)
        return (~(letters | digits) | self) & Self.topBits
    }

    /// Bytes other than visible ASCII, and `#`.
    @inlinable @inline(__always)
    package var outsideTargets: UInt64 {
        let ascii = self & ~Self.topBits
        let members = ascii.reaching(0x21) & ~ascii.reaching(0x7F) & (ascii ^ UInt64(each: 0x23)).reaching(1)
        return (~members | self) & Self.topBits
    }

    /// Bytes equal to `byte`.
    @inlinable @inline(__always)
    package func equalling(_ byte: UInt8) -> UInt64 {
        let difference = self ^ UInt64(each: byte)
        return ~((difference & ~Self.topBits).reaching(1) | difference) & Self.topBits
    }

    /// The same bytes with A to Z turned to a to z.
    @inlinable @inline(__always)
    package var lowercasedASCII: UInt64 {
        let ascii = self & ~Self.topBits
        let capitals = ascii.reaching(0x41) & ~ascii.reaching(0x5B) & ~self & Self.topBits
        // 0x80 of a marked byte becomes the 0x20 between a capital and its small letter.
        return self | capitals &>> 2
    }

    /// The same bytes of a field name in lower case, "-" in place of every visible ASCII character other than letters and
    /// digits.
    @inline(__always)
    var foldedInName: UInt64 {
        let lower = lowercasedASCII
        let ascii = lower & ~Self.topBits
        let visible = ascii.reaching(0x21) & ~ascii.reaching(0x7F)
        let letters = ascii.reaching(0x61) & ~ascii.reaching(0x7B)
        let digits = ascii.reaching(0x30) & ~ascii.reaching(0x3A)
        // 0x80 of each such byte becomes 0xFF.
        let marks = (visible & ~letters & ~digits & ~lower & Self.topBits) &>> 7 &* 0xFF
        return lower & ~marks | UInt64(each: 0x2D) & marks
    }
}
