/// A keyed hash for tables inside one process: quick, well spread, and unforeseeable to whoever does not know the seed.
/// No cryptographic hash: never for what leaves the process or outlives it.
///
/// It multiplies 64-bit words of input to 128 bits and folds the product, as wyhash does. Every constant comes from the
/// secret seed: with public ones, input chosen to make a factor zero would collide under every seed.
package enum FastHash {
    package static func hash(_ bytes: Span<UInt8>, seed: HashSeed) -> UInt64 {
        hash(bytes, keys: seed.first)
    }

    /// Two hashes under independent keys: wide enough to stand for the bytes themselves.
    package static func hash128(_ bytes: Span<UInt8>, seed: HashSeed) -> (UInt64, UInt64) {
        (hash(bytes, keys: seed.first), hash(bytes, keys: seed.second))
    }

    /// Hashes one word, an address or an index perhaps.
    package static func hash(_ word: UInt64, seed: HashSeed) -> UInt64 {
        fold(fold(word ^ seed.first.a, seed.first.b) ^ word, seed.first.c)
    }

    private static func hash(_ bytes: Span<UInt8>, keys: HashSeed.Keys) -> UInt64 {
        let count = bytes.count
        var state = keys.a ^ UInt64(truncatingIfNeeded: count)
        var offset = 0
        if count > 64 {
            // Four lanes, because one multiplication alone keeps the processor waiting for its result.
            var lanes = (state, keys.b, keys.c, keys.d)
            repeat {
                lanes.0 = fold(bytes.word(at: offset) ^ keys.b, bytes.word(at: offset &+ 8) ^ lanes.0)
                lanes.1 = fold(bytes.word(at: offset &+ 16) ^ keys.c, bytes.word(at: offset &+ 24) ^ lanes.1)
                lanes.2 = fold(bytes.word(at: offset &+ 32) ^ keys.d, bytes.word(at: offset &+ 40) ^ lanes.2)
                lanes.3 = fold(bytes.word(at: offset &+ 48) ^ keys.a, bytes.word(at: offset &+ 56) ^ lanes.3)
                offset &+= 64
            } while count &- offset > 64
            state = fold(lanes.0 ^ keys.c, lanes.1 ^ keys.d) ^ fold(lanes.2 ^ keys.a, lanes.3 ^ keys.b)
        }
        while count &- offset > 16 {
            state = fold(bytes.word(at: offset) ^ keys.b, bytes.word(at: offset &+ 8) ^ state)
            offset &+= 16
        }
        let (first, second) = bytes.lastWords()
        let (high, low) = (first ^ keys.b).multipliedFullWidth(by: second ^ state)
        return fold(low ^ keys.c, high ^ keys.d)
    }

    @inline(__always)
    private static func fold(_ x: UInt64, _ y: UInt64) -> UInt64 {
        let product = x.multipliedFullWidth(by: y)
        return product.high ^ product.low
    }
}

extension Span where Element == UInt8 {
    /// The last 16 bytes; all bytes where there are fewer, some of them twice.
    @inline(__always)
    fileprivate func lastWords() -> (UInt64, UInt64) {
        if count >= 16 { return (word(at: count &- 16), word(at: count &- 8)) }
        if count >= 8 { return (word(at: 0), word(at: count &- 8)) }
        if count >= 4 { return (UInt64(halfWord(at: 0)), UInt64(halfWord(at: count &- 4))) }
        if count > 0 {
            return (UInt64(self[0]) << 16 | UInt64(self[count / 2]) << 8 | UInt64(self[count &- 1]), 0)
        }
        return (0, 0)
    }
}
