import Testing

@testable import Policy

/// How new keys look.
@Suite struct KeyFormatTests {
    @Test(arguments: [
        ("{base62:32}", "00000000000000000000000000000000"), ("rbtk_{base62:22}", "rbtk_0000000000000000000000"),
        ("ks_{base62:22}-{hex:32}", "ks_0000000000000000000000-00000000000000000000000000000000"),
        ("jsk_{base64url:43}", "jsk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ])
    func `a key has the text and the parts of its format`(format: String, lowest: String) throws {
        let format = try KeyFormat(format)
        #expect(String(decoding: format.makeKey { 0 }, as: UTF8.self) == lowest)
        let highest = format.makeKey { .max }
        #expect(highest.count == lowest.utf8.count)
        #expect(highest.last == highest[highest.count - 2])
    }

    @Test(arguments: KeyFormat.Alphabet.allCases)
    func `every character of an alphabet is drawn`(alphabet: KeyFormat.Alphabet) throws {
        let format = try KeyFormat("{\(alphabet.rawValue):256}")
        var word: UInt64 = 0
        let key = format.makeKey {
            word &+= .max / 256
            return word
        }
        #expect(Set(key) == Set(alphabet.characters))
    }

    @Test(arguments: [
        ("", KeyFormat.Fault.guessable), ("plain-text-is-no-secret-however-long-it-is", .guessable), ("{base62:21}", .guessable),
        ("{hex:31}", .guessable), ("{hex:0}", .malformed), ("{hex:-1}", .malformed), ("{hex:+32}", .malformed), ("{hex}", .malformed),
        ("{hex:32", .malformed), ("hex:32}", .malformed), ("{octal:64}", .malformed), ("{hex:32:1}", .malformed),
        ("a b{hex:32}", .characterNotAllowed), ("a,{hex:32}", .characterNotAllowed), ("ä{hex:32}", .characterNotAllowed),
        ("{hex:513}", .malformed), ("{hex:512}x", .tooLong), ("{hex:99999999999999999999}", .malformed),
    ])
    func `what is no format of keys is refused`(format: String, fault: KeyFormat.Fault) {
        #expect(throws: fault) { try KeyFormat(format) }
    }
}
