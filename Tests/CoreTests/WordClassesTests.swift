import Testing

@testable import Core

/// Every class of bytes of a word, held against what one byte says.
@Suite struct WordClassesTests {
    static func isLetter(_ byte: UInt8) -> Bool { 0x41...0x5A ~= byte || 0x61...0x7A ~= byte }
    static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }

    /// The word of eight bytes, first byte lowest.
    static func word(_ bytes: [UInt8]) -> UInt64 {
        bytes.enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
    }

    /// `judge` marks exactly the bytes for which `isMarked` holds, wherever in a word they stand and whatever beside
    /// them.
    static func check(_ judge: (UInt64) -> UInt64, _ isMarked: (UInt8) -> Bool) {
        var generator = SplitMix(state: 17)
        for byte in UInt8.min...UInt8.max {
            for position in 0..<8 {
                for beside in [0x00, 0x2F, 0x61, 0x7F, 0x80, 0xFF, nil] as [UInt8?] {
                    var bytes = (0..<8).map { _ in beside ?? UInt8.random(in: 0...255, using: &generator) }
                    bytes[position] = byte
                    let expected = word(bytes.map { isMarked($0) ? 0x80 : 0 })
                    if judge(word(bytes)) != expected { Issue.record("\(bytes)") }
                }
            }
        }
    }

    @Test func `controls are the bytes below 0x20 and DEL`() {
        Self.check({ $0.controls }, { $0 < 0x20 || $0 == 0x7F })
    }

    @Test func `what stands outside most names and paths is told by the byte`() {
        Self.check({ $0.outsideNames }, { !Self.isLetter($0) && !Self.isDigit($0) && $0 != 0x2D && $0 != 0x2E })
        Self.check({ $0.outsidePaths }, { !Self.isLetter($0) && !(0x2D...0x39 ~= $0) })
    }

    @Test func `a target holds visible ASCII without number signs`() {
        Self.check({ $0.outsideTargets }, { !(0x21...0x7E ~= $0) || $0 == 0x23 })
    }

    @Test(arguments: [0x00, 0x2C, 0x3A, 0x7F, 0x80, 0xFF] as [UInt8]) func `equal bytes are found`(byte: UInt8) {
        Self.check({ $0.equalling(byte) }, { $0 == byte })
    }

    @Test func `capitals of ASCII become small and nothing else changes`() {
        var generator = SplitMix(state: 18)
        for byte in UInt8.min...UInt8.max {
            for position in 0..<8 {
                var bytes = (0..<8).map { _ in UInt8.random(in: 0...255, using: &generator) }
                bytes[position] = byte
                let expected = Self.word(bytes.map { 0x41...0x5A ~= $0 ? $0 + 0x20 : $0 })
                if Self.word(bytes).lowercasedASCII != expected { Issue.record("\(bytes)") }
            }
        }
    }
}
