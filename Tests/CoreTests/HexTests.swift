import Core
import Testing

struct HexTests {
    @Test func `bytes are written and read`() {
        let all = (0...255).map { UInt8($0) }
        let text = Hex.encode(all.span)
        #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff"))
        #expect(Hex.decode(text.utf8.span) == all)
        #expect(Hex.decode(text.uppercased().utf8.span) == all)
        #expect(Hex.decode("".utf8.span) == [])
    }

    @Test(arguments: ["0", "0g", "g0", " 00", "0x00", "00 ", "+1", "é"])
    func `anything else is refused`(text: String) {
        #expect(Hex.decode(text.utf8.span) == nil)
    }

    @Test func `a digest is read from 64 digits and written back`() {
        let text = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        let digest = Digest256(hex: text)
        #expect(
            digest
                == Digest256(0x0001_0203_0405_0607, 0x0809_0A0B_0C0D_0E0F, 0x1011_1213_1415_1617, 0x1819_1A1B_1C1D_1E1F)
        )
        #expect(digest?.hex == text)
        #expect(Digest256(hex: text.uppercased()) == digest)
    }

    @Test func `a digest of other length or with another byte is refused`() {
        let digits = String(repeating: "0", count: 63)
        #expect(Digest256(hex: digits + "0") != nil)
        for text in ["", digits, digits + "00", digits + "g", "x" + digits, digits + " "] {
            #expect(Digest256(hex: text) == nil)
        }
    }
}
