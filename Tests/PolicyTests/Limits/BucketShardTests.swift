import Core
import Synchronization
import Testing

@testable import Policy

struct BucketShardTests {
    @Test func `a table at its bound gives up full buckets only`() throws {
        let table = BucketTable(bucketLimit: 100, seed: sampleSeed)
        let limits = try list(try limit(requests: 1, per: .seconds(100), burst: 2))
        for index in 0..<100 { #expect(table.take(limits, for: "\(index)", at: instant(Int64(index))).isTaken) }
        #expect(table.bucketCount == 100)
        #expect(table.take(limits, for: "late", at: instant(.seconds(50))).isTableFull)
        #expect(table.bucketCount == 100)
        // Ten buckets are full by now: those whose last token came back.
        let later = instant(.seconds(100) + 9)
        for index in 0..<10 { #expect(table.take(limits, for: "new \(index)", at: later).isTaken) }
        #expect(table.take(limits, for: "one more", at: later).isTableFull)
        for index in 10..<100 {
            let status = table.take(limits, for: "\(index)", at: later).status
            #expect(status?.remaining == 0, "the bucket of \(index) was given up though it was not full")
        }
    }

    @Test(arguments: [false, true])
    func `a table that may forget gives up what loses least, and tells once`(hasWindows: Bool) throws {
        let told = Atomic(0)
        let table = BucketTable(bucketLimit: 100, seed: sampleSeed) { told.add(1, ordering: .relaxed) }
        let limits = try list(
            hasWindows ? try window("w", requests: 10, per: .seconds(100)) : try limit(requests: 10, per: .seconds(100), burst: 10))
        for _ in 0..<10 { #expect(table.take(limits, for: "deep", at: instant(0)).isTaken) }
        // A flood of callers with one request each, later, so that their windows end after that of the caller in debt.
        for index in 0..<1000 { #expect(table.take(limits, for: "\(index)", at: instant(.seconds(1))).isTaken) }
        #expect(table.bucketCount == 100 && table.evictionCount == 901 && told.load(ordering: .relaxed) == 1)
        #expect(table.take(limits, for: "deep", at: instant(.seconds(1))).isRefused)
    }

    @Test func `a request does not forget a bucket of its own for another of its own`() throws {
        let table = BucketTable(bucketLimit: 2, seed: sampleSeed) {}
        let first = try limit("first", requests: 2, per: .seconds(100), burst: 2)
        let second = try limit("second", requests: 1, per: .seconds(1000), burst: 1)
        #expect(table.take(try list(second), for: "other", at: instant(0)).isTaken)
        #expect(table.take(try list(first), at: instant(0)).isTaken)
        #expect(table.take(try list(first, second), at: instant(0)).isTaken)
        #expect(table.take(try list(first), at: instant(0)).isRefused)
        #expect(table.take(try list(second), at: instant(0)).isRefused)
    }

    @Test func `a request that is refused leaves no bucket behind`() throws {
        let table = BucketTable(bucketLimit: 100, seed: sampleSeed)
        let shared = try limit("shared", requests: 1, per: .seconds(100), burst: 1)
        let own = try limit("own", requests: 1, per: .seconds(100), burst: 1)
        let both = try list(shared, own)
        var keys = table.keys(both, "first")
        #expect(table.take(both, keys: keys, now: instant(0)).isTaken)
        for index in 0..<50 {
            let principal = Array("\(index)".utf8)
            keys[1] = table.key(for: own, principal: principal.span)
            #expect(table.take(both, keys: keys, now: instant(0)).isRefused)
        }
        #expect(table.bucketCount == 2)
    }

    @Test func `a bucket checked by a request is not given up for the request's next bucket`() throws {
        // One shard at its bound, both buckets of the request in it: making the second sweeps while the first is full.
        for count in 1...40 {
            let table = BucketTable(bucketLimit: count + 1, seed: sampleSeed)
            let first = try limit("first", requests: 1, per: .seconds(1), burst: 1)
            let second = try limit("second", requests: 1, per: .seconds(1), burst: 1)
            for index in 0..<count { _ = table.take(try list(second), for: "\(index)", at: instant(0)) }
            #expect(table.take(try list(first), at: instant(0)).isTaken)
            let later = instant(.seconds(2))
            #expect(table.take(try list(first, second), at: later).isTaken)
            #expect(table.take(try list(first), at: later).isRefused)
            #expect(table.take(try list(second), at: later).isRefused)
        }
    }

    @Test(arguments: 1...8)
    func `a shard finds, forgets and gives up like a dictionary`(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var shard = BucketShard()
        var model: [UInt64: Int64] = [:]
        for step in 0..<4_000 {
            // Few distinct homes, so that runs are long and wrap around.
            let word = UInt64.random(in: 0..<300, using: &generator)
            let key = BucketKey(high: word, low: UInt32(truncatingIfNeeded: word) &* (UInt32.max / 40))
            let now = Int64(step)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                if model[word] == nil {
                    let fullAt = now + .random(in: 1...2_000, using: &generator)
                    let evicted = shard.insert(key, BucketState(expiresAt: fullAt), now: now)
                    let before = model.count
                    if evicted > 0 { model = model.filter { $0.value > now } }
                    #expect(before - model.count == evicted)
                    model[word] = fullAt
                }
            case 5..<8:
                shard.remove(key)
                model[word] = nil
            case 8:
                if model[word] != nil {
                    shard.set(key, BucketState(expiresAt: now + 500))
                    model[word] = now + 500
                }
            default:
                let evicted = shard.sweep(now: now)
                let before = model.count
                if evicted > 0 { model = model.filter { $0.value > now } }
                #expect(before - model.count == evicted)
            }
            #expect(shard.count == model.count)
            #expect(shard.state(key)?.expiresAt == model[word])
        }
        for word in UInt64(0)..<300 {
            #expect(shard.state(BucketKey(high: word, low: UInt32(truncatingIfNeeded: word) &* (UInt32.max / 40)))?.expiresAt == model[word])
        }
    }

    /// A key is looked for from its place on: were those of many keys the same, each look would walk over all of them.
    @Test func `the keys of a shard spread evenly over its storage`() {
        var shard = BucketShard()
        var generator = SeededGenerator(state: 11)
        let keys = (0..<4_000).map { _ in
            BucketKey(high: generator.next(), low: .random(in: .min ... .max, using: &generator))
        }
        for key in keys { _ = shard.insert(key, BucketState(expiresAt: .max), now: 0) }
        var tenths = Array(repeating: 0, count: 10)
        for slot in keys.compactMap({ shard.slot(of: $0) }) { tenths[slot * 10 / shard.capacity] += 1 }
        #expect(tenths.reduce(0, +) == keys.count)
        #expect(tenths.allSatisfy { (300...500).contains($0) }, "\(tenths)")
    }

    @Test func `a live bucket costs at most 64 bytes, a million of them at most 64 MB`() {
        var shard = BucketShard()
        var generator = SeededGenerator(state: 7)
        // The share of one shard, and every count below it that a smaller table would have.
        for count in 1...5_000 {
            let key = BucketKey(high: generator.next(), low: .random(in: .min ... .max, using: &generator))
            _ = shard.insert(key, BucketState(expiresAt: .max), now: 0)
            if count >= 64 {
                #expect(shard.capacity * MemoryLayout<BucketShard.Bucket>.stride <= 64 * count)
            }
        }
        #expect(MemoryLayout<BucketShard.Bucket>.stride == 24)
    }

    @Test func `the buckets of a large table spread evenly over its shards`() throws {
        let table = BucketTable(bucketLimit: 1_000_000, seed: sampleSeed)
        let limits = try list(try limit(requests: 1, per: .seconds(3600), burst: 1))
        for index in 0..<40_000 { #expect(table.take(limits, for: "user \(index)", at: instant(0)).isTaken) }
        #expect(table.bucketCount == 40_000)
        #expect(table.storageBytes <= 64 * 40_000)
    }
}
