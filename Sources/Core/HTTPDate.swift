/// The IMF-fixdate of RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
package enum HTTPDate {
    /// The bytes of every such date.
    package static let byteCount = 29

    /// Nil for anything but an IMF-fixdate whose day exists and is that day of the week. The two obsolete forms are not
    /// read.
    package static func parse(_ text: Span<UInt8>) -> WallTime? {
        guard text.count == byteCount, text.extracting(3..<5).equals(", "), text[7] == 0x20, text[11] == 0x20,
            text[16] == 0x20, text[19] == 0x3A, text[22] == 0x3A, text.extracting(25..<29).equals(" GMT"),
            let day = text.number(in: 5..<7), let month = index(of: text.extracting(8..<11), in: months),
            let year = text.number(in: 12..<16), let hour = text.number(in: 17..<19),
            let minute = text.number(in: 20..<22), let second = text.number(in: 23..<25)
        else { return nil }
        var civil = CivilTime()
        (civil.year, civil.month, civil.day) = (year, month &+ 1, day)
        (civil.hour, civil.minute, civil.second) = (hour, minute, second)
        guard let time = civil.wallTime, index(of: text.extracting(0..<3), in: weekdays) == civil.weekday else {
            return nil
        }
        return time
    }

    fileprivate static let weekdays = Array("SunMonTueWedThuFriSat".utf8)
    fileprivate static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)

    /// Which of the three-letter names this is.
    private static func index(of name: Span<UInt8>, in names: [UInt8]) -> Int? {
        let names = names.span
        for index in 0..<names.count / 3 where names.extracting(index &* 3..<index &* 3 &+ 3).equals(name) {
            return index
        }
        return nil
    }
}

extension Array where Element == UInt8 {
    /// Appends a moment as an IMF-fixdate, fractions of a second cut off.
    package mutating func append(httpDate time: WallTime) {
        let civil = CivilTime(time)
        append(contentsOf: HTTPDate.weekdays.span.extracting(civil.weekday &* 3..<civil.weekday &* 3 &+ 3))
        append(", ")
        append(civil.day, width: 2)
        append(0x20)
        append(contentsOf: HTTPDate.months.span.extracting(civil.month &* 3 &- 3..<civil.month &* 3))
        append(0x20)
        append(civil.year, width: 4)
        append(0x20)
        append(timeOfDay: civil)
        append(" GMT")
    }
}
