import Core
import Testing

struct HTTPDateTests {
    private func written(_ time: WallTime) -> String {
        var text: [UInt8] = []
        text.append(httpDate: time)
        return String(decoding: text, as: UTF8.self)
    }

    private func read(_ text: String) -> WallTime? { HTTPDate.parse(text.utf8.span) }

    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600), ("Sat, 21 Nov 2026 05:21:14 GMT", 1_795_238_474),
        ] as [(String, Int64)])
    func `a date is read and written`(text: String, seconds: Int64) {
        #expect(read(text) == WallTime(seconds: seconds))
        #expect(written(WallTime(seconds: seconds)) == text)
        #expect(text.utf8.count == HTTPDate.byteCount)
    }

    @Test func `a fraction of a second is cut off`() {
        #expect(written(WallTime(nanoseconds: 999_999_999)) == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(written(WallTime(nanoseconds: -1)) == "Wed, 31 Dec 1969 23:59:59 GMT")
    }

    @Test(arguments: [
        "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:60 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 06 ovD 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun; 06 Nov 1994 08:49:37 GMT", "0", "-1",
    ])
    func `anything else is refused`(text: String) {
        #expect(read(text) == nil)
    }

    @Test func `every day of a year and a bit survives`() {
        for day in 0..<400 {
            let time = WallTime(seconds: 1_795_238_474 + Int64(day) * 86_400)
            #expect(read(written(time)) == time)
        }
    }
}
