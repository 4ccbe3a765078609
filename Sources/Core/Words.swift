/// Bytes read several at a time: the only place in this module that reads memory as another type. Every call checks its
/// bounds, bytes have no padding, and any bits are a value of these types.
extension Span where Element == UInt8 {
    /// The 64 bits of the eight bytes at `offset`, the first byte lowest.
    @inlinable @inline(__always)
    package func word(at offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The 32 bits of the four bytes at `offset`, the first byte lowest.
    @inlinable @inline(__always)
    package func halfWord(at offset: Int) -> UInt32 {
        UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// Equal, ASCII case ignored, to bytes that are in lower case already.
    package func equalsIgnoringCase(lowercase other: Span<UInt8>) -> Bool {
        count == other.count && hasSameWords(as: other) { $0.lowercasedASCII == $1 }
    }

    /// The same field name as one that is folded already by `foldedInName`.
    package func isSameName(folded other: Span<UInt8>) -> Bool {
        count == other.count && hasSameWords(as: other) { $0.foldedInName == $1 }
    }

    /// The eight bytes from `start` on, the first lowest, zeros in place of those beyond the end.
    @inlinable @inline(__always)
    package func filledWord(at start: Int) -> UInt64 {
        // As an unsigned number, what is below zero is beyond the end too: one comparison instead of the load's three.
        guard UInt(bitPattern: start) < UInt(bitPattern: Swift.max(0, count &- 7)) else { return lastWord(from: start) }
        return UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt64.self))
    }

    /// The bytes from `start` to the end, the first lowest; eight of them at most.
    @usableFromInline
    func lastWord(from start: Int) -> UInt64 {
        let rest = count &- start
        guard rest > 0 else { return 0 }
        guard rest < 8 else { return word(at: start) }
        // The bytes before `start` are shifted out.
        if count >= 8 { return word(at: count &- 8) &>> UInt64(truncatingIfNeeded: (8 &- rest) &* 8) }
        let behind = UInt64(truncatingIfNeeded: rest &* 8)
        if rest >= 4 { return UInt64(halfWord(at: start)) | UInt64(halfWord(at: count &- 4)) &<< (behind &- 32) }
        let middle = UInt64(self[start &+ rest / 2]) &<< UInt64(truncatingIfNeeded: rest / 2 &* 8)
        return UInt64(self[start]) | middle | UInt64(self[count &- 1]) &<< (behind &- 8)
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

// SAFETY: a static string's bytes live as long as the program, and each call checks its bounds, which costs nothing where
// the string and the offset are known when it is compiled.
extension StaticString {
    /// The 64 bits of the eight bytes at `offset`, the first byte lowest.
    @inlinable @inline(__always)
    func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset &+ 8 <= utf8CodeUnitCount)
        return UInt64(littleEndian: unsafe UnsafeRawPointer(utf8Start).loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The 32 bits of the four bytes at `offset`, the first byte lowest.
    @inlinable @inline(__always)
    func halfWord(at offset: Int) -> UInt32 {
        precondition(offset >= 0 && offset &+ 4 <= utf8CodeUnitCount)
        return UInt32(littleEndian: unsafe UnsafeRawPointer(utf8Start).loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    @inlinable @inline(__always)
    func byte(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < utf8CodeUnitCount)
        return unsafe utf8Start[offset]
    }
}

extension UInt8 {
    /// Lower case, and "-" for every visible ASCII character other than letters and digits. Servers that follow CGI
    /// (RFC 3875 §4.1.18) turn "-" into "_", and several of them every such character, so that the spellings are one name.
    package var foldedInName: UInt8 {
        (self | 0x20) &- 0x61 < 26 || isDigit || self < 0x21 || self >= 0x7F ? lowercasedASCII : 0x2D
    }

    /// Printable ASCII but `"` and `\`: stands for itself in a JSON string. DEL does too, but not in a terminal or a
    /// header, and counts as one that does not.
    var isPlainInJSON: Bool {
        self >= 0x20 && self < 0x7F && self != 0x22 && self != 0x5C
    }
}
