/// The first of what UTF-8 (RFC 3629, Unicode table 3-7) makes of some bytes: one scalar, or one ill-formed part.
struct UTF8Sequence: Equatable {
    /// 1…4. Of an ill-formed part, the bytes that one U+FFFD stands for (Unicode §3.9, maximal subparts).
    var length: Int
    var isWellFormed: Bool
}

extension Span where Element == UInt8 {
    /// The sequence that begins at `start`, which must be within bounds.
    func utf8Sequence(at start: Int) -> UTF8Sequence {
        let first = self[start]
        let continuations: Int
        // Only the second byte has a range of its own: it rules out overlong forms, surrogates and values above
        // U+10FFFF.
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0x00...0x7F: return UTF8Sequence(length: 1, isWellFormed: true)
        case 0xC2...0xDF: continuations = 1
        case 0xE0:
            continuations = 2
            second = 0xA0...0xBF
        case 0xED:
            continuations = 2
            second = 0x80...0x9F
        case 0xE1...0xEF: continuations = 2
        case 0xF0:
            continuations = 3
            second = 0x90...0xBF
        case 0xF1...0xF3: continuations = 3
        case 0xF4:
            continuations = 3
            second = 0x80...0x8F
        default: return UTF8Sequence(length: 1, isWellFormed: false)
        }
        for offset in 1...continuations {
            let index = start &+ offset
            let allowed = offset == 1 ? second : 0x80...0xBF
            guard index < count, allowed.contains(self[index]) else {
                return UTF8Sequence(length: offset, isWellFormed: false)
            }
        }
        return UTF8Sequence(length: continuations &+ 1, isWellFormed: true)
    }
}
