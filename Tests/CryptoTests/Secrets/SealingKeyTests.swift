import Core
import Testing

@testable import Crypto

struct SealingKeyTests {
    /// Test cases 13, 14 and 16 of "The Galois/Counter Mode of Operation", McGrew and Viega, which NIST took over.
    @Test(arguments: [
        (
            String(repeating: "0", count: 64), "", "", String(repeating: "0", count: 24), "",
            "530f8afbc74536b9a963b4f1c4cb738b"
        ),
        (
            String(repeating: "0", count: 64), String(repeating: "0", count: 32), "", String(repeating: "0", count: 24),
            "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2", "cafebabefacedbaddecaf888",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662", "76fc6ece0f4e1768cddf8853bb2d551b"
        ),
    ])
    func `AES-256-GCM of the published test cases`(
        key: String, text: String, associated: String, nonce: String, encrypted: String, tag: String
    ) throws {
        let sealing = try #require(SealingKey(hex(key)))
        let sealed = try #require(sealing.seal(hex(text), associated: hex(associated), nonce: hex(nonce)))
        #expect(try sealed == hex(nonce + encrypted + tag))
        #expect(try sealing.open(sealed, associated: hex(associated)) == hex(text))
    }

    private let key = SealingKey([UInt8](repeating: 7, count: 32))

    @Test func `a text altered at any bit is not opened`() throws {
        let key = try #require(key)
        let sealed = try #require(key.seal(bytes("secret"), associated: bytes("row")))
        for bit in 0..<(sealed.count * 8) {
            var altered = sealed
            altered[bit / 8] ^= 1 << (bit % 8)
            #expect(key.open(altered, associated: bytes("row")) == nil)
        }
    }

    @Test func `a text cut at any length is not opened`() throws {
        let key = try #require(key)
        let sealed = try #require(key.seal(bytes("secret"), associated: []))
        for length in 0..<sealed.count { #expect(key.open(Array(sealed.prefix(length)), associated: []) == nil) }
    }

    @Test func `a text is not opened in another place or by another key`() throws {
        let key = try #require(key)
        let other = try #require(SealingKey([UInt8](repeating: 8, count: 32)))
        let sealed = try #require(key.seal(bytes("secret"), associated: bytes("row 1")))
        #expect(key.open(sealed, associated: bytes("row 2")) == nil)
        #expect(key.open(sealed, associated: []) == nil)
        #expect(other.open(sealed, associated: bytes("row 1")) == nil)
        #expect(key.open(sealed, associated: bytes("row 1")) == bytes("secret"))
    }

    @Test func `the same text is sealed differently each time`() throws {
        let key = try #require(key)
        #expect(Set((0..<100).map { _ in key.seal(bytes("secret"), associated: []) }).count == 100)
    }

    @Test(arguments: [0, 31, 33])
    func `a key has 32 bytes`(count: Int) {
        #expect(SealingKey([UInt8](repeating: 1, count: count)) == nil)
    }
}
