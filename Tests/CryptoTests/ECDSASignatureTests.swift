import Core
import Testing

@testable import Crypto

struct ECDSASignatureTests {
    @Test func `leading zeros go and a sign byte comes`() throws {
        var raw = [UInt8](repeating: 0, count: 64)
        raw[31] = 0x01
        raw[63] = 0x80
        let der = ECDSASignature.der(fromRaw: raw.span, coordinateBytes: 32)
        #expect(der == [0x30, 0x07, 0x02, 0x01, 0x01, 0x02, 0x02, 0x00, 0x80])
    }

    @Test func `the longest signature has a length of two bytes`() throws {
        let raw = [UInt8](repeating: 0xFF, count: 132)
        let encoded = ECDSASignature.der(fromRaw: raw.span, coordinateBytes: 66)
        let der = try #require(encoded)
        #expect(der.count == 141)
        #expect(der.prefix(6) == [0x30, 0x81, 138, 0x02, 67, 0x00])
    }

    @Test(arguments: [0, 1, 32, 63, 65, 66, 128])
    func `any other length is refused`(count: Int) {
        let raw = [UInt8](repeating: 1, count: count)
        let der = ECDSASignature.der(fromRaw: raw.span, coordinateBytes: 32)
        #expect(der == nil)
    }

    @Test(arguments: [0..<32, 32..<64, 0..<64])
    func `a half of zeros is refused`(zeros: Range<Int>) {
        var raw = [UInt8](repeating: 1, count: 64)
        for index in zeros { raw[index] = 0 }
        let der = ECDSASignature.der(fromRaw: raw.span, coordinateBytes: 32)
        #expect(der == nil)
    }
}
