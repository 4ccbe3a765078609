/// Base64url without padding (RFC 4648 §5, RFC 7515 §2), read strictly: every text of it stands for other bytes.
package enum Base64URL {
    /// Appends what the text stands for. False, with `output` as it was, for a byte outside of the alphabet (padding
    /// and white space included), for a length of 1 modulo 4, and for bits that are set beyond the last byte.
    package static func decode(_ text: Span<UInt8>, into output: inout [UInt8]) -> Bool {
        let start = output.count
        let wholeGroups = text.count / 4
        let rest = text.count & 3
        guard rest != 1 else { return false }
        output.append(contentsOf: repeatElement(0, count: wholeGroups &* 3 &+ (rest == 0 ? 0 : rest &- 1)))
        guard fill(&output, from: start, with: text, wholeGroups: wholeGroups) else {
            output.removeSubrange(start...)
            return false
        }
        return true
    }

    /// The bytes a text stands for; nil where the other function says false.
    package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        return decode(text, into: &result) ? result : nil
    }

    package static func encode(_ bytes: Span<UInt8>) -> String {
        var text: [UInt8] = []
        text.append(base64URL: bytes)
        return String(decoding: text, as: UTF8.self)
    }

    private static func fill(
        _ output: inout [UInt8], from start: Int, with text: Span<UInt8>, wholeGroups: Int
    ) -> Bool {
        let table = sextets
        let values = table.span
        var target = output.mutableSpan
        var write = start
        var read = 0
        // Bytes outside of the alphabet have the two top bits of a byte set: looked at once, at the end.
        var seen: UInt8 = 0
        for _ in 0..<wholeGroups {
            let group = text.halfWord(at: read)
            let a = values[Int(group & 0xFF)]
            let b = values[Int(group >> 8 & 0xFF)]
            let c = values[Int(group >> 16 & 0xFF)]
            let d = values[Int(group >> 24)]
            seen |= a | b | c | d
            target[write] = a << 2 | b >> 4
            target[write &+ 1] = b << 4 | c >> 2
            target[write &+ 2] = c << 6 | d
            read &+= 4
            write &+= 3
        }
        let rest = text.count &- read
        if rest >= 2 {
            let a = values[Int(text[read])]
            let b = values[Int(text[read &+ 1])]
            let c = rest == 3 ? values[Int(text[read &+ 2])] : 0
            seen |= a | b | c
            target[write] = a << 2 | b >> 4
            if rest == 3 { target[write &+ 1] = b << 4 | c >> 2 }
            let unused = rest == 3 ? c & 0x03 : b & 0x0F
            guard unused == 0 else { return false }
        }
        return seen & 0xC0 == 0
    }

    static let alphabet: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The six bits of each byte, 0xFF for bytes outside of the alphabet.
    private static let sextets: [UInt8] = {
        var table = [UInt8](repeating: 0xFF, count: 256)
        for (value, byte) in alphabet.enumerated() { table[Int(byte)] = UInt8(truncatingIfNeeded: value) }
        return table
    }()
}

extension Array where Element == UInt8 {
    /// Appends bytes as base64url without padding.
    package mutating func append(base64URL bytes: Span<UInt8>) {
        let alphabet = Base64URL.alphabet
        reserveCapacity(count &+ (bytes.count &* 4 &+ 2) / 3)
        var index = 0
        while index < bytes.count {
            let remaining = bytes.count &- index
            let a = bytes[index]
            let b = remaining > 1 ? bytes[index &+ 1] : 0
            let c = remaining > 2 ? bytes[index &+ 2] : 0
            append(alphabet[Int(a >> 2)])
            append(alphabet[Int((a & 0x03) << 4 | b >> 4)])
            if remaining > 1 { append(alphabet[Int((b & 0x0F) << 2 | c >> 6)]) }
            if remaining > 2 { append(alphabet[Int(c & 0x3F)]) }
            index &+= 3
        }
    }
}
