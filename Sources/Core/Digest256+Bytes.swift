extension Digest256 {
    /// Bytes of a digest.
    package static var byteCount: Int { 32 }

    /// Nil unless there are exactly 32 bytes.
    package init?(bytes: Span<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        func word(_ start: Int) -> UInt64 {
            var word: UInt64 = 0
            for index in start..<start &+ 8 { word = word << 8 | UInt64(bytes[index]) }
            return word
        }
        self.init(word(0), word(8), word(16), word(24))
    }

    /// The 32 bytes, first word first, each word big-endian.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for word in [a, b, c, d] {
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
        }
        return bytes
    }
}
