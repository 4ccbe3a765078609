import Core

/// How values are written into the gateway's own answers, so that no value, of whatever a client sent, can become more than
/// text where it is. Chosen by the body's content type or the field's name when the profile is compiled.
enum AnswerEscaping: Sendable, Equatable {
    /// JSON; a text outside of quotation marks becomes a string.
    case json
    /// JavaScript: as JSON, without characters that end a script element or a line.
    case script
    /// HTML, XML and every type that is not listed here: character references, in ASCII whatever the charset, for all that
    /// could end a text, an attribute in quotation marks, or a string.
    case markup
    /// `text/plain`: spaces in place of control characters, line ends too. The answer also says that its type is not to be guessed.
    case text
    /// `application/x-www-form-urlencoded`.
    case form
    /// A field value. Within quotation marks of the template a value cannot end them (RFC 9110 §5.6.4).
    case field
    /// Fields in which values are parts of URLs or of lists with attributes: percent-encoded.
    case encodedField

    /// For a body of this content type.
    init(contentType: String) {
        let end = contentType.utf8.firstIndex(of: 0x3B) ?? contentType.utf8.endIndex
        let bytes = contentType.utf8[..<end].map(\.lowercasedASCII).filter { !$0.isOptionalWhitespace }
        let type = String(decoding: bytes, as: UTF8.self)
        switch type {
        case "text/plain": self = .text
        case "application/x-www-form-urlencoded": self = .form
        case "text/javascript", "application/javascript", "application/x-javascript", "text/ecmascript", "application/ecmascript":
            self = .script
        default: self = type.hasSuffix("/json") || type.hasSuffix("+json") ? .json : .markup
        }
    }

    /// For the value of a field.
    init(field name: String) {
        switch name.lowercased() {
        case "location", "content-location", "refresh", "link", "set-cookie": self = .encodedField
        default: self = .field
        }
    }

    /// Values are strings, lists and numbers of JSON.
    var isJSON: Bool { self == .json || self == .script }

    /// A body of this kind could be taken for HTML by a client that guesses.
    var mayBeSniffed: Bool { self != .json }

    /// Appends a value.
    /// - Parameter isQuoted: it is between quotation marks of the template.
    func append(_ text: Span<UInt8>, isQuoted: Bool, to output: inout [UInt8]) {
        switch self {
        case .json, .script:
            var string: [UInt8] = []
            string.append(jsonString: text)
            let inner = isQuoted ? 1..<string.count &- 1 : 0..<string.count
            if self == .json {
                output.append(contentsOf: string.span.extracting(inner))
            } else {
                Self.append(script: string.span.extracting(inner), to: &output)
            }
        case .markup: Self.append(markup: text, to: &output)
        case .text:
            for scalar in String(decoding: text.copied(), as: UTF8.self).unicodeScalars {
                output.append(contentsOf: Self.isControl(scalar) ? [0x20] : Array(String(scalar).utf8))
            }
        case .form, .encodedField: output.append(percentEncoding: text)
        case .field:
            for index in text.indices {
                let byte = text[index]
                if isQuoted, byte == 0x22 || byte == 0x5C { output.append(0x5C) }
                output.append(byte < 0x20 || byte == 0x7F ? 0x20 : byte)
            }
        }
    }

    private static func append(markup text: Span<UInt8>, to output: inout [UInt8]) {
        for scalar in String(decoding: text.copied(), as: UTF8.self).unicodeScalars {
            switch scalar {
            case "&": output.append("&amp;")
            case "<": output.append("&lt;")
            case ">": output.append("&gt;")
            case "\"": output.append("&quot;")
            // Apart from the text's own end these end strings, begin formulas, or are shifts of UTF-7 and template marks.
            case "'", "`", "\\", "+", "=", "$", "{", "}", "%": Self.append(reference: scalar.value, to: &output)
            case _ where isControl(scalar): output.append(0x20)
            case _ where scalar.isASCII: output.append(UInt8(truncatingIfNeeded: scalar.value))
            case _: Self.append(reference: scalar.value, to: &output)
            }
        }
    }

    private static func append(reference value: UInt32, to output: inout [UInt8]) {
        output.append("&#")
        output.append(decimal: value)
        output.append(0x3B)
    }

    private static func append(script text: Span<UInt8>, to output: inout [UInt8]) {
        for scalar in String(decoding: text.copied(), as: UTF8.self).unicodeScalars {
            switch scalar {
            case "<": output.append("\\u003c")
            case ">": output.append("\\u003e")
            case "&": output.append("\\u0026")
            case "'": output.append("\\u0027")
            case "\u{2028}": output.append("\\u2028")
            case "\u{2029}": output.append("\\u2029")
            case _: output.append(contentsOf: Array(String(scalar).utf8))
            }
        }
    }

    /// C0, DEL, C1, and the separators and marks that change how a line is shown (Unicode: Cc, Cf, Zl, Zp).
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
