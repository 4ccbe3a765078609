import Core
import Testing

@testable import Policy

struct WindowRuleTests {
    private static func rule() throws -> WindowRule { try WindowRule(requests: 3, per: .seconds(60)) }

    @Test(arguments: [
        (0, Nanoseconds.seconds(1), LimitError.countOutOfBounds(0)), (-1, .seconds(1), .countOutOfBounds(-1)),
        (.max, .seconds(1), .countOutOfBounds(.max)), (1, 0, .noPeriod), (1, -1, .noPeriod),
        (1, BucketRule.spanLimit + 1, .windowTooLong), (1, .max, .windowTooLong),
    ])
    func `numbers that make no window are refused`(requests: Int, per: Nanoseconds, error: LimitError) {
        #expect(throws: error) { try WindowRule(requests: requests, per: per) }
    }

    @Test func `the first request opens a window, and its end stays`() throws {
        let rule = try Self.rule()
        var state = rule.current(nil, now: 7)
        #expect(state == BucketState(expiresAt: 7) && rule.remaining(state) == 3)
        for (now, used) in [(Int64(7), UInt32(1)), (9, 2), (.seconds(60), 3)] {
            state = rule.taking(rule.current(state, now: now), now: now)
            #expect(state == BucketState(expiresAt: .seconds(60) + 7, used: used))
        }
        #expect(rule.remaining(rule.current(state, now: .seconds(60) + 6)) == 0)
        #expect(rule.current(state, now: .seconds(60) + 7) == BucketState(expiresAt: .seconds(60) + 7))
    }

    @Test func `a window that was opened under a longer period keeps its count and is cut down`() throws {
        let stored = BucketState(expiresAt: .seconds(3600), used: 2)
        #expect(try Self.rule().current(stored, now: 0) == BucketState(expiresAt: .seconds(60), used: 2))
    }

    @Test func `readings of loops that differ by less than the slack see one window`() throws {
        let stored = BucketState(expiresAt: .seconds(60), used: 3)
        for late in [Int64(0), -1, -.milliseconds(100), -BucketRule.clockSlack] {
            #expect(try Self.rule().current(stored, now: late) == stored)
        }
        let far = -BucketRule.clockSlack - 1
        #expect(try Self.rule().current(stored, now: far) == BucketState(expiresAt: far + .seconds(60), used: 3))
    }

    @Test func `a limit that was lowered lets no more pass, and nothing counts below zero`() throws {
        let rule = try WindowRule(requests: 2, per: .seconds(60))
        let state = rule.current(BucketState(expiresAt: .seconds(60), used: .max), now: 0)
        #expect(rule.remaining(state) == 0)
    }

    @Test func `no instant overflows`() throws {
        let rule = try WindowRule(requests: 1, per: BucketRule.spanLimit)
        for reading in [Int64.min, -1, 0, 1, .max] {
            let now = BucketRule.clamped(instant(reading))
            let state = rule.taking(rule.current(nil, now: now), now: now)
            #expect(state.expiresAt == now + BucketRule.spanLimit)
            for other in [Int64.min, 0, .max] {
                let then = BucketRule.clamped(instant(other))
                let seen = rule.current(state, now: then)
                #expect((0...BucketRule.spanLimit + BucketRule.clockSlack).contains(seen.expiresAt - then))
            }
        }
    }
}
