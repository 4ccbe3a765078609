/// What the gateway needs of raw bytes: ASCII comparison, searching, decimal digits.
extension Span where Element == UInt8 {
    /// Equal to an ASCII literal given in lower case, whatever the case of these bytes.
    @inlinable
    package func equalsIgnoringCase(_ lowercase: StaticString) -> Bool {
        let length = lowercase.utf8CodeUnitCount
        guard count == length else { return false }
        return lowercase.withUTF8Buffer { literal in
            for index in 0..<length {
                let byte = self[index]
                let folded = byte &- 0x41 < 26 ? byte | 0x20 : byte
                if unsafe folded != literal[index] { return false }
            }
            return true
        }
    }

    /// Equal to other bytes, ASCII case ignored on both sides.
    @inlinable
    package func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index].lowercasedASCII != other[index].lowercasedASCII { return false }
        return true
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
    package func equals(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        return literal.withUTF8Buffer { bytes in
            for index in 0..<bytes.count {
                if unsafe self[index] != bytes[index] { return false }
            }
            return true
        }
    }

    @inlinable
    package func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        var index = start
        while index < count {
            if self[index] == byte { return index }
            index &+= 1
        }
        return nil
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
