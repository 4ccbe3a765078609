import Core

/// What a duration or a size with another unit probably means: the beginning of a message, empty where nothing is.
enum UnitGuess {
    static func duration(_ text: String) -> String {
        guard let (count, unit) = parts(text) else { return "" }
        let units: [(names: Set<String>, unit: String, factor: UInt64)] = [
            (["ms", "msec", "msecs", "millis", "millisecond", "milliseconds"], "ms", 1),
            (["", "s", "sec", "secs", "second", "seconds"], "s", 1), (["m", "min", "mins", "minute", "minutes"], "m", 1),
            (["h", "hr", "hrs", "hour", "hours"], "h", 1), (["d", "day", "days"], "d", 1), (["w", "week", "weeks"], "d", 7),
            (["mo", "month", "months"], "d", 30), (["y", "year", "years"], "d", 365),
        ]
        return phrase(count, unit, units)
    }

    static func size(_ text: String) -> String {
        guard let (count, unit) = parts(text) else { return "" }
        let units: [(names: Set<String>, unit: String, factor: UInt64)] = [
            (["", "b", "byte", "bytes"], "B", 1), (["k", "kb", "ki", "kib"], "KiB", 1), (["m", "mb", "mi", "mib"], "MiB", 1),
            (["g", "gb", "gi", "gib"], "GiB", 1),
        ]
        return phrase(count, unit, units)
    }

    private static func phrase(
        _ count: UInt64, _ unit: String, _ units: [(names: Set<String>, unit: String, factor: UInt64)]
    ) -> String {
        guard let known = units.first(where: { $0.names.contains(unit) }) else { return "" }
        let (value, isTooLarge) = count.multipliedReportingOverflow(by: known.factor)
        return isTooLarge ? "" : "did you mean \"\(value)\(known.unit)\"? "
    }

    /// A whole number and the unit behind it in small letters, spaces apart.
    private static func parts(_ text: String) -> (count: UInt64, unit: String)? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = UInt64(digits) else { return nil }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        return (count, String(unit).lowercasedASCII)
    }
}
