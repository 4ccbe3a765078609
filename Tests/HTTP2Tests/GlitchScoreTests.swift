import Core
import Testing

@testable import HTTP2

@Suite struct GlitchScoreTests {
    private static func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    @Test func `three quarters warn, the whole ends`() {
        var score = GlitchScore(points: 100, leakPerSecond: 1)
        #expect(score.add(74, at: Self.at(0)) == .tolerable)
        #expect(score.add(1, at: Self.at(0)) == .excessive)
        #expect(score.add(24, at: Self.at(0)) == .excessive)
        #expect(score.add(1, at: Self.at(0)) == .unbearable)
        #expect(score.add(0, at: Self.at(0)) == .unbearable)
    }

    @Test func `points are forgiven as time passes, never below none`() {
        var score = GlitchScore(points: 100, leakPerSecond: 10)
        _ = score.add(50, at: Self.at(0))
        _ = score.add(0, at: Self.at(2))
        #expect(score.points == 30)
        _ = score.add(0, at: Self.at(100))
        #expect(score.points == 0)
        #expect(score.add(74, at: Self.at(100)) == .tolerable)
    }

    @Test func `short spans add up`() {
        var score = GlitchScore(points: 1000, leakPerSecond: 100)
        _ = score.add(500, at: Self.at(0))
        for step in 1...1000 { _ = score.add(0, at: Instant(nanoseconds: Int64(step) * 1_000_000)) }
        #expect(score.points == 400)
    }

    @Test func `a clock that goes back forgives nothing, and not twice`() {
        var score = GlitchScore(points: 100, leakPerSecond: 10)
        _ = score.add(50, at: Self.at(10))
        _ = score.add(0, at: Self.at(5))
        _ = score.add(0, at: Self.at(10))
        #expect(score.points == 50)
        _ = score.add(0, at: Self.at(11))
        #expect(score.points == 40)
    }

    @Test func `extremes do not overflow`() {
        for limit in [Int64.min, -1, 0, 1, .max] {
            var score = GlitchScore(points: limit, leakPerSecond: limit)
            for points in [Int64.min, 0, .max] {
                for now in [Int64.min, 0, .max] { _ = score.add(points, at: Instant(nanoseconds: now)) }
            }
            #expect(score.points >= 0)
        }
    }

    @Test func `every glitch has a price, and none ends a connection alone`() {
        for glitch in Glitch.allCases {
            #expect(glitch.points > 0 && glitch.points * 10 <= HTTP2Bounds().glitchPoints)
        }
    }
}
