/// Text as the most lenient decoders take it: what is refused or replaced elsewhere reads as something here.
enum LenientScalar {
    /// What a byte that begins no sequence reads as; above every scalar, and skipped.
    private static let invalid: UInt32 = 0x11_0000

    /// The scalar at `index`, which is within bounds, and its length in bytes. Overlong forms (RFC 3629 §3) have the value
    /// they spell.
    static func decode(_ text: Span<UInt8>, at index: Int) -> (scalar: UInt32, length: Int) {
        let first = text[index]
        let length: Int
        var scalar: UInt32
        switch first {
        case 0x00...0x7F: return (UInt32(first), 1)
        case 0xC0...0xDF: (length, scalar) = (2, UInt32(first & 0x1F))
        case 0xE0...0xEF: (length, scalar) = (3, UInt32(first & 0x0F))
        case 0xF0...0xF7: (length, scalar) = (4, UInt32(first & 0x07))
        default: return (invalid, 1)
        }
        guard text.count &- index >= length else { return (invalid, 1) }
        for offset in 1..<length {
            let byte = text[index &+ offset]
            guard byte & 0xC0 == 0x80 else { return (invalid, 1) }
            scalar = scalar << 6 | UInt32(byte & 0x3F)
        }
        return (scalar, length)
    }

    /// Separators within names ("_", "-", ".", "[", white space, full-width forms of them), and what shows nothing: such as
    /// zero-width characters, a byte order mark, or bytes that are not UTF-8.
    static func isSkipped(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x5F, 0x2D, 0x2E, 0x5B, 0x20, 0x09...0x0D: return true
        case 0x00...0x7F: return false
        case 0xFF01...0xFF5E: return isSkipped(scalar &- 0xFEE0)
        default:
            guard scalar < invalid, let scalar = Unicode.Scalar(scalar) else { return true }
            return scalar.properties.isDefaultIgnorableCodePoint || scalar.properties.isWhitespace
        }
    }

    /// The scalar without case: that of Unicode, so that U+017F is "s" and U+212A is "k", and full-width forms are ASCII.
    static func folded(_ scalar: UInt32) -> UInt32 {
        switch scalar {
        case 0x41...0x5A: return scalar | 0x20
        case 0x00...0x7F: return scalar
        case 0xFF01...0xFF5E: return folded(scalar &- 0xFEE0)
        default:
            guard let upper = Unicode.Scalar(scalar)?.properties.uppercaseMapping.unicodeScalars.first,
                let lower = upper.properties.lowercaseMapping.unicodeScalars.first
            else { return scalar }
            return lower.value
        }
    }

    /// Decodes "+", `%XX` and `%uXXXX` once, and `%25XX` to the end: an escape that was escaped however often is one step.
    static func unescape(_ text: Span<UInt8>, into output: inout [UInt8]) {
        var index = 0
        while index < text.count {
            let byte = text[index]
            index &+= 1
            guard byte == 0x25 else {
                output.append(byte == 0x2B ? 0x20 : byte)
                continue
            }
            var place = index
            while hex(text, at: place, digits: 2) == 0x25, isEscape(text, at: place &+ 2) { place &+= 2 }
            if let value = hex(text, at: place, digits: 2) {
                output.append(UInt8(truncatingIfNeeded: value))
                index = place &+ 2
            } else if isEscape(text, at: place), let value = hex(text, at: place &+ 1, digits: 4) {
                if let scalar = Unicode.Scalar(value) { output.append(contentsOf: Array(String(scalar).utf8)) }
                index = place &+ 5
            } else {
                output.append(byte)
            }
        }
    }

    /// What follows a "%" here makes an escape of it.
    private static func isEscape(_ text: Span<UInt8>, at index: Int) -> Bool {
        if hex(text, at: index, digits: 2) != nil { return true }
        return index < text.count && text[index] | 0x20 == 0x75 && hex(text, at: index &+ 1, digits: 4) != nil
    }

    private static func hex(_ text: Span<UInt8>, at index: Int, digits: Int) -> UInt32? {
        guard text.count &- index >= digits else { return nil }
        var value: UInt32 = 0
        for offset in 0..<digits {
            guard let digit = text[index &+ offset].hexDigit else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
