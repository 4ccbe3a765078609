import Core
import Testing

struct FastHashTests {
    private let seed = HashSeed(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210)

    private func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 7) }
    }

    @Test func `one flipped bit at any place of any length gives another hash`() {
        var seen: Set<UInt64> = []
        var count = 0
        for length in 0...140 {
            var input = bytes(length)
            seen.insert(FastHash.hash(input.span, seed: seed))
            count += 1
            for bit in 0..<length * 8 {
                input[bit / 8] ^= 1 << UInt8(bit % 8)
                seen.insert(FastHash.hash(input.span, seed: seed))
                count += 1
                input[bit / 8] ^= 1 << UInt8(bit % 8)
            }
        }
        #expect(seen.count == count)
    }

    @Test func `one flipped bit flips about half of the hash`() {
        for length in [1, 3, 4, 7, 8, 15, 16, 17, 33, 64, 65, 128, 129, 800] {
            var input = bytes(length)
            let plain = FastHash.hash128(input.span, seed: seed)
            var flipped = 0
            for bit in 0..<length * 8 {
                input[bit / 8] ^= 1 << UInt8(bit % 8)
                let other = FastHash.hash128(input.span, seed: seed)
                flipped += (plain.0 ^ other.0).nonzeroBitCount + (plain.1 ^ other.1).nonzeroBitCount
                input[bit / 8] ^= 1 << UInt8(bit % 8)
            }
            let average = Double(flipped) / Double(length * 8)
            #expect(52...76 ~= average, "length \(length): \(average) of 128 bits")
        }
    }

    @Test func `runs of zeros differ by their length`() {
        let hashes = (0...300).map { FastHash.hash([UInt8](repeating: 0, count: $0).span, seed: seed) }
        #expect(Set(hashes).count == hashes.count)
    }

    @Test func `numbered keys spread evenly over a table`() {
        var shares = [Int](repeating: 0, count: 64)
        var wordShares = shares
        for number in 0..<64_000 {
            shares[Int(FastHash.hash("key-\(number)".utf8.span, seed: seed) & 63)] += 1
            wordShares[Int(FastHash.hash(UInt64(number), seed: seed) >> 58)] += 1
        }
        // 1000 each on average with a deviation of 31; six of them are never seen in an even spread.
        #expect(shares.allSatisfy { 810...1190 ~= $0 })
        #expect(wordShares.allSatisfy { 810...1190 ~= $0 })
    }

    @Test func `another seed gives another hash and the same seed the same`() {
        let again = HashSeed(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210)
        let others = [
            HashSeed(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3211), HashSeed(0, 0), HashSeed(1, 0), HashSeed(0, 1),
        ]
        for length in [0, 1, 8, 40, 100] {
            let input = bytes(length)
            let hash = FastHash.hash(input.span, seed: seed)
            #expect(FastHash.hash(input.span, seed: again) == hash)
            let all = Set(others.map { FastHash.hash(input.span, seed: $0) } + [hash])
            #expect(all.count == 5)
        }
    }

    @Test func `both halves of the wide hash are independent`() {
        let hashes = (0..<2000).map { FastHash.hash128("\($0)".utf8.span, seed: seed) }
        #expect(Set(hashes.map(\.0)).count == 2000)
        #expect(Set(hashes.map(\.1)).count == 2000)
        let agreeing = hashes.reduce(0) { $0 + 64 - ($1.0 ^ $1.1).nonzeroBitCount }
        #expect(62_000...66_000 ~= agreeing)
    }

    @Test func `bytes hash alike wherever they lie in memory`() {
        let input = bytes(100)
        for shift in 0..<9 {
            let moved = [UInt8](repeating: 1, count: shift) + input
            #expect(FastHash.hash(moved.span.extracting(shift...), seed: seed) == FastHash.hash(input.span, seed: seed))
        }
    }
}
