import Core

/// What a server makes of bytes in a segment that are not UTF-8, where `paths.invalid_utf8` keeps them.
enum OctetReading: Sendable, CaseIterable {
    /// They are left out, as by decoders that ignore errors.
    case dropped
    /// Each is the character of that number, as in ISO 8859-1.
    case latin1
    /// Longer forms of ASCII characters than UTF-8 has ("C1 A1" for "a") are these characters.
    case overlong
    /// The same, and the rest is left out.
    case overlongDropped

    /// Reads the segment that begins at `start` and goes to the end of `text`.
    func apply(from start: Int, to text: inout [UInt8]) {
        guard start < text.count, text[start...].contains(where: { $0 >= 0x80 }) else { return }
        let segment = Array(text[start...])
        text.removeLast(segment.count)
        var index = 0
        while index < segment.count {
            let width = Self.validWidth(segment.span, at: index)
            if width > 0 {
                text += segment[index..<index &+ width]
                index &+= width
                continue
            }
            if self == .overlong || self == .overlongDropped, let (ascii, width) = Self.overlong(segment.span, at: index) {
                text.append(ascii)
                index &+= width
                continue
            }
            switch self {
            case .dropped, .overlongDropped: break
            case .latin1:
                text.append(0xC0 | segment[index] >> 6)
                text.append(0x80 | segment[index] & 0x3F)
            case .overlong: text.append(segment[index])
            }
            index &+= 1
        }
    }

    /// The length of the UTF-8 character at `index`; 0 where there is none.
    private static func validWidth(_ bytes: Span<UInt8>, at index: Int) -> Int {
        var sequence = UTF8Checker()
        var end = index
        while end < bytes.count, sequence.accepts(bytes[end]) {
            end &+= 1
            if sequence.isComplete { return end &- index }
        }
        return 0
    }

    /// The ASCII character that a longer form at `index` would be, and how long that is: of two to six bytes, as before RFC 3629.
    static func overlong(_ bytes: Span<UInt8>, at index: Int) -> (ascii: UInt8, width: Int)? {
        let width: Int
        var value: UInt32
        switch bytes[index] {
        case 0xC0...0xC1: (width, value) = (2, UInt32(bytes[index] & 0x1F))
        case 0xE0: (width, value) = (3, 0)
        case 0xF0: (width, value) = (4, 0)
        case 0xF8: (width, value) = (5, 0)
        case 0xFC: (width, value) = (6, 0)
        default: return nil
        }
        guard index &+ width <= bytes.count else { return nil }
        for place in index &+ 1..<index &+ width {
            guard bytes[place] & 0xC0 == 0x80 else { return nil }
            value = value << 6 | UInt32(bytes[place] & 0x3F)
        }
        return value < 0x80 ? (UInt8(value), width) : nil
    }

    /// A longer form in the decoded segment hides a character of the syntax of paths, or a control: ` `, `%`, `.`, `/`, `;`, `\`. It
    /// is what such forms are sent for, so that it is refused in any case.
    static func hidesSyntax(_ segment: Span<UInt8>) -> Bool {
        for index in segment.indices where segment[index] >= 0xC0 {
            guard let ascii = overlong(segment, at: index)?.ascii else { continue }
            switch ascii {
            case 0x00...0x20, 0x25, 0x2E, 0x2F, 0x3B, 0x5C, 0x7F: return true
            default: continue
            }
        }
        return false
    }
}
