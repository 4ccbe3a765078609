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
        // Bytes without padding: every one is initialised.
        let words = unsafe bytes.bytes
        var state = keys.a ^ UInt64(truncatingIfNeeded: count)
        var offset = 0
        if count > 64 {
            // Four lanes, because one multiplication alone keeps the processor waiting for its result.
            var lanes = (state, keys.b, keys.c, keys.d)
            repeat {
                lanes.0 = fold(words.word(offset) ^ keys.b, words.word(offset &+ 8) ^ lanes.0)
                lanes.1 = fold(words.word(offset &+ 16) ^ keys.c, words.word(offset &+ 24) ^ lanes.1)
                lanes.2 = fold(words.word(offset &+ 32) ^ keys.d, words.word(offset &+ 40) ^ lanes.2)
                lanes.3 = fold(words.word(offset &+ 48) ^ keys.a, words.word(offset &+ 56) ^ lanes.3)
                offset &+= 64
            } while count &- offset > 64
            state = fold(lanes.0 ^ keys.c, lanes.1 ^ keys.d) ^ fold(lanes.2 ^ keys.a, lanes.3 ^ keys.b)
        }
        while count &- offset > 16 {
            state = fold(words.word(offset) ^ keys.b, words.word(offset &+ 8) ^ state)
            offset &+= 16
        }
        let (first, second) = words.lastWords()
        let (high, low) = (first ^ keys.b).multipliedFullWidth(by: second ^ state)
        return fold(low ^ keys.c, high ^ keys.d)
    }

    @inline(__always)
    private static func fold(_ x: UInt64, _ y: UInt64) -> UInt64 {
        let product = x.multipliedFullWidth(by: y)
        return product.high ^ product.low
    }
}

extension RawSpan {
    /// The 64 bits at `offset`, wherever they are aligned.
    @inline(__always)
    fileprivate func word(_ offset: Int) -> UInt64 {
        // Bounds are checked by the call, and any 64 bits are a value of the type.
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    @inline(__always)
    private func halfWord(_ offset: Int) -> UInt64 {
        // Bounds are checked by the call, and any 32 bits are a value of the type.
        UInt64(unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    @inline(__always)
    private func byte(_ offset: Int) -> UInt64 {
        // Bounds are checked by the call, and any byte is a value of the type.
        UInt64(unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self))
    }

    /// The last 16 bytes; all bytes where there are fewer, some of them twice.
    @inline(__always)
    fileprivate func lastWords() -> (UInt64, UInt64) {
        let count = byteCount
        if count >= 16 { return (word(count &- 16), word(count &- 8)) }
        if count >= 8 { return (word(0), word(count &- 8)) }
        if count >= 4 { return (halfWord(0), halfWord(count &- 4)) }
        if count > 0 { return (byte(0) << 16 | byte(count / 2) << 8 | byte(count &- 1), 0) }
        return (0, 0)
    }
}
