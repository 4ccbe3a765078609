/// A member name that equals those of the same code units only: Swift's own comparison takes canonically equivalent strings for equal.
struct ExactName: Hashable {
    let text: String

    static func == (a: ExactName, b: ExactName) -> Bool { a.text.utf8.span.equals(b.text.utf8.span) }

    func hash(into hasher: inout Hasher) {
        var word: UInt64 = 0
        var count = 0
        for byte in text.utf8 {
            word = word << 8 | UInt64(byte)
            count &+= 1
            if count & 7 == 0 { hasher.combine(word) }
        }
        hasher.combine(word)
        hasher.combine(count)
    }
}
