/// The secret of `FastHash`: drawn once when the process starts, from the system's randomness, and never shown.
package struct HashSeed: Sendable {
    /// Four odd words.
    struct Keys: Sendable {
        let a, b, c, d: UInt64
    }

    let first: Keys
    let second: Keys

    /// Stretches 128 random bits.
    package init(_ high: UInt64, _ low: UInt64) {
        var generator = PseudorandomSequence(seed: (high, low))
        first = Keys(a: generator.next() | 1, b: generator.next() | 1, c: generator.next() | 1, d: generator.next() | 1)
        second = Keys(
            a: generator.next() | 1, b: generator.next() | 1, c: generator.next() | 1, d: generator.next() | 1)
    }
}
