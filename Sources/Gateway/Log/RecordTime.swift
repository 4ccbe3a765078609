import Core

/// Times as log lines spell them: RFC 3339 with milliseconds, UTC.
enum RecordTime {
    static func append(_ time: WallTime, to out: inout [UInt8]) {
        let seconds = time.seconds
        let milliseconds = (time.nanoseconds &- seconds &* 1_000_000_000) / 1_000_000
        let days = seconds >= 0 ? seconds / 86_400 : (seconds &- 86_399) / 86_400
        let second = seconds &- days &* 86_400
        // Civil date from days since 1970 by eras of 400 years that begin in March.
        let shifted = days &+ 719_468
        let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
        let dayOfEra = shifted &- era &* 146_097
        let yearOfEra = (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let marchMonth = (5 &* dayOfYear &+ 2) / 153
        let day = dayOfYear &- (153 &* marchMonth &+ 2) / 5 &+ 1
        let month = marchMonth < 10 ? marchMonth &+ 3 : marchMonth &- 9
        let year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
        append(year, digits: 4, to: &out)
        out.append("-")
        append(month, digits: 2, to: &out)
        out.append("-")
        append(day, digits: 2, to: &out)
        out.append("T")
        append(second / 3600, digits: 2, to: &out)
        out.append(":")
        append(second / 60 % 60, digits: 2, to: &out)
        out.append(":")
        append(second % 60, digits: 2, to: &out)
        out.append(".")
        append(milliseconds, digits: 3, to: &out)
        out.append("Z")
    }

    private static func append(_ number: Int64, digits: Int, to out: inout [UInt8]) {
        var unit: Int64 = digits == 4 ? 1000 : digits == 3 ? 100 : 10
        while unit > 0 {
            out.append(0x30 &+ UInt8(truncatingIfNeeded: number / unit % 10))
            unit /= 10
        }
    }
}
