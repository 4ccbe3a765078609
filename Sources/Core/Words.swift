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

extension UInt8 {
    /// Printable ASCII but `"` and `\`: stands for itself in a JSON string. DEL does too, but not in a terminal or a
    /// header, and counts as one that does not.
    var isPlainInJSON: Bool {
        self >= 0x20 && self < 0x7F && self != 0x22 && self != 0x5C
    }
}
