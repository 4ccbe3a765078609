/// One part of the body or of a header of the gateway's own answers.
package enum AnswerTemplatePart: Sendable, Equatable {
    case literal(String)
    /// `{reason}`: the stable identifier, as `token_expired`.
    case reason
    /// `{status}`: the status code.
    case status
    /// `{title}`: the reason in a few words.
    case title
    /// `{detail}`: one sentence about this refusal.
    case detail
    /// `{request_id}`.
    case requestID
    /// `{retry_after}`: seconds until another try makes sense; empty when there is no such time.
    case retryAfter
    /// `{reset}`: the Unix second of that moment; empty when there is none.
    case reset
    /// `{errors}`: what is wrong in particular: in JSON, outside of quotation marks, an array of sentences; elsewhere the
    /// sentences one after the other. The detail where nothing in particular is wrong.
    case errors
}

/// The syntax of answer templates. Bodies are mostly JSON, so a "{" begins a placeholder only when a name of lower-case
/// letters and "_" and a "}" follow it; every other brace is itself. `{{reason}` writes `{reason}`.
package enum AnswerTemplate {
    /// A longer body is refused.
    package static let byteLimit = 65_536

    package static let placeholders = ["detail", "errors", "reason", "request_id", "reset", "retry_after", "status", "title"]

    /// The parts of a template; neighbouring literals are one part, an empty text has no parts.
    package static func parse(_ text: String) throws(TemplateError) -> [AnswerTemplatePart] {
        guard text.utf8.count <= byteLimit else { throw .tooLong }
        var parts: [AnswerTemplatePart] = []
        var literal = ""
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() {
            guard scalar == "{" else {
                literal.unicodeScalars.append(scalar)
                continue
            }
            if rest.first == "{" {
                rest.removeFirst()
                literal.unicodeScalars.append("{")
                continue
            }
            let end = rest.firstIndex { !("a"..."z").contains($0) && $0 != "_" } ?? rest.endIndex
            guard end > rest.startIndex, end < rest.endIndex, rest[end] == "}" else {
                literal.unicodeScalars.append("{")
                continue
            }
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = ""
            parts.append(try placeholder(String(rest[..<end])))
            rest = rest[rest.index(after: end)...]
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        return parts
    }

    private static func placeholder(_ name: String) throws(TemplateError) -> AnswerTemplatePart {
        switch name {
        case "reason": .reason
        case "status": .status
        case "title": .title
        case "detail": .detail
        case "request_id": .requestID
        case "retry_after": .retryAfter
        case "reset": .reset
        case "errors": .errors
        default: throw .unknownPlaceholder(name)
        }
    }
}
