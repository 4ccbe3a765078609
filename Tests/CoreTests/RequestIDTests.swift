import Core
import Testing

struct RequestIDTests {
    private func text(_ high: UInt64, _ low: UInt64) -> String {
        var bytes: [UInt8] = []
        RequestID(high: high, low: low).append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func isAcceptable(_ text: String) -> Bool { RequestID.isAcceptable(text.utf8.span) }

    @Test func `an identifier is rq_ and 22 base62 characters`() throws {
        let shape = try Regex("rq_[0-9A-Za-z]{22}")
        for word in [0, 1, 61, 62, 1 << 32, .max - 1, .max] as [UInt64] {
            #expect(try shape.wholeMatch(in: text(word, .max - word)) != nil)
        }
        #expect(text(0, 0) == "rq_0000000000000000000000")
        #expect(text(.max, 0).hasPrefix("rq_zzzzzzzzzz"))
        #expect(text(0, 0).utf8.count == RequestID.byteCount)
    }

    @Test func `neighbouring words have different texts in their order`() {
        var generator = SplitMix(state: 9)
        for _ in 0..<5000 {
            let word = UInt64.random(in: 0..<UInt64.max, using: &generator)
            #expect(text(word, 0) < text(word + 1, 0))
            #expect(text(0, word) < text(0, word + 1))
        }
    }

    @Test func `the digits are those of the word as a fraction`() {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        func slow(_ word: UInt64) -> String {
            var fraction = word
            let text = (0..<11).map { _ in
                let product = fraction.multipliedFullWidth(by: 62)
                fraction = product.low
                return digits[Int(product.high)]
            }
            return String(decoding: text, as: UTF8.self)
        }
        var generator = SplitMix(state: 10)
        for _ in 0..<5000 {
            let (high, low) = (generator.next(), generator.next())
            #expect(text(high, low) == "rq_" + slow(high) + slow(low))
        }
    }

    @Test(arguments: ["a", "rq_0123", "A.b-C_9", String(repeating: "x", count: 128)])
    func `an identifier of a client is acceptable`(text: String) {
        #expect(isAcceptable(text))
    }

    @Test(arguments: [
        "", String(repeating: "x", count: 129), "a b", "a/b", "a:b", "a\n", "é", "a\"", "a,b", "[", "`", "{", "@",
    ])
    func `anything else is not`(text: String) {
        #expect(!isAcceptable(text))
    }

    @Test func `what the gateway makes is acceptable to another gateway`() {
        #expect(isAcceptable(text(.max / 3, .max / 5)))
    }
}
