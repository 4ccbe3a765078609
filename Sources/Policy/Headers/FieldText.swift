import Core

/// How values of the request and of the identity are written into field values.
///
/// Bytes outside printable ASCII and "%" are percent-encoded, byte by byte of the UTF-8 text, and so are spaces at
/// either end: percent-decoding gives back exactly the value, and no value can end the line, hide behind trimmed
/// whitespace, or pass for another. Ordinary values have none of these and stay as they are. The elements of a joined
/// array have "," encoded as well.
enum FieldText {
    /// Appends `text` by the rule above.
    static func append(_ text: Span<UInt8>, to output: inout [UInt8], isElement: Bool = false) {
        let last = text.count &- 1
        for index in text.indices {
            let byte = text[index]
            let isOuterSpace = byte == 0x20 && (index == 0 || index == last)
            if byte < 0x20 || byte > 0x7E || byte == 0x25 || isOuterSpace || isElement && byte == 0x2C {
                output.append(percentEncoded: byte)
            } else {
                output.append(byte)
            }
        }
    }

    /// True when `append` would write something else than the text itself.
    static func needsEscape(_ text: Span<UInt8>) -> Bool {
        if text.count > 0, text[0] == 0x20 || text[text.count &- 1] == 0x20 { return true }
        for index in text.indices where text[index] &- 0x20 > 0x5E || text[index] == 0x25 { return true }
        return false
    }

    /// Appends compact JSON in ASCII: JSON has an escape of its own for the rest.
    static func append(json node: JSONNode, to output: inout [UInt8]) {
        var text: [UInt8] = []
        text.append(json: node)
        for unit in String(decoding: text, as: UTF8.self).utf16 {
            if unit < 0x80 {
                output.append(UInt8(truncatingIfNeeded: unit))
            } else {
                appendEscape(unit, to: &output)
            }
        }
    }

    /// Appends `\uXXXX`.
    private static func appendEscape(_ unit: UInt16, to output: inout [UInt8]) {
        output.append("\\u")
        for shift: UInt16 in [12, 8, 4, 0] {
            let digit = UInt8(truncatingIfNeeded: unit >> shift) & 0xF
            output.append(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
        }
    }
}
