import Core

/// The two spellings of an ECDSA signature: r and s side by side in full length (RFC 7518 §3.4), and DER as OpenSSL
/// reads it.
enum ECDSASignature {
    /// Nil unless `raw` has exactly twice `coordinateBytes` (at most 66) and neither half is zero. That the halves are
    /// less than the curve's order is left to OpenSSL.
    static func der(fromRaw raw: Span<UInt8>, coordinateBytes: Int) -> [UInt8]? {
        guard raw.count == 2 &* coordinateBytes,
            let r = integerRange(raw, 0..<coordinateBytes),
            let s = integerRange(raw, coordinateBytes..<raw.count)
        else { return nil }
        let contentCount = integerCount(raw, r) &+ integerCount(raw, s)
        var der: [UInt8] = []
        der.reserveCapacity(contentCount &+ 3)
        der.append(0x30)
        // Two numbers of at most 69 bytes: the length has one byte, or two with a count of one before it.
        if contentCount >= 0x80 { der.append(0x81) }
        der.append(UInt8(truncatingIfNeeded: contentCount))
        append(raw, r, to: &der)
        append(raw, s, to: &der)
        return der
    }

    /// The part of `range` without leading zeros; nil when nothing is left.
    private static func integerRange(_ raw: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
        var start = range.lowerBound
        while start < range.upperBound, raw[start] == 0 { start &+= 1 }
        return start == range.upperBound ? nil : start..<range.upperBound
    }

    /// Tag, length and content; a zero goes before a first byte that would make the number negative.
    private static func integerCount(_ raw: Span<UInt8>, _ range: Range<Int>) -> Int {
        2 &+ range.count &+ (raw[range.lowerBound] >= 0x80 ? 1 : 0)
    }

    private static func append(_ raw: Span<UInt8>, _ range: Range<Int>, to der: inout [UInt8]) {
        der.append(0x02)
        der.append(UInt8(truncatingIfNeeded: integerCount(raw, range) &- 2))
        if raw[range.lowerBound] >= 0x80 { der.append(0) }
        der.append(contentsOf: raw.extracting(range))
    }
}
