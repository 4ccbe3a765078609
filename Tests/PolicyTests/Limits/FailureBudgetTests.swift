import Core
import Testing

@testable import Policy

struct FailureBudgetTests {
    private func budget(failures: Int = 1, per: Nanoseconds = .seconds(10), burst: Int = 3) -> FailureBudget {
        FailureBudget(configuration(failures, per, burst), seed: sampleSeed)
    }

    private func configuration(_ failures: Int, _ per: Nanoseconds, _ burst: Int) -> FailureBudgetConfiguration {
        var configuration = FailureBudgetConfiguration()
        configuration.failures = failures
        configuration.per = per
        configuration.burst = burst
        return configuration
    }

    private let guesser = IPAddress(v4: 0x0A00_0001)

    @Test func `an address without failures is never held up`() {
        #expect(budget().retryAfter(guesser, now: instant(0)) == nil)
    }

    @Test func `an address is held up once its burst is used, and until a failure is forgiven`() {
        let budget = budget()
        for _ in 0..<3 {
            #expect(budget.retryAfter(guesser, now: instant(0)) == nil)
            budget.recordFailure(guesser, now: instant(0))
        }
        #expect(budget.retryAfter(guesser, now: instant(0)) == .seconds(10))
        #expect(budget.retryAfter(guesser, now: instant(.seconds(10) - 1)) == 1)
        #expect(budget.retryAfter(guesser, now: instant(.seconds(10))) == nil)
        #expect(budget.retryAfter(IPAddress(v4: 0x0A00_0002), now: instant(0)) == nil)
    }

    @Test func `failures beyond an empty budget do not lengthen the wait`() {
        let budget = budget()
        for _ in 0..<50 { budget.recordFailure(guesser, now: instant(0)) }
        #expect(budget.retryAfter(guesser, now: instant(0)) == .seconds(10))
    }

    @Test func `a failed credential that is repeated counts once, as long as it is among the last sixteen`() {
        let budget = budget(burst: 20)
        let one = budget.mark(of: "one".utf8.span)
        for _ in 0..<100 { budget.recordFailure(guesser, mark: one, now: instant(0)) }
        for other in 0..<15 { budget.recordFailure(guesser, mark: budget.mark(of: "\(other)".utf8.span), now: instant(0)) }
        budget.recordFailure(guesser, mark: one, now: instant(0))
        #expect(budget.retryAfter(guesser, now: instant(0)) == nil)
        // Another sixteen have it forgotten; four of them use the budget up.
        for other in 15..<19 { budget.recordFailure(guesser, mark: budget.mark(of: "\(other)".utf8.span), now: instant(0)) }
        #expect(budget.retryAfter(guesser, now: instant(0)) != nil)
    }

    @Test func `a client that goes round among seventeen is counted as one that guesses`() {
        let budget = budget(burst: 20)
        for _ in 0..<2 {
            for number in 0..<17 { budget.recordFailure(guesser, mark: budget.mark(of: "\(number)".utf8.span), now: instant(0)) }
        }
        #expect(budget.retryAfter(guesser, now: instant(0)) != nil)
    }

    @Test func `what was accepted stays so until another one takes its place`() {
        let budget = budget()
        #expect(!budget.hasAccepted(7) && !budget.hasAccepted(0))
        budget.accept(7)
        #expect(budget.hasAccepted(7) && !budget.hasAccepted(7 + 4096))
        let copy = self.budget()
        copy.copy(guesser, from: budget)
        #expect(copy.hasAccepted(7))
        budget.accept(7 + 4096)
        #expect(!budget.hasAccepted(7))
        budget.removeAll()
        #expect(!budget.hasAccepted(7 + 4096))
    }

    @Test func `IPv6 addresses of one network share a budget, neighbouring networks do not`() {
        let budget = budget(burst: 1)
        budget.recordFailure(IPAddress(high: 0x2001_0DB8_0000_0001, low: 7), now: instant(0))
        #expect(budget.retryAfter(IPAddress(high: 0x2001_0DB8_0000_0001, low: .max), now: instant(0)) != nil)
        #expect(budget.retryAfter(IPAddress(high: 0x2001_0DB8_0000_0002, low: 7), now: instant(0)) == nil)
    }

    @Test func `the budget can be off, and be switched on and off by a reload`() {
        let budget = FailureBudget(nil, seed: sampleSeed)
        for _ in 0..<10 { budget.recordFailure(guesser, now: instant(0)) }
        #expect(budget.retryAfter(guesser, now: instant(0)) == nil)
        budget.adopt(configuration(1, .seconds(10), 1))
        #expect(budget.retryAfter(guesser, now: instant(0)) == nil)
        budget.recordFailure(guesser, now: instant(0))
        #expect(budget.retryAfter(guesser, now: instant(0)) == .seconds(10))
        budget.adopt(nil)
        #expect(budget.retryAfter(guesser, now: instant(0)) == nil)
    }

    @Test func `a reload keeps what is known, under the new numbers`() {
        let budget = budget(per: .seconds(3600), burst: 1)
        budget.recordFailure(guesser, now: instant(0))
        budget.adopt(configuration(1, .seconds(1), 1))
        #expect(budget.retryAfter(guesser, now: instant(0)) == .seconds(1))
    }

    @Test func `numbers that make no bucket do not switch the budget off`() {
        let budget = budget(failures: 0)
        for _ in 0..<1_000 { budget.recordFailure(guesser, now: instant(0)) }
        #expect(budget.retryAfter(guesser, now: instant(0)) != nil)
    }

    @Test func `a flood of other addresses does not free an exhausted one nor hold up a new one`() {
        let budget = budget(per: .seconds(3600), burst: 3)
        for _ in 0..<3 { budget.recordFailure(guesser, now: instant(0)) }
        var generator = SeededGenerator(state: 1)
        var heldUp = 0
        for _ in 0..<150_000 {
            let address = IPAddress(high: generator.next() | 1 << 61, low: 0)
            if budget.retryAfter(address, now: instant(1)) != nil { heldUp += 1 }
            budget.recordFailure(address, now: instant(1))
        }
        #expect(heldUp == 0)
        #expect(budget.retryAfter(guesser, now: instant(2)) != nil)
    }
}
