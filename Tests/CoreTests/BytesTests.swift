import Testing

@testable import Core

@Suite struct BytesTests {
    static func lowercased(_ bytes: [UInt8]) -> [UInt8] { bytes.map { 0x41...0x5A ~= $0 ? $0 + 0x20 : $0 } }

    @Test func `runs are equal when each byte is, with or without their case`() {
        var generator = SplitMix(state: 21)
        for length in 0..<40 {
            for position in 0..<max(length, 1) {
                for _ in 0..<40 {
                    let bytes = (0..<length).map { _ in UInt8.random(in: 0x20...0x7F, using: &generator) }
                    var other = Bool.random(using: &generator) ? Self.lowercased(bytes) : bytes
                    if length > 0, Bool.random(using: &generator) {
                        other[position] ^= UInt8.random(in: 0...255, using: &generator)
                    }
                    // Bytes that begin anywhere in a word.
                    let offset = Int.random(in: 0..<8, using: &generator)
                    let placed = [UInt8](repeating: 0, count: offset) + bytes
                    let span = placed.span.extracting(offset..<placed.count)
                    if span.equals(other.span) != (bytes == other) { Issue.record("\(bytes) \(other)") }
                    let isSame = Self.lowercased(bytes) == Self.lowercased(other)
                    if span.equalsIgnoringCase(other.span) != isSame { Issue.record("\(bytes) \(other)") }
                    if span.equals(other.span.extracting(0..<max(0, other.count - 1))) != (length == 0) {
                        Issue.record("\(bytes) and less")
                    }
                }
            }
        }
    }

    static let literals: [StaticString] = [
        "", "a", "te", "via", "host", "close", "cookie", "trailer", "trailers", "forwarded", "content-length",
        "x-forwarded-for", "x-forwarded-host", "transfer-encoding", "proxy-authentication-info",
    ]

    /// Whether bytes equal a literal as they are, and when their case is ignored.
    static func spells(_ bytes: [UInt8], _ literal: StaticString) -> (Bool, Bool) {
        (bytes.span.equals(literal), bytes.span.equalsIgnoringCase(literal))
    }

    @Test func `a literal is spelled by its bytes alone, in any case where the case is ignored`() {
        for literal in Self.literals {
            let bytes = Array(literal.description.utf8)
            let capitals = bytes.map { 0x61...0x7A ~= $0 ? $0 - 0x20 : $0 }
            #expect(Self.spells(bytes, literal) == (true, true))
            #expect(Self.spells(capitals, literal) == (capitals == bytes, true))
            #expect(Self.spells(bytes + [0], literal) == (false, false))
            for position in bytes.indices {
                for byte in UInt8.min...UInt8.max {
                    var other = bytes
                    other[position] = byte
                    let expected = (other == bytes, Self.lowercased(other) == bytes)
                    if Self.spells(other, literal) != expected { Issue.record("\(other)") }
                }
            }
        }
    }

    @Test func `an array that holds other bytes holds only those`() {
        var array: [UInt8] = []
        for count in [3, 0, 3, 70, 2, 2] {
            let bytes = (0..<count).map { UInt8($0) }
            array.replaceAll(with: bytes.span)
            #expect(array == bytes)
        }
    }

    @Test func `a word at the end is filled up with zeros`() {
        let bytes = (1...20).map { UInt8($0) }
        for length in 0...20 {
            let span = bytes.span.extracting(0..<length)
            for start in 0...length + 2 {
                let expected = (0..<8).reduce(UInt64(0)) { word, index in
                    let byte = start + index < length ? bytes[start + index] : 0
                    return word | UInt64(byte) << UInt64(8 * index)
                }
                if span.filledWord(at: start) != expected { Issue.record("\(length) from \(start)") }
            }
        }
    }
}
