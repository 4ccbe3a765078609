import Core

/// Folds letters and digits as a server may that makes no difference of case: capitals of ASCII, and the characters that
/// Unicode's case folding or compatibility mapping turns into a letter or digit of ASCII: full-width forms, KELVIN SIGN,
/// LATIN SMALL LETTER LONG S, and the Turkish letters I with and without a dot.
enum LetterFold {
    /// Appends the folded text. One pass.
    static func append(_ text: Span<UInt8>, to folded: inout [UInt8]) {
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte < 0x80 {
                folded.append(byte.lowercasedASCII)
                index &+= 1
            } else if let (letter, width) = letter(text, at: index) {
                folded.append(letter)
                index &+= width
            } else {
                folded.append(byte)
                index &+= 1
            }
        }
    }

    static func folded(_ text: [UInt8]) -> [UInt8] {
        var folded: [UInt8] = []
        append(text.span, to: &folded)
        return folded
    }

    private static func letter(_ text: Span<UInt8>, at index: Int) -> (UInt8, Int)? {
        guard index &+ 1 < text.count else { return nil }
        let second = text[index &+ 1]
        switch (text[index], second) {
        case (0xC5, 0xBF): return (0x73, 2)
        case (0xC4, 0xB0), (0xC4, 0xB1): return (0x69, 2)
        case (0xE2, 0x84): return index &+ 2 < text.count && text[index &+ 2] == 0xAA ? (0x6B, 3) : nil
        case (0xEF, 0xBC), (0xEF, 0xBD):
            guard index &+ 2 < text.count else { return nil }
            // U+FF01 to U+FF5E are 0x21 to 0x7E.
            let ascii = (second == 0xBC ? 0x20 : 0x60) &+ (text[index &+ 2] &- 0x80)
            guard ascii.isLetterOrDigit else { return nil }
            return (ascii.lowercasedASCII, 3)
        default: return nil
        }
    }
}
