import Core
import Testing

@testable import Crypto

struct SHA2Tests {
    private let cryptography = OpenSSLCryptography()

    /// FIPS 180-4 examples, and lengths around the ends of blocks from `sha256sum`.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `SHA-256 of the examples in FIPS 180-4`(text: String, digest: String) {
        #expect(cryptography.sha256(text.utf8.span).hex == digest)
    }

    @Test func `a million letters are hashed right`() {
        let letters = [UInt8](repeating: 0x61, count: 1_000_000)
        let digest = cryptography.sha256(letters.span)
        #expect(digest.hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    /// RFC 4231 §4.3 and §4.7: a short key, and one longer than a block.
    @Test func `HMAC-SHA-256 of RFC 4231`() {
        let short = cryptography.hmacSHA256(key: "Jefe".utf8.span, "what do ya want for nothing?".utf8.span)
        #expect(short.hex == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let long = [UInt8](repeating: 0xAA, count: 131)
        let code = cryptography.hmacSHA256(
            key: long.span, "Test Using Larger Than Block-Size Key - Hash Key First".utf8.span)
        #expect(code.hex == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test func `HMAC takes an empty key and an empty message`() {
        let nothing: [UInt8] = []
        let code = cryptography.hmacSHA256(key: nothing.span, nothing.span)
        #expect(code.hex == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }
}
