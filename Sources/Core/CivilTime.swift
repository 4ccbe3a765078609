/// A moment in the parts of the Gregorian calendar, in UTC.
struct CivilTime: Equatable {
    var year = 1970
    var month = 1
    var day = 1
    var hour = 0
    var minute = 0
    var second = 0
    /// 0…999,999,999.
    var nanosecond = 0

    private static let secondsPerDay: Int64 = 86_400
    /// From 1 March of the year 0 to 1 January 1970.
    private static let daysBefore1970 = 719_468
    private static let daysIn400Years = 146_097

    init() {}

    init(_ time: WallTime) {
        let seconds = time.seconds
        let secondOfDay = Int(seconds &- Self.days(in: seconds) &* Self.secondsPerDay)
        hour = secondOfDay / 3600
        minute = secondOfDay / 60 % 60
        second = secondOfDay % 60
        // `seconds` is rounded down and may lie below the smallest moment: the difference wraps back into range.
        nanosecond = Int(time.nanoseconds &- seconds &* 1_000_000_000)
        setDate(daysSince1970: Int(Self.days(in: seconds)))
    }

    /// The moment; nil when the parts are none of the calendar: 30 February, hour 24, a leap second.
    /// Moments that `WallTime` does not reach become its nearest one.
    var wallTime: WallTime? {
        guard 0...9999 ~= year, 1...12 ~= month, 1...Self.days(inMonth: month, of: year) ~= day, 0...23 ~= hour,
            0...59 ~= minute, 0...59 ~= second
        else { return nil }
        let secondOfDay = (hour &* 60 &+ minute) &* 60 &+ second
        let seconds = Int64(daysSince1970) &* Self.secondsPerDay &+ Int64(secondOfDay)
        let whole = WallTime(seconds: seconds)
        return whole == .distantPast ? whole : whole.advanced(by: Int64(nanosecond))
    }

    /// 0 for Sunday.
    var weekday: Int {
        // 1 January 1970 was a Thursday. The second term, a multiple of 7, keeps the sum from being negative.
        (daysSince1970 &+ 4 &+ 7 &* 1_000_000) % 7
    }

    private static func days(in seconds: Int64) -> Int64 {
        seconds >= 0 ? seconds / secondsPerDay : (seconds &- (secondsPerDay &- 1)) / secondsPerDay
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    // Years are counted from March below, so that the day a leap year adds is the last of its year. In such a year,
    // month m begins after (153 m + 2) / 5 days.

    private var daysSince1970: Int {
        let isBeforeMarch = month < 3
        // 400 years more, one whole cycle, keep January of the year 0 from being negative.
        let marchYear = year &+ 400 &- (isBeforeMarch ? 1 : 0)
        let marchMonth = isBeforeMarch ? month &+ 9 : month &- 3
        let leapDays = marchYear / 4 &- marchYear / 100 &+ marchYear / 400
        return marchYear &* 365 &+ leapDays &+ (153 &* marchMonth &+ 2) / 5 &+ day &- 1
            &- Self.daysIn400Years &- Self.daysBefore1970
    }

    private mutating func setDate(daysSince1970: Int) {
        // Whatever `WallTime` holds lies after the year 0.
        var rest = daysSince1970 &+ Self.daysBefore1970
        let cycles = rest / Self.daysIn400Years
        rest %= Self.daysIn400Years
        // The last century of a cycle and the last year of four are a day longer than the others.
        let centuries = min(rest / 36_524, 3)
        rest &-= centuries &* 36_524
        let fours = rest / 1461
        rest %= 1461
        let years = min(rest / 365, 3)
        rest &-= years &* 365
        let marchMonth = (5 &* rest &+ 2) / 153
        day = rest &- (153 &* marchMonth &+ 2) / 5 &+ 1
        month = marchMonth < 10 ? marchMonth &+ 3 : marchMonth &- 9
        year = cycles &* 400 &+ centuries &* 100 &+ fours &* 4 &+ years &+ (month < 3 ? 1 : 0)
    }
}
