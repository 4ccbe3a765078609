/// A quick sequence of 64-bit words from 128 bits of seed: for what has to be unique or well spread, not secret. Two
/// counters of different stride, mixed by a full multiplication; it repeats after 2^64 words.
package struct PseudorandomSequence: RandomNumberGenerator, Sendable {
    private var state: UInt64
    private let key: UInt64

    package init(seed: (UInt64, UInt64)) {
        state = seed.0
        key = seed.1
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        let product = Self.mixed(state ^ key).multipliedFullWidth(by: Self.mixed(state &+ key) | 1)
        return product.high ^ product.low
    }

    /// A bijection in which every input bit reaches every output bit.
    private static func mixed(_ word: UInt64) -> UInt64 {
        var word = (word ^ (word >> 32)) &* 0xD6E8_FEB8_6659_FD93
        word = (word ^ (word >> 32)) &* 0xD6E8_FEB8_6659_FD93
        return word ^ (word >> 32)
    }
}
