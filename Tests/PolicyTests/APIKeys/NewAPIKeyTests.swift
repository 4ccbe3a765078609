import Testing

@testable import Policy

struct NewAPIKeyTests {
    @Test(arguments: [
        ((UInt64(0), UInt64(0)), "0000000000000000000000"), ((0, 61), "000000000000000000000z"),
        ((0, 62), "0000000000000000000010"), ((UInt64.max, UInt64.max), "7n42DGM5Tflk9n8mt7Fhc7"),
    ])
    func `the body spells the random bits exactly`(random: (UInt64, UInt64), body: String) throws {
        let key = try #require(NewAPIKey(prefix: "rbtk_", random: random))
        #expect(String(decoding: key.text, as: UTF8.self) == "rbtk_" + body)
    }

    @Test func `different bits give different keys of one length`() throws {
        var generator = SeededGenerator(state: 3)
        var seen: Set<[UInt8]> = []
        for _ in 0..<1_000 {
            let key = try #require(NewAPIKey(prefix: "a_", random: (generator.next(), generator.next())))
            #expect(key.text.count == 2 + NewAPIKey.bodyLength)
            #expect(seen.insert(key.text).inserted)
        }
    }

    @Test(arguments: [
        ("rbtk_", true), ("A_", true), ("abcdefghijklmnop_", true), ("abcdefghijklmnopq_", false), ("_", false),
        ("", false), ("rbtk", false), ("rb-tk_", false), ("rb_tk_", false), ("ré_", false), ("a _", false),
        ("a_\n", false),
    ])
    func `prefixes are letters and digits and an underscore`(prefix: String, isValid: Bool) {
        #expect(NewAPIKey.isValidPrefix(prefix) == isValid)
        #expect((NewAPIKey(prefix: prefix, random: (1, 2)) != nil) == isValid)
    }
}
