/// Bytes read several at a time: the only place in this module that reads memory as another type. Every call checks its
/// bounds, bytes have no padding, and any bits are a value of these types.
extension Span where Element == UInt8 {
    /// The 64 bits of the eight bytes at `offset`, the first byte lowest.
    @inline(__always)
    func word(at offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The 32 bits of the four bytes at `offset`, the first byte lowest.
    @inline(__always)
    func halfWord(at offset: Int) -> UInt32 {
        UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// Equal, ASCII case ignored, to bytes that are in lower case already. Looks at eight bytes at a time.
    package func equalsIgnoringCase(lowercase other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        guard count >= 8 else { return equalsIgnoringCase(other) }
        var index = 0
        while index &+ 8 < count {
            if word(at: index).lowercasedASCII != other.word(at: index) { return false }
            index &+= 8
        }
        return word(at: count &- 8).lowercasedASCII == other.word(at: count &- 8)
    }

    /// The same field name as one that is folded already: in lower case, with "-" in place of "_" and ".".
    package func isSameName(folded other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        guard count >= 8 else {
            for index in indices where self[index].foldedInName != other[index] { return false }
            return true
        }
        var index = 0
        while index &+ 8 < count {
            if word(at: index).foldedInName != other.word(at: index) { return false }
            index &+= 8
        }
        return word(at: count &- 8).foldedInName == other.word(at: count &- 8)
    }

    /// Where, from `start` on, the first byte stands that is not printable ASCII, or is `"` or `\`; the end when there
    /// is none. Looks at eight bytes at a time.
    func endOfPlainText(from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let word = word(at: index)
            // In each byte of these, the top bit says: below 0x20, or the named byte, or one above. A borrow can spoil
            // bytes above a true hit only, and the first hit is what counts.
            let control = word &- 0x2020_2020_2020_2020
            let quotes = (word ^ 0x2222_2222_2222_2222) &- 0x0101_0101_0101_0101
            let backslashes = (word ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
            let deletes = (word ^ 0x7F7F_7F7F_7F7F_7F7F) &- 0x0101_0101_0101_0101
            let hits = (control | quotes | backslashes | deletes | word) & 0x8080_8080_8080_8080
            if hits != 0 { return index &+ hits.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < count, self[index].isPlainInJSON { index &+= 1 }
        return index
    }
}

extension UInt64 {
    /// Eight bytes with the upper-case letters of ASCII among them made lower case.
    @inline(__always)
    var lowercasedASCII: UInt64 {
        let low = self & 0x7F7F_7F7F_7F7F_7F7F
        // The top bit of each byte: at least "A", and above "Z"; no sum of two seven-bit numbers reaches the next byte.
        let fromA = low &+ 0x3F3F_3F3F_3F3F_3F3F
        let aboveZ = low &+ 0x2525_2525_2525_2525
        return self | (fromA & ~aboveZ & ~self & 0x8080_8080_8080_8080) >> 2
    }

    /// Eight bytes of a field name in lower case, with "-" in place of "_" and ".".
    @inline(__always)
    var foldedInName: UInt64 { lowercasedASCII.replacing(0x5F, by: 0x2D).replacing(0x2E, by: 0x2D) }

    /// Eight bytes, each that is `byte` replaced.
    @inline(__always)
    private func replacing(_ byte: UInt64, by replacement: UInt64) -> UInt64 {
        let difference = self ^ byte &* 0x0101_0101_0101_0101
        // The top bit of each byte without a difference; no sum of two seven-bit numbers reaches the next byte.
        let isByte = ~((difference & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7F7F_7F7F_7F7F_7F7F | difference)
        return self ^ (isByte & 0x8080_8080_8080_8080) >> 7 &* (byte ^ replacement)
    }
}

extension UInt8 {
    /// Lower case, and "-" for "_" and ".": what servers that follow CGI take for one name.
    package var foldedInName: UInt8 { self == 0x5F || self == 0x2E ? 0x2D : lowercasedASCII }

    /// Printable ASCII but `"` and `\`: stands for itself in a JSON string. DEL does too, but not in a terminal or a
    /// header, and counts as one that does not.
    var isPlainInJSON: Bool {
        self >= 0x20 && self < 0x7F && self != 0x22 && self != 0x5C
    }
}
