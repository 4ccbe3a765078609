import Crypto
import Testing

struct SecureRandomTests {
    @Test(arguments: [0, 1, 16, 1000])
    func `as many bytes come as were asked for`(count: Int) {
        #expect(SecureRandom.bytes(count).count == count)
    }

    @Test func `no two draws are the same`() {
        let draws = Set((0..<1000).map { _ in SecureRandom.bytes(16) })
        #expect(draws.count == 1000)
        #expect(Set((0..<1000).map { _ in SecureRandom.word() }).count == 1000)
    }
}
