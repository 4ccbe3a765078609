/// Dates and times of RFC 3339: `2027-01-01T00:00:00Z`, `2026-12-31T23:00:00.5-01:00`.
extension WallTime {
    /// Nil for anything but a full date, a full time and an offset in the grammar of RFC 3339 §5.6, for days the
    /// calendar does not have, and for leap seconds. Digits beyond nanoseconds are cut off. Moments before 1677 or
    /// after 2262 become the first or last one there is, so that `9999-12-31T23:59:59Z` does for "never".
    package init?(rfc3339 text: String) {
        self.init(rfc3339: text.utf8.span)
    }

    package init?(rfc3339 text: Span<UInt8>) {
        guard text.count >= 20, text[4] == 0x2D, text[7] == 0x2D, text[10] | 0x20 == 0x74, text[13] == 0x3A,
            text[16] == 0x3A, let year = text.number(in: 0..<4), let month = text.number(in: 5..<7),
            let day = text.number(in: 8..<10), let hour = text.number(in: 11..<13),
            let minute = text.number(in: 14..<16), let second = text.number(in: 17..<19)
        else { return nil }
        var civil = CivilTime()
        (civil.year, civil.month, civil.day) = (year, month, day)
        (civil.hour, civil.minute, civil.second) = (hour, minute, second)
        var index = 19
        if text[index] == 0x2E {
            index &+= 1
            let start = index
            var scale = 100_000_000
            while index < text.count, text[index].isDigit {
                civil.nanosecond &+= Int(text[index] &- 0x30) &* scale
                scale /= 10
                index &+= 1
            }
            guard index > start else { return nil }
        }
        guard let offset = text.offset(from: index), let local = civil.wallTime else { return nil }
        // A moment at the end of the range stands for all beyond it, whatever the offset.
        self = local == .distantFuture || local == .distantPast ? local : local.advanced(by: 0 &- offset)
    }
}

extension Span where Element == UInt8 {
    /// The offset from UTC that the bytes from `start` to the end spell: `Z`, `+01:00`, `-23:59`.
    fileprivate func offset(from start: Int) -> Nanoseconds? {
        guard start < count else { return nil }
        let sign = self[start]
        if sign | 0x20 == 0x7A { return start &+ 1 == count ? 0 : nil }
        guard sign == 0x2B || sign == 0x2D, count &- start == 6, self[start &+ 3] == 0x3A,
            let hours = number(in: start &+ 1..<start &+ 3), let minutes = number(in: start &+ 4..<start &+ 6),
            hours < 24, minutes < 60
        else { return nil }
        let offset = Nanoseconds.seconds(Int64((hours &* 60 &+ minutes) &* 60))
        return sign == 0x2D ? 0 &- offset : offset
    }
}

extension Array where Element == UInt8 {
    /// Appends a moment in UTC with milliseconds, rounded down: `2026-11-21T05:21:14.007Z`, 24 bytes.
    package mutating func append(rfc3339 time: WallTime) {
        let civil = CivilTime(time)
        append(civil.year, width: 4)
        append(0x2D)
        append(civil.month, width: 2)
        append(0x2D)
        append(civil.day, width: 2)
        append(0x54)
        append(timeOfDay: civil)
        append(0x2E)
        append(civil.nanosecond / 1_000_000, width: 3)
        append(0x5A)
    }

    /// Appends `05:21:14`.
    mutating func append(timeOfDay civil: CivilTime) {
        append(civil.hour, width: 2)
        append(0x3A)
        append(civil.minute, width: 2)
        append(0x3A)
        append(civil.second, width: 2)
    }
}
