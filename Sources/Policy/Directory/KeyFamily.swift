package import Core

/// What the tokens that descend from one secret of an API key name it by: half of the secret's digest, spelled as a UUID
/// of version 8 (RFC 9562 §5.8). It takes no storage, and whoever removes the secret has ended the family.
package struct KeyFamily: Hashable, Sendable {
    /// Bits 0 to 63 of the digest.
    let high: UInt64
    /// Bits 64 to 121 of the digest, from the top; the lowest six are zero.
    private let low: UInt64

    package init(_ digest: Digest256) {
        high = digest.a
        low = digest.b & ~0x3F
    }

    /// Nil for every other spelling than that of `text`.
    package init?(_ text: Span<UInt8>) {
        guard text.count == 36 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for index in text.indices {
            let byte = text[index]
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == 0x2D else { return nil }
                continue
            }
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte &- 0x30
            case 0x61...0x66: digit = byte &- 0x57
            default: return nil
            }
            if digits < 16 {
                words.0 = words.0 << 4 | UInt64(digit)
            } else {
                words.1 = words.1 << 4 | UInt64(digit)
            }
            digits &+= 1
        }
        guard words.0 >> 12 & 0xF == 8, words.1 >> 62 == 2 else { return nil }
        let third = words.0 & 0xFFF
        high = words.0 & ~0xFFFF | third << 4 | words.1 >> 58 & 0xF
        low = words.1 << 6
    }

    /// In lower case.
    package var text: String {
        let first = high & ~0xFFFF | 0x8000 | high >> 4 & 0xFFF
        let second = 0x8000_0000_0000_0000 | (high & 0xF) << 58 | low >> 6
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append(0x2D) }
            let word = index < 16 ? first : second
            text.append(digits[Int(truncatingIfNeeded: word >> UInt64(60 - index % 16 * 4) & 0xF)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
