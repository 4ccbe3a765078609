/// A duration as the configuration spells it: a whole number and a unit, `250ms`, `30s`, `10m`, `1h`, `7d`.
package enum DurationText {
    /// What a message tells an author who wrote something else.
    package static let syntax = "a whole number with the unit ms, s, m, h or d, as in \"30s\""

    /// Nil for other units, signs, fractions, white space or leading zeros, and for more than 292 years.
    package static func parse(_ text: String) -> Nanoseconds? {
        let bytes = text.utf8.span
        guard let (number, end) = bytes.leadingNumber(), let count = Int64(exactly: number),
            let unit = unit(bytes.extracting(end..<bytes.count))
        else { return nil }
        let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? nil : nanoseconds
    }

    private static func unit(_ name: Span<UInt8>) -> Nanoseconds? {
        if name.equals("ms") { return .milliseconds(1) }
        guard name.count == 1 else { return nil }
        switch name[0] {
        case 0x73: return .seconds(1)
        case 0x6D: return .seconds(60)
        case 0x68: return .seconds(3600)
        case 0x64: return .seconds(86_400)
        default: return nil
        }
    }
}
