import Core
import Foundation
import Testing

struct RFC3339Tests {
    private func written(_ time: WallTime) -> String {
        var text: [UInt8] = []
        text.append(rfc3339: time)
        return String(decoding: text, as: UTF8.self)
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2027-01-01T00:00:00Z", 1_798_761_600),
            ("1985-04-12T23:20:50.52Z", 482_196_050),
            ("1996-12-19T16:39:57-08:00", 851_042_397), ("1937-01-01T12:00:27.87+00:20", -1_041_337_173),
            ("2000-02-29T12:00:00Z", 951_825_600), ("2024-02-29T23:59:59+23:59", 1_709_164_859),
            ("1969-12-31T23:59:59Z", -1),
            ("2026-11-21t05:21:14z", 1_795_238_474), ("1970-01-01T00:00:00-00:00", 0),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] as [(String, Int64)])
    func `a date and time is this moment`(text: String, seconds: Int64) {
        #expect(WallTime(rfc3339: text)?.seconds == seconds)
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00.000000001Z", 1), ("1970-01-01T00:00:00.5Z", 500_000_000),
            ("1970-01-01T00:00:00.1234567899999Z", 123_456_789), ("1969-12-31T23:59:59.9Z", -100_000_000),
        ] as [(String, Int64)])
    func `a fraction counts to the nanosecond`(text: String, nanoseconds: Int64) {
        #expect(WallTime(rfc3339: text)?.nanoseconds == nanoseconds)
    }

    @Test(arguments: [
        "", "2027", "2027-01-01", "2027-01-01T00:00:00", "2027-01-01 00:00:00Z", "2027-01-01T00:00Z",
        "2027-1-01T00:00:00Z",
        "2027-00-01T00:00:00Z", "2027-13-01T00:00:00Z", "2027-01-00T00:00:00Z", "2027-01-32T00:00:00Z",
        "2027-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z", "2027-04-31T00:00:00Z", "2027-01-01T24:00:00Z", "2027-01-01T00:60:00Z",
        "2016-12-31T23:59:60Z",
        "2027-01-01T00:00:00.Z", "2027-01-01T00:00:00,5Z", "2027-01-01T00:00:00ZZ", "2027-01-01T00:00:00Z ",
        " 2027-01-01T00:00:00Z",
        "2027-01-01T00:00:00+1:00", "2027-01-01T00:00:00+0100", "2027-01-01T00:00:00+24:00",
        "2027-01-01T00:00:00+00:60",
        "2027-01-01T00:00:00+01:00Z", "2027-01-01T00:00:00.5", "+027-01-01T00:00:00Z", "2027-01-01T-1:00:00Z",
        "20270101T000000Z",
        "12027-01-01T00:00:00Z", "２027-01-01T00:00:00Z",
    ])
    func `anything else is refused`(text: String) {
        #expect(WallTime(rfc3339: text) == nil)
    }

    @Test func `moments out of reach become the last or first one`() {
        #expect(WallTime(rfc3339: "9999-12-31T23:59:59.9Z") == .distantFuture)
        #expect(WallTime(rfc3339: "9999-12-31T23:59:59+23:00") == .distantFuture)
        #expect(WallTime(rfc3339: "0000-01-01T00:00:00.5Z") == .distantPast)
    }

    @Test func `a moment is written in UTC with milliseconds`() {
        #expect(written(WallTime(nanoseconds: 0)) == "1970-01-01T00:00:00.000Z")
        #expect(written(WallTime(nanoseconds: -1)) == "1969-12-31T23:59:59.999Z")
        #expect(written(WallTime(nanoseconds: 1_795_238_474_007_999_999)) == "2026-11-21T05:21:14.007Z")
        #expect(written(.distantFuture) == "2262-04-11T23:47:16.854Z")
        #expect(written(.distantPast) == "1677-09-21T00:12:43.145Z")
    }

    @Test func `every day of six centuries agrees with Foundation's calendar`() throws {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        // Days apart from each other by a number that meets every day of the year.
        for day in stride(from: -106_000, through: 106_000, by: 29) {
            let time = WallTime(seconds: Int64(day) * 86_400 + 86_399)
            let parts = calendar.dateComponents(
                [.year, .month, .day], from: Date(timeIntervalSince1970: Double(time.seconds)))
            let (year, month, date) = try (#require(parts.year), #require(parts.month), #require(parts.day))
            let text = written(time)
            #expect(text.hasPrefix("\(year)-\(month < 10 ? "0" : "")\(month)-\(date < 10 ? "0" : "")\(date)T23:59:59."))
            #expect(WallTime(rfc3339: text) == time)
        }
    }
}
