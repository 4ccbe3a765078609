import Core

/// Comparison and checks of text from tokens, byte for byte: Swift's `==` takes canonically equivalent strings for
/// equal, and identifiers in tokens are not (RFC 7515 §2, StringOrURI).
extension String {
    func isExactly(_ other: String) -> Bool { utf8.span.equals(other.utf8.span) }

    /// True when there is a control character of ASCII or Latin-1 in it: nothing a header value may hold.
    var hasControls: Bool {
        let bytes = utf8.span
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x20 || byte == 0x7F { return true }
            // U+0080 to U+009F begin with 0xC2 and end below 0xA0; a string is well-formed UTF-8.
            if byte == 0xC2, index &+ 1 < bytes.count, bytes[index &+ 1] < 0xA0 { return true }
            index &+= 1
        }
        return false
    }

    /// No name of anything: control characters, which no header value may hold, or U+FFFD, as which half of a surrogate pair reads,
    /// so that different texts would be one name.
    var isUnfit: Bool { hasControls || hasReplacement }

    /// There is U+FFFD in it.
    var hasReplacement: Bool {
        let bytes = utf8.span
        var index = 0
        while let first = bytes.firstIndex(of: 0xEF, from: index) {
            if first &+ 2 < bytes.count, bytes[first &+ 1] == 0xBF, bytes[first &+ 2] == 0xBD { return true }
            index = first &+ 1
        }
        return false
    }

    /// There is nothing in it but white space and what shows nothing, such as zero-width characters.
    var isBlank: Bool {
        if let first = utf8.first, 0x21...0x7E ~= first { return false }
        return unicodeScalars.allSatisfy { scalar in
            let properties = scalar.properties
            return (properties.isWhitespace || properties.isDefaultIgnorableCodePoint) && properties.generalCategory != .control
        }
    }

    var hasWhitespace: Bool { utf8.contains { $0.isOptionalWhitespace } }
}

extension [String] {
    func containsExactly(_ text: String) -> Bool { contains { $0.isExactly(text) } }
}
