/// Hexadecimal text: two digits a byte (RFC 4648 §8), read in either case, written in lower case.
package enum Hex {
    /// Nil when the count is odd or a byte is no digit.
    package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count & 1 == 0 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 2)
        var index = 0
        while index < text.count {
            guard let high = text[index].hexDigit, let low = text[index &+ 1].hexDigit else { return nil }
            result.append(high << 4 | low)
            index &+= 2
        }
        return result
    }

    package static func encode(_ bytes: Span<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count &* 2)
        for index in bytes.indices { text.append(hexadecimal: bytes[index]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The number that exactly `text.count` digits (at most 16) spell; nil for anything else.
    static func word(_ text: Span<UInt8>) -> UInt64? {
        guard 1...16 ~= text.count else { return nil }
        var word: UInt64 = 0
        for index in text.indices {
            guard let digit = text[index].hexDigit else { return nil }
            word = word << 4 | UInt64(digit)
        }
        return word
    }
}

extension Digest256 {
    /// Reads 64 hexadecimal digits of either case.
    package init?(hex: String) {
        self.init(hex: hex.utf8.span)
    }

    /// Reads 64 hexadecimal digits of either case.
    package init?(hex: Span<UInt8>) {
        guard hex.count == 64, let a = Hex.word(hex.extracting(0..<16)), let b = Hex.word(hex.extracting(16..<32)),
            let c = Hex.word(hex.extracting(32..<48)), let d = Hex.word(hex.extracting(48..<64))
        else { return nil }
        self.init(a, b, c, d)
    }

    /// The digest as 64 lower-case digits.
    package var hex: String {
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for word in [a, b, c, d] { text.append(hexadecimal: word) }
        return String(decoding: text, as: UTF8.self)
    }
}

extension Array where Element == UInt8 {
    /// Appends the digit of a value below 16.
    mutating func append(lowercaseHexDigit value: UInt8) {
        append(value < 10 ? 0x30 &+ value : 0x57 &+ value)
    }

    /// Appends two lower-case digits.
    mutating func append(hexadecimal byte: UInt8) {
        append(lowercaseHexDigit: byte >> 4)
        append(lowercaseHexDigit: byte & 0xF)
    }

    /// Appends eight lower-case digits.
    package mutating func append(hexadecimal word: UInt32) {
        for shift: UInt32 in [24, 16, 8, 0] { append(hexadecimal: UInt8(truncatingIfNeeded: word >> shift)) }
    }

    /// Appends sixteen lower-case digits.
    mutating func append(hexadecimal word: UInt64) {
        var shift: UInt64 = 64
        while shift > 0 {
            shift &-= 8
            append(hexadecimal: UInt8(truncatingIfNeeded: word >> shift))
        }
    }
}
