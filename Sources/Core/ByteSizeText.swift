/// A number of bytes as the configuration spells it: a whole number and a unit, `512B`, `64KiB`, `10MiB`, `1GB`.
package enum ByteSizeText {
    /// What a message tells an author who wrote something else.
    package static let syntax = "a whole number with the unit B, KiB, MiB, GiB, KB, MB or GB, as in \"64KiB\""

    /// Nil for other units (they are told apart by case), signs, fractions, white space or leading zeros, and for 2^64
    /// bytes or more.
    package static func parse(_ text: String) -> UInt64? {
        let bytes = text.utf8.span
        guard let (number, end) = bytes.leadingNumber(), let unit = unit(bytes.extracting(end..<bytes.count)) else {
            return nil
        }
        let (size, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : size
    }

    private static func unit(_ name: Span<UInt8>) -> UInt64? {
        if name.equals("B") { return 1 }
        if name.equals("KiB") { return 1 << 10 }
        if name.equals("MiB") { return 1 << 20 }
        if name.equals("GiB") { return 1 << 30 }
        if name.equals("KB") { return 1000 }
        if name.equals("MB") { return 1_000_000 }
        if name.equals("GB") { return 1_000_000_000 }
        return nil
    }
}
