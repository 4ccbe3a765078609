import Core
import Testing

struct RequestIDGeneratorTests {
    @Test func `identifiers are distinct, within a generator and among generators`() {
        var seen: Set<RequestID> = []
        var words: Set<UInt64> = []
        for seed in [(0, 0), (0, 1), (1, 0), (1, 1), (.max, .max)] as [(UInt64, UInt64)] {
            var generator = RequestIDGenerator(seed: seed)
            for _ in 0..<4000 {
                let id = generator.next()
                seen.insert(id)
                words.formUnion([id.high, id.low])
            }
        }
        #expect(seen.count == 20_000)
        #expect(words.count == 40_000)
    }

    @Test func `equal seeds make equal identifiers`() {
        var one = RequestIDGenerator(seed: (5, 6))
        var other = RequestIDGenerator(seed: (5, 6))
        #expect(one.next() == other.next())
        var text: [UInt8] = []
        one.append(to: &text)
        var expected: [UInt8] = []
        other.next().append(to: &expected)
        #expect(text == expected)
    }

    @Test func `every bit of an identifier is set half of the time`() {
        var generator = RequestIDGenerator(seed: (1, 2))
        var counts = [Int](repeating: 0, count: 128)
        for _ in 0..<4000 {
            let id = generator.next()
            for bit in 0..<64 {
                counts[bit] += Int(id.high >> UInt64(bit) & 1)
                counts[64 + bit] += Int(id.low >> UInt64(bit) & 1)
            }
        }
        // The deviation is 32; six of them either way.
        #expect(counts.allSatisfy { 1810...2190 ~= $0 })
    }

    @Test func `a new trace is well formed and sampled as asked`() {
        var generator = RequestIDGenerator(seed: (3, 4))
        for isSampled in [true, false] {
            let trace = generator.nextTrace(isSampled: isSampled)
            #expect(trace.flags == (isSampled ? 1 : 0))
            #expect(trace.span != 0 && trace.traceHigh | trace.traceLow != 0)
        }
    }
}
