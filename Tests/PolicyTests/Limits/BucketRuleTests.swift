import Core
import Testing

@testable import Policy

struct BucketRuleTests {
    @Test(arguments: [
        (1, Nanoseconds.seconds(1), 1, 1_000_000_000), (3, .seconds(1), 1, 333_333_334),
        (100, .seconds(60), 20, 600_000_000),
        (1_000_000_000, 1, 5, 1),
    ])
    func `the interval is rounded up`(requests: Int, per: Nanoseconds, burst: Int, interval: Nanoseconds) throws {
        let rule = try BucketRule(requests: requests, per: per, burst: burst)
        #expect(rule.interval == interval)
        #expect(rule.span == interval * Int64(burst))
    }

    @Test(arguments: [
        (0, Nanoseconds.seconds(1), 1, LimitError.countOutOfBounds(0)), (1, .seconds(1), 0, .countOutOfBounds(0)),
        (-1, .seconds(1), 1, .countOutOfBounds(-1)), (1, .seconds(1), .max, .countOutOfBounds(.max)),
        (1, 0, 1, .noPeriod),
        (1, .max, 1, .tooSlow), (1, .seconds(86_400 * 365), 31, .tooSlow), (1, .max, 1_000_000_000, .tooSlow),
    ])
    func `numbers that make no bucket are refused`(
        requests: Int, per: Nanoseconds, burst: Int, error: LimitError
    ) throws {
        #expect(throws: error) { try BucketRule(requests: requests, per: per, burst: burst) }
    }

    @Test func `no instant and no state overflows`() throws {
        let rule = try BucketRule(requests: 1, per: BucketRule.spanLimit, burst: 1)
        for now in [Int64.min, -1, 0, 1, .max] {
            let now = BucketRule.clamped(instant(now))
            for other in [Int64.min, 0, .max] {
                let fullAt = BucketRule.clamped(instant(other)) + rule.span
                let debt = rule.debt(fullAt: fullAt, now: now)
                #expect((0...rule.span + BucketRule.clockSlack).contains(debt))
                #expect((0...1).contains(rule.tokens(debt: debt)))
                #expect(rule.wait(debt: debt) <= rule.interval + BucketRule.clockSlack)
            }
        }
    }

    @Test func `tokens, admission and wait agree`() throws {
        let rule = try BucketRule(requests: 7, per: .seconds(1), burst: 3)
        for debt in stride(from: 0, through: rule.span + rule.interval, by: 1_234_567) {
            #expect(rule.admits(debt: debt) == (rule.tokens(debt: debt) >= 1))
            #expect(rule.admits(debt: debt) == (rule.wait(debt: debt) == 0))
            let later = debt - rule.wait(debt: debt)
            #expect(rule.admits(debt: later))
        }
    }
}
