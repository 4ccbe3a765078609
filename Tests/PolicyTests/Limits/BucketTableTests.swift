import Core
import Dispatch
import Synchronization
import Testing

@testable import Policy

struct BucketTableTests {
    private let table = BucketTable(bucketLimit: 10_000, seed: sampleSeed)

    @Test func `a full bucket passes its burst and refuses the next`() throws {
        let limits = try list(try limit(requests: 100, per: .seconds(60), burst: 20))
        for taken in 1...20 {
            let status = try #require(table.take(limits, at: instant(5)).status)
            #expect(!status.isRefused)
            #expect(status.remaining == 20 - taken)
            #expect(status.resetAfter == 600_000_000 * Int64(taken))
            #expect(status.retryAfter == 0)
        }
        let refused = table.take(limits, at: instant(5))
        #expect(refused.isRefused)
        #expect(refused.status?.remaining == 0)
        #expect(refused.status?.retryAfter == 600_000_000)
        #expect(refused.status?.resetAfter == 600_000_000)
    }

    @Test func `a refused request passes exactly when it was told to come again`() throws {
        let limits = try list(try limit(requests: 3, per: .seconds(1), burst: 2))
        var now = Int64(1_000)
        for _ in 0..<50 {
            while table.take(limits, at: instant(now)).isTaken {}
            let wait = try #require(table.take(limits, at: instant(now)).status?.retryAfter)
            #expect(table.take(limits, at: instant(now + wait - 1)).isRefused)
            #expect(table.take(limits, at: instant(now + wait)).isTaken)
            now += wait
        }
    }

    @Test func `principals and limits have buckets of their own`() throws {
        let one = try list(try limit("one", requests: 1, per: .seconds(1), burst: 1))
        let two = try list(try limit("two", requests: 1, per: .seconds(1), burst: 1))
        #expect(table.take(one, for: "a", at: instant(0)).isTaken)
        #expect(table.take(one, for: "b", at: instant(0)).isTaken)
        #expect(table.take(two, for: "a", at: instant(0)).isTaken)
        #expect(table.take(one, for: "a", at: instant(0)).isRefused)
    }

    @Test func `nothing is taken when one of several refuses`() throws {
        let wide = try limit("wide", requests: 1, per: .seconds(1), burst: 10)
        let narrow = try limit("narrow", requests: 1, per: .seconds(60), burst: 2)
        let both = try list(wide, narrow)
        #expect(table.take(both, at: instant(0)).isTaken)
        #expect(table.take(both, at: instant(0)).isTaken)
        for _ in 0..<20 {
            let refused = table.take(both, at: instant(0))
            let status = try #require(refused.status)
            #expect(refused.isRefused)
            #expect(status.limit === narrow)
            #expect(status.retryAfter == .seconds(60))
            #expect(status[0].remaining == 8)
            #expect(!status[0].isRefused)
            #expect(status[1].isRefused)
        }
        #expect(table.take(try list(wide), at: instant(0)).status?.remaining == 7)
    }

    @Test func `the tightest limit is the one with the fewest tokens, on refusal the one with the longest wait`() throws
    {
        let minute = try limit("minute", requests: 60, per: .seconds(60), burst: 3)
        let day = try limit("day", requests: 100, per: .seconds(86_400), burst: 3)
        let hour = try limit("hour", requests: 100, per: .seconds(3600), burst: 5)
        let limits = try list(hour, minute, day)
        for _ in 0..<3 {
            #expect(table.take(limits, at: instant(0)).status?.limit === day)
        }
        #expect(table.take(limits, at: instant(0)).status?.limit === day)
        #expect(table.take(limits, at: instant(0)).status?.retryAfter == .seconds(864))
    }

    @Test func `up to eight limits are taken together, a ninth is refused when the list is made`() throws {
        var limits: [Limit] = []
        for index in 0..<8 {
            limits.append(try limit("limit \(index)", requests: 1, per: .seconds(1), burst: index + 1))
        }
        let eight = try #require(LimitList(limits))
        #expect(table.take(eight, at: instant(0)).isTaken)
        #expect(table.take(eight, at: instant(0)).isRefused)
        #expect(table.bucketCount == 8)
        #expect(LimitList(limits + [try limit("one more", requests: 1, per: .seconds(1), burst: 1)]) == nil)
        #expect(LimitList(limits + limits)?.count == 8)
    }

    @Test func `looking takes nothing and makes no bucket`() throws {
        let limits = try list(try limit(requests: 1, per: .seconds(1), burst: 1))
        let keys = table.keys(limits, "somebody")
        for _ in 0..<5 { #expect(table.inspect(limits, keys: keys, now: instant(0)).isTaken) }
        #expect(table.bucketCount == 0)
        #expect(table.take(limits, at: instant(0)).isTaken)
        #expect(table.inspect(limits, keys: keys, now: instant(0)).isRefused)
    }

    @Test func `a request without limits passes`() throws {
        #expect(table.take(try list(), at: instant(0)).isTaken)
    }

    @Test func `a limit that became faster keeps its state and lets nobody wait longer than an empty bucket`() throws {
        let slow = try list(try limit("gold", requests: 1, per: .seconds(3600), burst: 5))
        let fast = try list(try limit("gold", requests: 1, per: .seconds(1), burst: 5))
        while table.take(slow, at: instant(0)).isTaken {}
        let refused = table.take(fast, at: instant(0))
        #expect(refused.isRefused)
        #expect(refused.status?.retryAfter == .seconds(1))
        #expect(table.take(fast, at: instant(.seconds(1) - 1)).isRefused)
        #expect(table.take(fast, at: instant(.seconds(1))).isTaken)
    }

    @Test func `a limit that became slower keeps what was taken`() throws {
        let fast = try list(try limit("gold", requests: 1, per: .seconds(1), burst: 5))
        let slow = try list(try limit("gold", requests: 1, per: .seconds(3600), burst: 5))
        for _ in 0..<3 { #expect(table.take(fast, at: instant(0)).isTaken) }
        #expect(table.take(slow, at: instant(0)).status?.remaining == 3)
    }

    @Test func `a clock set far back makes nobody wait longer than an empty bucket`() throws {
        let limits = try list(try limit(requests: 1, per: .seconds(1), burst: 3))
        while table.take(limits, at: instant(.seconds(10_000))).isTaken {}
        #expect(table.take(limits, at: instant(.seconds(5))).isRefused)
        #expect(table.take(limits, at: instant(.seconds(6))).isTaken)
        #expect(table.take(limits, at: instant(.seconds(6))).isRefused)
    }

    @Test(arguments: 1...20)
    func `never more than burst plus rate times time passes in any stretch of any schedule`(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let limit = try limit(
            requests: .random(in: 1...50, using: &generator), per: .random(in: 1_000...2_000_000, using: &generator),
            burst: .random(in: 1...30, using: &generator))
        let (limits, rule) = (try list(limit), try limit.bucket)
        var now = Int64.random(in: -1_000_000...1_000_000, using: &generator)
        var passed: [Int64] = []
        for _ in 0..<1500 {
            switch Int.random(in: 0..<20, using: &generator) {
            case 0: now += .random(in: 0...rule.span * 3, using: &generator)
            case 1: now += .random(in: 0...rule.interval * 2, using: &generator)
            case 2, 3: now += .random(in: 0...rule.interval / 3, using: &generator)
            default: break
            }
            // A loop's reading may be older than another's, by less than the slack.
            let reading = now - (Bool.random(using: &generator) ? 0 : .random(in: 0...1_000_000, using: &generator))
            if table.take(limits, at: instant(reading)).isTaken { passed.append(reading) }
        }
        #expect(!passed.isEmpty)
        // Sorted by reading, every stretch begins and ends at a pass.
        passed.sort()
        var isExceeded = false
        for first in passed.indices {
            for last in first..<passed.endIndex {
                let count = Int64(last - first + 1)
                let time = passed[last] - passed[first]
                // count <= burst + requests * time / per, without division
                let allowance = Int64(rule.burst) * rule.per + Int64(rule.requests) * time
                if count * rule.per > allowance { isExceeded = true }
            }
        }
        #expect(!isExceeded)
    }

    @Test(arguments: 1...10)
    func `what is told comes true: remaining tokens can be taken, and the reset fills the bucket`(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let limit = try limit(
            requests: .random(in: 1...9, using: &generator), per: .random(in: 1...1_000_000, using: &generator),
            burst: .random(in: 1...9, using: &generator))
        let (limits, rule) = (try list(limit), try limit.bucket)
        var now: Int64 = 0
        for _ in 0..<300 {
            now += .random(in: 0...rule.interval * 3, using: &generator)
            let status = try #require(table.take(limits, at: instant(now)).status)
            #expect((0..<rule.burst).contains(status.remaining))
            #expect(status.resetAfter > 0)
            if !status.isRefused {
                for left in (0..<status.remaining).reversed() {
                    #expect(table.take(limits, at: instant(now)).status?.remaining == left)
                }
                let refused = table.take(limits, at: instant(now))
                #expect(refused.isRefused)
                now += rule.span
                #expect(table.take(limits, at: instant(now)).status?.remaining == rule.burst - 1)
            }
        }
    }

    @Test func `exactly the burst passes when threads take at once`() throws {
        let burst = 5_000
        let limits = try list(
            try limit("a", requests: 1, per: .seconds(3600), burst: burst),
            try limit("b", requests: 1, per: .seconds(3600), burst: burst + 7))
        let reversed = try list(limits[1], limits[0])
        let passed = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 8) { worker in
            for _ in 0..<1_000 {
                let outcome = table.take(worker % 2 == 0 ? limits : reversed, at: instant(0))
                if outcome.isTaken { passed.add(1, ordering: .relaxed) }
            }
        }
        #expect(passed.load(ordering: .relaxed) == burst)
        #expect(table.take(try list(limits[1]), at: instant(0)).status?.remaining == 6)
    }

    @Test func `threads with distinct principals share a bounded table exactly`() throws {
        let small = BucketTable(bucketLimit: 3_000, seed: sampleSeed)
        let limits = try list(try limit(requests: 1, per: .seconds(3600), burst: 1))
        let passed = Atomic<Int>(0)
        let full = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
            for index in 0..<1_000 {
                let outcome = small.take(limits, for: "\(worker) \(index)", at: instant(0))
                if outcome.isTaken { passed.add(1, ordering: .relaxed) }
                if outcome.isTableFull { full.add(1, ordering: .relaxed) }
            }
        }
        #expect(passed.load(ordering: .relaxed) == small.bucketCount)
        #expect(passed.load(ordering: .relaxed) + full.load(ordering: .relaxed) == 4_000)
        #expect((2_990...3_000).contains(small.bucketCount))
    }
}
