import Core
import Testing

struct WordsTests {
    // Spans cannot stand in an expectation.
    private func isEqual(_ bytes: [UInt8], _ lowercase: [UInt8]) -> Bool {
        bytes.span.equalsIgnoringCase(lowercase: lowercase.span)
    }

    private func isSameNameAs(_ bytes: [UInt8], _ folded: [UInt8]) -> Bool { bytes.span.isSameName(folded: folded.span) }

    /// Texts of 0 to 20 bytes, the same text with one byte replaced by each possible byte.
    @Test(arguments: 0...20)
    func `names are compared eight bytes at a time as they are byte by byte`(count: Int) {
        let letters = Array("az-azm-za-zma-zmz-am".utf8)
        let folded = Array(letters.prefix(count))
        for place in 0..<count {
            for byte in UInt8.min...UInt8.max {
                var other = folded
                other[place] = byte
                let isSame = other.map(\.lowercasedASCII) == folded
                #expect(isEqual(other, folded) == isSame, "\(byte) at \(place)")
                let isSameName = other.map(\.foldedInName) == folded
                #expect(isSameNameAs(other, folded) == isSameName, "\(byte) at \(place)")
            }
        }
        #expect(isEqual(folded, folded))
        #expect(!isEqual(folded + [0x61], folded))
        #expect(!isSameNameAs(folded + [0x61], folded))
    }

    @Test(arguments: 0...40)
    func `a difference anywhere is seen`(count: Int) {
        let bytes = (0..<count).map { UInt8($0) }
        func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.span.equals(b.span) }
        #expect(areEqual(bytes, Array(bytes)))
        #expect(!areEqual(bytes, bytes + [0]))
        for place in 0..<count {
            var other = bytes
            other[place] ^= 0x80
            #expect(!areEqual(bytes, other), "at \(place)")
        }
    }

    @Test(arguments: [
        ("X-Auth-Subject", true), ("x_auth.SUBJECT", true), ("X.AUTH_subject", true), ("X~Auth!Subject", true),
        ("X'Auth*Subject", true), ("x|auth#subject", true), ("X+Auth$Subject", true), ("X%Auth&Subject", true),
        ("X^Auth`Subject", true), ("X-Auth-Subjec\u{54}", true), ("X-Auth-Subjec\u{34}", false), ("X\rAuth-Subject", false),
        ("X Auth-Subject", false), ("X1Auth-Subject", false), ("XAuth-Subject", false), ("X-Auth-Subject-", false),
    ])
    func `spellings of one name`(name: String, isSame: Bool) {
        #expect(isSameNameAs(Array(name.utf8), Array("x-auth-subject".utf8)) == isSame)
    }
}
