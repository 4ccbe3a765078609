import Core
import Testing

struct DurationTextTests {
    @Test(
        arguments: [
            ("0s", 0), ("1ms", 1_000_000), ("250ms", 250_000_000), ("30s", 30_000_000_000), ("10m", 600_000_000_000),
            ("1h", 3_600_000_000_000), ("7d", 604_800_000_000_000), ("9223372036s", 9_223_372_036_000_000_000),
            ("106751d", 9_223_286_400_000_000_000),
        ] as [(String, Int64)])
    func `a duration is this many nanoseconds`(text: String, nanoseconds: Int64) {
        #expect(DurationText.parse(text) == nanoseconds)
    }

    @Test(arguments: [
        "", "s", "30", "-1s", "+1s", " 1s", "1s ", "1 s", "1.5s", "1e3s", "01s", "00s", "1S", "1M", "1min", "1us",
        "1ns", "1w", "1mss", "1s1s",
        "9223372037s", "106752d", "18446744073709551615ms", "99999999999999999999s", "١s",
    ])
    func `anything else is refused`(text: String) {
        #expect(DurationText.parse(text) == nil)
    }
}
