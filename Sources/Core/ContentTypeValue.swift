/// The value of a Content-Type field (RFC 9110 §8.3), read so that parsers who read it otherwise have nothing to differ about.
package enum ContentTypeValue {
    /// The media type without parameters, in lower case, of content in UTF-8. Nil where a parameter is malformed, or where
    /// some parser could read a charset other than UTF-8 in it: another name, a second one, `charset*`, one within quotation marks.
    package static func utf8MediaType(_ value: Span<UInt8>) -> String? {
        let end = value.firstIndex(of: 0x3B) ?? value.count
        let type = value.extracting(value.trimmed(0..<end))
        guard let slash = type.firstIndex(of: 0x2F), type.extracting(0..<slash).isToken, type.extracting((slash &+ 1)...).isToken
        else { return nil }
        if end < value.count, !isUTF8(value, from: end) { return nil }
        return String(decoding: type.copied().map(\.lowercasedASCII), as: UTF8.self)
    }

    /// - Parameter start: the place of a ";".
    private static func isUTF8(_ value: Span<UInt8>, from start: Int) -> Bool {
        var index = start
        var charsets = 0
        while index < value.count {
            guard value[index] == 0x3B else { return false }
            index = skipSpaces(value, from: index &+ 1)
            let name = index
            index = value.firstIndexOutsideToken(from: index)
            // Nothing between two ";" (RFC 9110 §5.6.6).
            if index == name {
                if index < value.count, value[index] != 0x3B { return false }
                continue
            }
            guard index < value.count, value[index] == 0x3D, let (text, next) = parameterValue(value, from: index &+ 1) else {
                return false
            }
            if value.extracting(name..<index).equalsIgnoringCase("charset") {
                charsets &+= 1
                guard text.span.equalsIgnoringCase("utf-8") || text.span.equalsIgnoringCase("utf8") else { return false }
            }
            index = skipSpaces(value, from: next)
        }
        return charsets <= 1 && occurrences(of: "charset", in: value, from: start) == charsets
    }

    /// A token or a quoted string, and where it ends; nil where it is neither.
    private static func parameterValue(_ value: Span<UInt8>, from start: Int) -> (text: [UInt8], end: Int)? {
        guard start < value.count, value[start] == 0x22 else {
            let end = value.firstIndexOutsideToken(from: start)
            return end == start ? nil : (value.extracting(start..<end).copied(), end)
        }
        var text: [UInt8] = []
        var index = start &+ 1
        while index < value.count {
            switch value[index] {
            case 0x22: return (text, index &+ 1)
            case 0x5C:
                index &+= 1
                guard index < value.count else { return nil }
                text.append(value[index])
            case let byte: text.append(byte)
            }
            index &+= 1
        }
        return nil
    }

    private static func skipSpaces(_ value: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < value.count, value[index].isOptionalWhitespace { index &+= 1 }
        return index
    }

    private static func occurrences(of word: StaticString, in value: Span<UInt8>, from start: Int) -> Int {
        var count = 0
        var index = start
        while index &+ word.utf8CodeUnitCount <= value.count {
            if value.extracting(index..<index &+ word.utf8CodeUnitCount).equalsIgnoringCase(word) { count &+= 1 }
            index &+= 1
        }
        return count
    }
}
