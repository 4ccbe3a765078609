import Core
import Testing

@testable import Policy

struct RateHeadersTests {
    private func style(
        _ families: Set<RateHeaderStyle.Family> = [.x], _ reset: RateHeaderStyle.Reset = .unix
    ) -> RateHeaderStyle {
        var style = RateHeaderStyle()
        style.families = families
        style.reset = reset
        return style
    }

    private func fields(_ status: RateStatus, _ style: RateHeaderStyle, wall: WallTime) -> [String: String] {
        var lines = HeaderLines()
        RateHeaders(style).append(status, now: ClockReading(instant: instant(0), wall: wall), to: &lines)
        var fields: [String: String] = [:]
        lines.forEach { name, value in
            let name = String(decoding: name.copied(), as: UTF8.self)
            #expect(fields[name] == nil)
            fields[name] = String(decoding: value.copied(), as: UTF8.self)
        }
        return fields
    }

    private func status(takes: Int, _ limits: Limit..., now: Instant = instant(0)) throws -> RateStatus {
        let table = BucketTable(bucketLimit: 100, seed: sampleSeed)
        let limits = try #require(LimitList(limits))
        for _ in 1..<takes { _ = table.take(limits, at: now) }
        return try #require(table.take(limits, at: now).status)
    }

    @Test func `a request that passed tells capacity, tokens left and when the bucket is full`() throws {
        let status = try status(takes: 3, limit(requests: 100, per: .seconds(60), burst: 20))
        let fields = fields(status, style(), wall: WallTime(seconds: 1_000))
        #expect(
            fields == [
                "X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "17", "X-RateLimit-Reset": "1002",
            ])
    }

    @Test func `a refused request tells when one token exists`() throws {
        let status = try status(takes: 21, limit(requests: 100, per: .seconds(60), burst: 20))
        #expect(
            fields(status, style(), wall: WallTime(seconds: 1_000)) == [
                "X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1001",
                "Retry-After": "1",
            ])
        #expect(fields(status, style([.x], .delta), wall: WallTime(seconds: 1_000))["X-RateLimit-Reset"] == "1")
        #expect(fields(status, style([]), wall: WallTime(seconds: 1_000)) == ["Retry-After": "1"])
    }

    @Test func `a window names one end in all its answers, and never more seconds than its length`() throws {
        let limits = try list(try window("fair", requests: 2, per: .seconds(60)))
        let table = BucketTable(bucketLimit: 100, seed: sampleSeed)
        // The clock is in the last tenth of a second when the window opens.
        for (passed, remaining, seconds) in [(Nanoseconds(0), "1", 60), (.seconds(30), "0", 30), (.seconds(59), "0", 1)] {
            let status = try #require(table.take(limits, at: instant(passed)).status)
            let wall = WallTime(nanoseconds: .seconds(1_000) + 900_000_000 + passed)
            let unix = fields(status, style([.x, .ietf]), wall: wall)
            #expect(unix["X-RateLimit-Limit"] == "2" && unix["X-RateLimit-Remaining"] == remaining)
            #expect(unix["X-RateLimit-Reset"] == "1061")
            #expect(unix["RateLimit-Policy"] == #""fair";q=2;w=60"#)
            #expect(unix["RateLimit"] == #""fair";r=\#(remaining);t=\#(seconds)"#)
            #expect(unix["Retry-After"] == (passed == .seconds(59) ? "\(seconds)" : nil))
            #expect(fields(status, style([.x], .delta), wall: wall)["X-RateLimit-Reset"] == "\(seconds)")
        }
    }

    @Test func `a window shorter than a second is told as one`() throws {
        let limits = try list(try window(requests: 1, per: .milliseconds(250)))
        let table = BucketTable(bucketLimit: 100, seed: sampleSeed)
        _ = table.take(limits, at: instant(0))
        let status = try #require(table.take(limits, at: instant(0)).status)
        let fields = fields(status, style([.x, .ietf]), wall: WallTime(nanoseconds: 999_000_000))
        #expect(fields["Retry-After"] == "1" && fields["X-RateLimit-Reset"] == "2")
        #expect(fields["RateLimit-Policy"] == #""standard";q=1;w=1"#)
    }

    @Test func `the draft's fields list every limit as quoted strings with parameters`() throws {
        let status = try status(
            takes: 2, limit("burst", requests: 100, per: .seconds(60), burst: 100),
            limit("say \"hi\" \\ é%", requests: 5, per: .seconds(1), burst: 1))
        let fields = fields(status, style([.ietf]), wall: WallTime(seconds: 1_000))
        #expect(
            fields["RateLimit-Policy"]
                == #""burst";q=100;w=60, "say \"hi\" \\ %C3%A9%25";q=1;w=1"#)
        #expect(fields["RateLimit"] == #""burst";r=99;t=1, "say \"hi\" \\ %C3%A9%25";r=0;t=1"#)
        #expect(fields["Retry-After"] == "1")
        #expect(fields["X-RateLimit-Limit"] == nil)
    }

    @Test func `the names of limits cannot begin a second line or leave their quotes`() throws {
        let status = try status(takes: 1, limit("a\r\nSet-Cookie: b\"c\u{0}", requests: 1, per: .seconds(1), burst: 1))
        let fields = fields(status, style([.ietf]), wall: WallTime(seconds: 0))
        #expect(fields["RateLimit"] == #""a%0D%0ASet-Cookie: b\"c%00";r=0;t=1"#)
    }

    @Test func `a request without limits gets no fields`() throws {
        let table = BucketTable(bucketLimit: 100, seed: sampleSeed)
        let status = try #require(table.take(try list(), at: instant(0)).status)
        #expect(fields(status, style([.x, .ietf]), wall: WallTime(seconds: 0)).isEmpty)
    }

    @Test(arguments: [
        (Nanoseconds(0), Int64(0), Int64(1), Int64(1)), (1, 0, 1, 1), (.seconds(1), 0, 1, 1),
        (.seconds(1) + 1, 0, 2, 2),
        (.seconds(1), 900_000_000, 1, 2), (100_000_000, 900_000_000, 1, 1), (100_000_001, 900_000_000, 1, 2),
        (.seconds(60), 1_500_000_000, 60, 62), (-5, 0, 1, 1), (.max, .max, 9_223_372_037, 9_223_372_037),
        (0, .min, 1, -9_223_372_036),
    ])
    func `waits in whole seconds`(wait: Nanoseconds, wall: Int64, seconds: Int64, reset: Int64) {
        #expect(RateHeaders.retryAfterSeconds(wait) == seconds)
        #expect(RateHeaders.resetSecond(wait, now: WallTime(nanoseconds: wall)) == reset)
    }

    @Test(arguments: 1...10)
    func `each field names the least that is enough, and all of one kind the same`(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<200 {
            let burst = Int.random(in: 1...5, using: &generator)
            let rule = try limit(
                requests: .random(in: 1...1000, using: &generator),
                per: .random(in: 1...Nanoseconds.seconds(100), using: &generator), burst: burst)
            let status = try status(takes: .random(in: 1...burst + 1, using: &generator), rule)
            let wall = WallTime(nanoseconds: .random(in: 0...Nanoseconds.seconds(2_000_000_000), using: &generator))
            let unix = fields(status, style([.x, .ietf]), wall: wall)
            let delta = fields(status, style([.x, .ietf], .delta), wall: wall)
            let reset = try #require(Int64(unix["X-RateLimit-Reset"] ?? ""))
            let seconds = try #require(Int64(delta["X-RateLimit-Reset"] ?? ""))
            #expect(seconds >= 1)
            #expect(.seconds(seconds) >= status.resetAfter && (seconds == 1 || .seconds(seconds - 1) < status.resetAfter))
            let end = wall.advanced(by: status.resetAfter)
            #expect(WallTime(seconds: reset) > wall && WallTime(seconds: reset) >= end)
            #expect(reset == wall.seconds + 1 || WallTime(seconds: reset - 1) < end)
            #expect(unix["RateLimit"] == "\"standard\";r=\(status.remaining);t=\(seconds)")
            #expect(unix["Retry-After"] == (status.isRefused ? "\(seconds)" : nil))
            #expect(unix["X-RateLimit-Remaining"] == "\(status.remaining)")
        }
    }

    @Test(arguments: [
        ("X-RateLimit-Limit", true), ("x-ratelimit-remaining-minute", true), ("X-Rate-Limit-Limit", true),
        ("RateLimit", true), ("ratelimit-policy", true), ("RateLimit-Reset", true), ("Rate-Limit-Reset", true),
        ("RateLimited", false), ("X-RateLimit-", false), ("X-Request-ID", false), ("R", false), ("Range", false),
        ("Retry-After", false), ("X-RateLimiter", false),
    ])
    func `rate fields of an upstream are told from others`(name: String, isRate: Bool) {
        #expect(RateHeaders.isRateField(name.utf8.span) == isRate)
    }
}
