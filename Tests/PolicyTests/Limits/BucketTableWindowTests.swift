import Core
import Dispatch
import Synchronization
import Testing

@testable import Policy

/// Windows in the table that they share with token buckets.
struct BucketTableWindowTests {
    private let table = BucketTable(bucketLimit: 10_000, seed: sampleSeed)

    @Test func `a window passes its requests, refuses the next, and all name one end`() throws {
        let limits = try list(try window(requests: 3, per: .seconds(60)))
        for (second, remaining) in [(Int64(0), 2), (10, 1), (59, 0)] {
            let status = try #require(table.take(limits, at: instant(.seconds(second))).status)
            #expect(!status.isRefused && status.remaining == remaining && status.retryAfter == 0)
            #expect(.seconds(second) + status.resetAfter == .seconds(60))
        }
        let refused = table.take(limits, at: instant(.seconds(60) - 1))
        #expect(refused.isRefused && refused.status?.remaining == 0)
        #expect(refused.status?.retryAfter == 1 && refused.status?.resetAfter == 1)
        let next = try #require(table.take(limits, at: instant(.seconds(60))).status)
        #expect(!next.isRefused && next.remaining == 2 && next.resetAfter == .seconds(60))
    }

    @Test func `refused requests neither prolong a window nor open the next`() throws {
        let limits = try list(try window(requests: 1, per: .seconds(10)))
        #expect(table.take(limits, at: instant(0)).isTaken)
        for second in Int64(1)..<10 { #expect(table.take(limits, at: instant(.seconds(second))).isRefused) }
        #expect(table.take(limits, at: instant(.seconds(25))).status?.resetAfter == .seconds(10))
    }

    @Test func `who used up a window and was idle has the whole of the next`() throws {
        let limits = try list(try window(requests: 2, per: .seconds(1)))
        while table.take(limits, at: instant(0)).isTaken {}
        let standing = table.standing(limits, keys: table.keys(limits, "somebody"), now: instant(.seconds(3600)))
        #expect(standing.remaining == 2 && standing.resetAfter == 0 && !standing.isRefused)
        #expect(table.take(limits, at: instant(.seconds(3600))).status?.remaining == 1)
    }

    @Test func `nothing is counted when a bucket beside the window refuses, nor in the bucket when the window does`() throws {
        let window = try window("window", requests: 2, per: .seconds(60))
        let bucket = try limit("bucket", requests: 1, per: .seconds(1), burst: 1)
        let both = try list(window, bucket)
        #expect(table.take(both, at: instant(0)).isTaken)
        let refused = table.take(both, at: instant(0))
        #expect(refused.isRefused && refused.status?.limit === bucket)
        #expect(refused.status?[0].remaining == 1 && refused.status?[0].resetAfter == .seconds(60))
        #expect(table.take(both, at: instant(.seconds(1))).isTaken)
        let used = table.take(both, at: instant(.seconds(2)))
        #expect(used.isRefused && used.status?.limit === window && used.status?.retryAfter == .seconds(58))
        #expect(table.take(try list(bucket), at: instant(.seconds(2))).isTaken)
    }

    @Test func `a request that a bucket refuses opens no window, also where an old one is over`() throws {
        let window = try window("window", requests: 5, per: .seconds(10))
        let bucket = try limit("bucket", requests: 1, per: .seconds(3600), burst: 1)
        let both = try list(window, bucket)
        #expect(table.take(both, at: instant(0)).isTaken)
        let later = instant(.seconds(20))
        for _ in 0..<3 { #expect(table.take(both, at: later).isRefused) }
        let alone = try #require(table.take(try list(window), at: later).status)
        #expect(alone.remaining == 4 && alone.resetAfter == .seconds(10))
        // And where there never was one.
        #expect(table.take(try list(bucket), for: "other", at: later).isTaken)
        let count = table.bucketCount
        #expect(table.take(both, for: "other", at: later).isRefused)
        #expect(table.bucketCount == count)
    }

    @Test func `a bucket and a window of one name do not read one another's state`() throws {
        let bucket = try list(try limit("gold", requests: 5, per: .seconds(60), burst: 5))
        let window = try list(try window("gold", requests: 5, per: .seconds(60)))
        while table.take(bucket, at: instant(0)).isTaken {}
        #expect(table.take(window, at: instant(0)).status?.remaining == 4)
        #expect(table.take(bucket, at: instant(0)).isRefused)
    }

    @Test func `a window that became shorter or smaller keeps its count`() throws {
        let long = try list(try window("gold", requests: 5, per: .seconds(3600)))
        let short = try list(try window("gold", requests: 3, per: .seconds(10)))
        for _ in 0..<3 { #expect(table.take(long, at: instant(0)).isTaken) }
        #expect(table.take(short, at: instant(0)).status?.retryAfter == .seconds(10))
        #expect(table.take(short, at: instant(.seconds(10) - 1)).isRefused)
        #expect(table.take(short, at: instant(.seconds(10))).isTaken)
    }

    @Test func `a clock that was set far back makes nobody wait for longer than a window`() throws {
        let limits = try list(try window(requests: 1, per: .seconds(10)))
        #expect(table.take(limits, at: instant(.seconds(100_000))).isTaken)
        #expect(table.take(limits, at: instant(.seconds(5))).status?.retryAfter == .seconds(10))
        #expect(table.take(limits, at: instant(.seconds(15))).isTaken)
    }

    @Test func `a copy shows what is left without sharing it`() throws {
        let limits = try list(try window(requests: 3, per: .seconds(60)))
        #expect(table.take(limits, at: instant(0)).isTaken)
        let other = BucketTable(bucketLimit: 10, seed: HashSeed(1, 2))
        let (theirs, mine) = (table.keys(limits, "somebody")[0], other.keys(limits, "somebody")[0])
        other.copy(theirs, from: table, to: mine, now: instant(.seconds(1)))
        let status = try #require(other.take(limits, at: instant(.seconds(1))).status)
        #expect(status.remaining == 1 && status.resetAfter == .seconds(59))
        #expect(table.take(limits, at: instant(.seconds(1))).status?.remaining == 1)
    }

    @Test func `a table at its bound forgets only windows that are over`() throws {
        let table = BucketTable(bucketLimit: 50, seed: sampleSeed)
        let limits = try list(try window(requests: 2, per: .seconds(100)))
        for index in 0..<50 { #expect(table.take(limits, for: "\(index)", at: instant(.seconds(Int64(index)))).isTaken) }
        #expect(table.take(limits, for: "late", at: instant(.seconds(100) - 1)).isTableFull)
        for index in 0..<50 {
            #expect(table.take(limits, for: "\(index)", at: instant(.seconds(100) - 1)).status?.remaining == 0)
        }
        #expect(table.take(limits, for: "late", at: instant(.seconds(101))).isTaken)
        #expect(table.take(limits, for: "49", at: instant(.seconds(101))).isRefused)
    }

    /// Windows written out: principals by name, nothing shared, nothing packed.
    private struct Model {
        var windows: [String: (end: Int64, used: Int)] = [:]

        func used(_ name: String, at now: Int64) -> (used: Int, end: Int64)? {
            windows[name].flatMap { $0.end > now ? ($0.used, $0.end) : nil }
        }

        mutating func count(_ name: String, per: Int64, at now: Int64) {
            windows[name] = used(name, at: now).map { ($0.end, $0.used + 1) } ?? (now + per, 1)
        }

        func live(at now: Int64, beside names: Set<String>) -> Int {
            windows.count { $0.value.end > now && !names.contains($0.key) }
        }
    }

    @Test(arguments: 1...12)
    func `random requests of many principals are counted as a written-out model counts them`(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let bound = Int.random(in: 60...260, using: &generator)
        let table = BucketTable(bucketLimit: bound, seed: HashSeed(seed, ~seed))
        let limits = try (0..<4).map { number in
            try window(
                "limit \(number)", requests: .random(in: 1...6, using: &generator),
                per: .random(in: 1...Nanoseconds.seconds(20), using: &generator))
        }
        var model = Model()
        var now = Int64.random(in: -1_000_000...1_000_000, using: &generator)
        var outcomes = (taken: 0, refused: 0, full: 0)
        for _ in 0..<6_000 {
            // A table at its bound waits for as long before it looks again for windows that are over.
            now += .milliseconds(.random(in: 10...80, using: &generator))
            let chosen = Array(limits.shuffled(using: &generator).prefix(.random(in: 1...3, using: &generator)))
            let principal = "\(Int.random(in: 0..<60, using: &generator))"
            let names = Set(chosen.map { "\($0.name) \(principal)" })
            let rules = try chosen.map { limit in
                guard case .window(let rule) = limit.rule else { throw LimitError.noPeriod }
                return rule
            }
            let states = chosen.map { model.used("\($0.name) \(principal)", at: now) }
            let refused = zip(states, rules).contains { ($0?.used ?? 0) >= $1.requests }
            let isFull = model.live(at: now, beside: names) + names.count > bound
            switch table.take(try #require(LimitList(chosen)), for: principal, at: instant(now)) {
            case .taken(let status):
                outcomes.taken += 1
                #expect(!refused && !isFull)
                for (index, rule) in rules.enumerated() {
                    let name = "\(chosen[index].name) \(principal)"
                    model.count(name, per: rule.per, at: now)
                    let (used, end) = try #require(model.used(name, at: now))
                    #expect(status[index].remaining == rule.requests - used && status[index].resetAfter == end - now)
                }
                #expect(status.remaining == chosen.indices.map { status[$0].remaining }.min())
            case .refused(let status):
                outcomes.refused += 1
                #expect(refused)
                let waits = zip(states, rules).map { state, rule in
                    (state?.used ?? 0) >= rule.requests ? (state?.end ?? 0) - now : 0
                }
                #expect(status.retryAfter == waits.max() && status.remaining == 0)
            case .tableFull:
                outcomes.full += 1
                #expect(isFull)
            }
        }
        #expect(outcomes.taken > 500 && outcomes.refused > 50)
        for (name, window) in model.windows where window.end > now {
            let parts = name.split(separator: " ")
            let limit = try #require(limits.first { $0.name == "\(parts[0]) \(parts[1])" })
            let only = try list(limit)
            #expect(
                table.standing(only, keys: table.keys(only, String(parts[2])), now: instant(now)).remaining
                    == limit.rule.capacity - window.used)
        }
    }

    @Test func `exactly the requests of a window pass when threads take at once, window after window`() throws {
        let limits = try list(
            try window("a", requests: 500, per: .seconds(60)), try window("b", requests: 507, per: .seconds(60)))
        let reversed = try list(limits[1], limits[0])
        let single = try list(limits[0])
        for round in Int64(0)..<8 {
            let passed = Atomic<Int>(0)
            DispatchQueue.concurrentPerform(iterations: 8) { worker in
                for call in Int64(0)..<200 {
                    // Readings of loops that differ, before and after the end of the window before.
                    let now = instant(.seconds(60) * round + (Int64(worker) * 200 + call) % 1_000)
                    let chosen = worker % 3 == 0 ? single : worker % 3 == 1 ? limits : reversed
                    if table.take(chosen, at: now).isTaken { passed.add(1, ordering: .relaxed) }
                }
            }
            if round == 0 { #expect(passed.load(ordering: .relaxed) == 500) }
            #expect(passed.load(ordering: .relaxed) <= 500)
            #expect(table.take(single, at: instant(.seconds(60) * round + 2_000)).isRefused)
        }
    }

    @Test func `threads with distinct principals each have their window`() {
        let passed = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            guard let limits = try? list(try window(requests: 3, per: .seconds(60))) else { return }
            for index in 0..<2_000 where table.take(limits, for: "\(index % 500)", at: instant(0)).isTaken {
                passed.add(1, ordering: .relaxed)
            }
        }
        #expect(passed.load(ordering: .relaxed) == 1_500)
    }
}
