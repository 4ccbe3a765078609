import Core
import Testing

@testable import Policy

/// What tokens name the secret of their key by.
@Suite struct KeyFamilyTests {
    static let digest = Digest256(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, 3, 4)

    @Test func `a family is spelled as a UUID of version 8`() {
        // 012345678 9ab | cde | f fedcba98765432 1: 48, 12 and 62 bits of the digest.
        #expect(KeyFamily(Self.digest).text == "01234567-89ab-8cde-bffb-72ea61d950c8")
    }

    @Test func `the spelling leads back to the family`() {
        var generator = PseudorandomSequence(seed: (7, 8))
        for _ in 0..<1000 {
            let family = KeyFamily(Digest256(generator.next(), generator.next(), generator.next(), generator.next()))
            #expect(KeyFamily(family.text.utf8.span) == family)
        }
    }

    @Test(arguments: [
        "", "01234567-89ab-8cde-bffb-72ea61d950c", "01234567-89ab-8cde-bffb-72ea61d950c80", "01234567-89AB-8cde-bffb-72ea61d950c8",
        "01234567-89ab-4cde-bffb-72ea61d950c8", "01234567-89ab-8cde-ffb0-72ea61d950c8", "0123456789ab-8cde-bffb-72ea61d950c8-",
        "01234567-89ab-8cde-bffb-72ea61d950cg", "{1234567-89ab-8cde-bffb-72ea61d950c}",
    ])
    func `every other spelling is refused`(text: String) {
        #expect(KeyFamily(text.utf8.span) == nil)
    }

    @Test func `a digest that differs in a bit is another family`() {
        let family = KeyFamily(Self.digest)
        for bit in 0..<64 {
            var other = Self.digest
            other.a ^= 1 << UInt64(bit)
            #expect(KeyFamily(other) != family)
        }
        for bit in 6..<64 {
            var other = Self.digest
            other.b ^= 1 << UInt64(bit)
            #expect(KeyFamily(other) != family)
        }
    }
}
