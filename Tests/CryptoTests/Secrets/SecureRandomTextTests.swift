import Crypto
import Testing

struct SecureRandomTextTests {
    @Test(arguments: [0, 1, 22, 64, 1000])
    func `base62 has as many letters and digits as were asked for`(count: Int) {
        let text = SecureRandom.base62(count)
        #expect(text.utf8.count == count)
        #expect(text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) })
    }

    @Test func `every digit of base62 comes about equally often`() {
        var counts: [Character: Int] = [:]
        for digit in SecureRandom.base62(62_000) { counts[digit, default: 0] += 1 }
        #expect(counts.count == 62)
        // 1000 are to be expected with a deviation of 32; ten of these are beyond any chance.
        #expect(counts.values.allSatisfy { (680...1320).contains($0) })
    }

    @Test func `32 bytes are 64 digits or 43 characters`() {
        #expect(SecureRandom.hex(32).utf8.count == 64)
        #expect(SecureRandom.base64URL(32).utf8.count == 43)
    }

    @Test func `a random UUID says that it is one`() {
        for _ in 0..<100 {
            let uuid = Array(SecureRandom.uuid())
            #expect(uuid.count == 36)
            #expect([8, 13, 18, 23].allSatisfy { uuid[$0] == "-" })
            #expect(uuid[14] == "4")
            #expect("89ab".contains(uuid[19]))
        }
        #expect(Set((0..<100).map { _ in SecureRandom.uuid() }).count == 100)
    }
}
