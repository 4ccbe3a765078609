import Testing

@testable import Core

struct FormPairsTests {
    private func pairs(_ text: String, countLimit: Int = 10) -> [String]? {
        try? FormPairs.parse(Array(text.utf8).span, countLimit: countLimit).map { "\($0.name)=\($0.value)" }
    }

    @Test(arguments: [
        ("", []), ("&&", []), ("a", ["a="]), ("a=1&b=2", ["a=1", "b=2"]), ("a=1&a=2", ["a=1", "a=2"]), ("=1", ["=1"]), ("a=b=c", ["a=b=c"]),
        ("a+b=%20+%2B", ["a b=  +"]), ("a;b=1", ["a;b=1"]), ("%C3%A9=1&", ["\u{E9}=1"]),
    ])
    func `pairs are read in their order`(text: String, expected: [String]) {
        #expect(pairs(text) == expected)
    }

    @Test(arguments: ["%", "a=%4", "%zz=1", "a=%FF", "%C0%AF=1", "a=%ED%A0%80", "\u{2026}&%u0061=1"])
    func `what is not percent-encoded UTF-8 is malformed`(text: String) {
        #expect(pairs(text) == nil)
    }

    @Test func `more pairs than the limit are malformed, empty ones too`() {
        #expect(pairs("&&&&&&&&&") != nil)
        #expect(pairs("&&&&&&&&&&") == nil)
    }

    @Test func `a pair tells where it is`() throws {
        let found = try FormPairs.parse(Array("&a=1&&bc".utf8).span, countLimit: 9).map(\.range)
        #expect(found == [1..<4, 6..<8])
    }
}
