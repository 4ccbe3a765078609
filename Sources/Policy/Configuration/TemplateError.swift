/// Why a template is refused.
package enum TemplateError: Error, Equatable, Sendable {
    /// A "{" without its "}".
    case unclosedBrace
    /// A "}" that closes nothing.
    case strayBrace
    case emptyPlaceholder
    case unknownPlaceholder(String)
    /// `{path.}` or a capture name that is none.
    case invalidCapture(String)
    /// The text after `claims.` is no JSON Pointer.
    case invalidPointer(String)
    /// A control character other than the tab in the literal text: it could never stand in a field value.
    case controlCharacter
    case tooLong

    /// One line, for diagnostics.
    package var message: String {
        switch self {
        case .unclosedBrace: "the template has a \"{\" without \"}\"; write \"{{\" for a brace"
        case .strayBrace: "the template has a \"}\" without \"{\"; write \"}}\" for a brace"
        case .emptyPlaceholder: "the template has an empty placeholder \"{}\""
        case .unknownPlaceholder(let name):
            "no placeholder named \(quoted(name))\(Suggestion.phrase(for: name, among: TemplateSyntax.placeholders))"
        case .invalidCapture(let name): "\(quoted(name)) is no name of a path capture"
        case .invalidPointer(let text):
            "\(quoted(text)) is no JSON Pointer; write {claims./name} or {claims./outer/inner}"
        case .controlCharacter: "the template holds a control character"
        case .tooLong: "the template is longer than \(TemplateSyntax.byteLimit) bytes"
        }
    }

    /// The same for a template of an answer, which has other placeholders and a larger bound.
    package var answerMessage: String {
        switch self {
        case .unknownPlaceholder(let name):
            "no placeholder named \(quoted(name))\(Suggestion.phrase(for: name, among: AnswerTemplate.placeholders))"
        case .tooLong: "the template is longer than \(AnswerTemplate.byteLimit) bytes"
        case .unclosedBrace, .strayBrace, .emptyPlaceholder, .invalidCapture, .invalidPointer, .controlCharacter:
            message
        }
    }
}
