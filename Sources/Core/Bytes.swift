/// What the gateway needs of raw bytes: ASCII comparison, searching, decimal digits.
extension Span where Element == UInt8 {
    /// Equal to an ASCII literal given in lower case, whatever the case of these bytes.
    ///
    /// Inlined, because with a literal at hand the compiler makes it a comparison of one to three words with constants.
    @inlinable
    @inline(__always)
    package func equalsIgnoringCase(_ lowercase: StaticString) -> Bool {
        guard count == lowercase.utf8CodeUnitCount else { return false }
        return lowercase.withUTF8Buffer { buffer in
            // SAFETY: a static string's bytes live as long as the program.
            let literal = unsafe Span(_unsafeElements: buffer)
            return hasSameWords(as: literal) { $0.lowercasedASCII == $1 }
        }
    }

    /// Equal to other bytes, ASCII case ignored on both sides.
    @inlinable
    package func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        count == other.count && hasSameWords(as: other) { $0.lowercasedASCII == $1.lowercasedASCII }
    }

    /// Equal byte for byte.
    @inlinable
    package func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        // Bytes without padding: every one is initialised, and any 64 bits are a word. SAFETY: both spans have `count`
        // bytes, and no word is read that does not end within them.
        let (words, otherWords) = unsafe (bytes, other.bytes)
        var index = 0
        while index &+ 16 <= count {
            let next = index &+ 8
            let first = unsafe words.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            let second = unsafe words.unsafeLoadUnaligned(fromUncheckedByteOffset: next, as: UInt64.self)
            let otherFirst = unsafe otherWords.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            let otherSecond = unsafe otherWords.unsafeLoadUnaligned(fromUncheckedByteOffset: next, as: UInt64.self)
            if (first ^ otherFirst) | (second ^ otherSecond) != 0 { return false }
            index &+= 16
        }
        if index &+ 8 <= count {
            let word = unsafe words.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            if unsafe word != otherWords.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self) { return false }
            index &+= 8
        }
        while index < count {
            if self[index] != other[index] { return false }
            index &+= 1
        }
        return true
    }

    /// Equal byte for byte to a literal.
    @inlinable
    @inline(__always)
    package func equals(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        return literal.withUTF8Buffer { buffer in
            // SAFETY: a static string's bytes live as long as the program.
            hasSameWords(as: unsafe Span(_unsafeElements: buffer)) { $0 == $1 }
        }
    }

    /// All bytes of two spans of one length are the same by `isSame`, which is given eight or four or one of each at a
    /// time, zeros above them. The last words overlap the ones before.
    @inlinable
    @inline(__always)
    func hasSameWords(as other: Span<UInt8>, _ isSame: (UInt64, UInt64) -> Bool) -> Bool {
        let length = other.count
        if length >= 8 {
            var index = 0
            while index &+ 8 < length {
                guard isSame(word(at: index), other.word(at: index)) else { return false }
                index &+= 8
            }
            return isSame(word(at: length &- 8), other.word(at: length &- 8))
        }
        if length >= 4 {
            return isSame(UInt64(halfWord(at: 0)), UInt64(other.halfWord(at: 0)))
                && isSame(UInt64(halfWord(at: length &- 4)), UInt64(other.halfWord(at: length &- 4)))
        }
        for index in 0..<length {
            guard isSame(UInt64(self[index]), UInt64(other[index])) else { return false }
        }
        return true
    }

    @inlinable
    package func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        var index = start
        while index < count {
            let marks = filledWord(at: index).equalling(byte)
            if marks != 0 {
                index &+= marks.trailingZeroBitCount &>> 3
                return index < count ? index : nil
            }
            index &+= 8
        }
        return nil
    }

    /// The bytes of a byte order mark at the beginning (RFC 8259 §8.1): 3 or 0.
    package var byteOrderMarkCount: Int {
        count >= 3 && self[0] == 0xEF && self[1] == 0xBB && self[2] == 0xBF ? 3 : 0
    }

    @inlinable
    package func hasPrefix(_ prefix: Span<UInt8>) -> Bool {
        count >= prefix.count && extracting(0..<prefix.count).equals(prefix)
    }

    /// The range left when spaces and tabs are taken from both ends of `range` (OWS, RFC 9110 §5.6.3).
    @inlinable
    package func trimmed(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, self[lower].isOptionalWhitespace { lower &+= 1 }
        while upper > lower, self[upper &- 1].isOptionalWhitespace { upper &-= 1 }
        return lower..<upper
    }

    /// The bytes as an array of their own.
    @inlinable
    package func copied() -> [UInt8] {
        var result: [UInt8] = []
        result.append(contentsOf: self)
        return result
    }
}

extension UInt8 {
    @inlinable package var lowercasedASCII: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
    @inlinable package var isOptionalWhitespace: Bool { self == 0x20 || self == 0x09 }
    @inlinable package var isDigit: Bool { self &- 0x30 < 10 }

    /// The value of a hexadecimal digit, nil for anything else.
    @inlinable package var hexDigit: UInt8? {
        if self &- 0x30 < 10 { return self &- 0x30 }
        let folded = self | 0x20
        return folded &- 0x61 < 6 ? folded &- 0x61 &+ 10 : nil
    }
}
