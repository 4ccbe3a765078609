import Core

/// A compiled body or header of an answer, whose values are escaped for the place they are in. In a JSON body, outside of
/// quotation marks, a text becomes a JSON string and an absent number `null`, so that the body is JSON whatever the reason.
struct AnswerBody: Sendable {
    private struct Part: Sendable {
        var part: AnswerTemplatePart
        /// It stands between quotation marks.
        var isQuoted: Bool
    }

    private let parts: [Part]
    let escaping: AnswerEscaping

    init(_ template: [AnswerTemplatePart], _ escaping: AnswerEscaping) {
        self.escaping = escaping
        var isQuoted = false
        parts = template.map { part in
            let result = Part(part: part, isQuoted: isQuoted)
            if case .literal(let text) = part { isQuoted = Self.isQuoted(after: text, from: isQuoted) }
            return result
        }
    }

    private static func isQuoted(after text: String, from start: Bool) -> Bool {
        var isQuoted = start
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped {
                isEscaped = false
            } else if byte == 0x5C, isQuoted {
                isEscaped = true
            } else if byte == 0x22 {
                isQuoted.toggle()
            }
        }
        return isQuoted
    }

    func append(_ values: AnswerValues, requestID: Span<UInt8>, to output: inout [UInt8]) {
        for part in parts {
            switch part.part {
            case .literal(let text): output.append(contentsOf: text.utf8.span)
            case .reason: append(values.reason.utf8.span, part, to: &output)
            case .title: append(values.title.description.utf8.span, part, to: &output)
            case .detail: append(values.detail.description.utf8.span, part, to: &output)
            case .requestID: append(requestID, part, to: &output)
            case .status: output.append(decimal: values.status)
            case .retryAfter: append(values.retryAfter, part, to: &output)
            case .reset: append(values.reset, part, to: &output)
            case .errors: append(values.messages.isEmpty ? [values.detail.description] : values.messages, part, to: &output)
            }
        }
    }

    private func append(_ text: Span<UInt8>, _ part: Part, to output: inout [UInt8]) {
        escaping.append(text, isQuoted: part.isQuoted, to: &output)
    }

    /// A list of sentences.
    private func append(_ texts: [String], _ part: Part, to output: inout [UInt8]) {
        guard escaping.isJSON, !part.isQuoted else { return append(texts.joined(separator: " ").utf8.span, part, to: &output) }
        output.append("[")
        for (index, text) in texts.enumerated() {
            if index > 0 { output.append(",") }
            escaping.append(text.utf8.span, isQuoted: false, to: &output)
        }
        output.append("]")
    }

    private func append(_ number: Int64?, _ part: Part, to output: inout [UInt8]) {
        if let number {
            output.append(decimal: number)
        } else if escaping.isJSON, !part.isQuoted {
            output.append("null")
        }
    }
}
