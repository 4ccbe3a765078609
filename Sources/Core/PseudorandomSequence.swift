/// A quick sequence of 64-bit words from 128 bits of seed: for what has to be unique or well spread, not secret. No
/// word comes twice before all 2^64 have come; which follows which depends on the whole seed.
package struct PseudorandomSequence: RandomNumberGenerator, Sendable {
    private var counter: UInt64
    private let key: UInt64

    package init(seed: (UInt64, UInt64)) {
        (counter, key) = seed
    }

    package mutating func next() -> UInt64 {
        counter &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(Self.mixed(counter) ^ key)
    }

    /// A bijection in which every input bit reaches every output bit.
    private static func mixed(_ word: UInt64) -> UInt64 {
        var word = (word ^ (word >> 32)) &* 0xD6E8_FEB8_6659_FD93
        word = (word ^ (word >> 32)) &* 0xD6E8_FEB8_6659_FD93
        return word ^ (word >> 32)
    }
}
