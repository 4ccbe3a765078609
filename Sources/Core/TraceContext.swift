/// A request's place in a distributed trace: the `traceparent` field of W3C Trace Context.
package struct TraceContext: Hashable, Sendable {
    /// The 128 bits of the trace, not all zero.
    package let traceHigh: UInt64
    package let traceLow: UInt64
    /// The span the field was written by, not zero.
    package let span: UInt64
    /// The flags this program knows: sampled and, from level 2, random trace identifier.
    package let flags: UInt8

    package static let sampledFlag: UInt8 = 0x01
    private static let knownFlags: UInt8 = 0x03
    /// `00-` 32 digits `-` 16 digits `-` 2 digits.
    private static let byteCount = 55

    /// Identifiers of zero, which are not allowed, become 1; unknown flags are cleared.
    package init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, flags: UInt8) {
        self.traceHigh = traceHigh
        self.traceLow = traceHigh == 0 ? max(traceLow, 1) : traceLow
        self.span = max(span, 1)
        self.flags = flags & Self.knownFlags
    }

    /// Reads a field value. Nil for upper-case digits, identifiers that are all zero, version `ff`, and for anything
    /// after the flags unless the version is higher than `00` and a dash separates it: then a new trace has to begin.
    package init?(traceparent text: Span<UInt8>) {
        guard text.count >= Self.byteCount, text[2] == 0x2D, text[35] == 0x2D, text[52] == 0x2D,
            let version = text.lowercaseWord(in: 0..<2), version != 0xFF,
            let high = text.lowercaseWord(in: 3..<19), let low = text.lowercaseWord(in: 19..<35), high | low != 0,
            let span = text.lowercaseWord(in: 36..<52), span != 0, let flags = text.lowercaseWord(in: 53..<55)
        else { return nil }
        guard text.count == Self.byteCount || version > 0 && text[Self.byteCount] == 0x2D else { return nil }
        self.init(traceHigh: high, traceLow: low, span: span, flags: UInt8(truncatingIfNeeded: flags))
    }

    /// The same trace with `span` as the parent of what follows.
    package func continued(by span: UInt64) -> TraceContext {
        TraceContext(traceHigh: traceHigh, traceLow: traceLow, span: span, flags: flags)
    }

    /// Appends the value of a `traceparent` field, version `00`, 55 bytes.
    package func append(to output: inout [UInt8]) {
        output.append("00-")
        output.append(hexadecimal: traceHigh)
        output.append(hexadecimal: traceLow)
        output.append(0x2D)
        output.append(hexadecimal: span)
        output.append(0x2D)
        output.append(hexadecimal: flags)
    }
}

extension Span where Element == UInt8 {
    /// At most 16 hexadecimal digits, all lower case.
    fileprivate func lowercaseWord(in range: Range<Int>) -> UInt64? {
        for index in range where self[index] &- 0x41 < 26 { return nil }
        return Hex.word(extracting(range))
    }
}
