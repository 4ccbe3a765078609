import Core
import Testing

@testable import Crypto

struct HKDFTests {
    /// RFC 5869 appendices A.1, A.2 and A.3.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0B, count: 22), Array(0...0x0C), Array(0xF0...0xF9),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        ),
        (
            Array(0...0x4F), Array(0x60...0xAF), Array(0xB0...0xFF),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
        (
            [UInt8](repeating: 0x0B, count: 22), [], [],
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        ),
    ] as [([UInt8], [UInt8], [UInt8], String)])
    func `HKDF-SHA-256 of RFC 5869`(secret: [UInt8], salt: [UInt8], context: [UInt8], output: String) throws {
        let count = output.count / 2
        #expect(try HKDF.sha256(secret: secret, salt: salt, context: context, count: count) == hex(output))
    }

    @Test(arguments: [(-1, 0), (0, 0), (1, 1), (32, 32), (33, 33), (8160, 8160), (8161, 8160)])
    func `the count is clamped to what the function can give`(asked: Int, given: Int) {
        #expect(HKDF.sha256(secret: [1], salt: [], context: [], count: asked).count == given)
    }
}
