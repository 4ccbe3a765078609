package import Core

/// One thing wrong, or worth a second look, in the policy file: where it stands and what to do about it.
package struct Diagnostic: Sendable, Equatable {
    package enum Severity: String, Sendable {
        /// The file is not used.
        case error
        /// The file is used; the operator probably wants something else.
        case warning
    }

    package var severity: Severity
    /// Name of the file as the operator gave it.
    package var file: String
    /// First byte of the member or value that is meant; nil when the whole file is.
    package var position: SourcePosition?
    /// Path of the value, as in `routes[3].limits[0]`; empty for the document itself.
    package var path: String
    /// What is wrong, in one line without a full stop. Text from the file stands in it quoted and escaped.
    package var message: String
    package var code: DiagnosticCode

    package init(
        _ severity: Severity, _ code: DiagnosticCode, file: String, position: SourcePosition?, path: String,
        message: String
    ) {
        self.severity = severity
        self.code = code
        self.file = file
        self.position = position
        self.path = path
        self.message = message
    }
}

extension Diagnostic: CustomStringConvertible {
    /// `gateway.json:41:9: routes[3].limits[0]: no limit named "gld"; did you mean "gold"?`; warnings say so after the
    /// place.
    package var description: String { line(marker: severity == .warning ? "warning: " : "") }

    /// The same for a log whose level tells errors from warnings.
    package var logLine: String { line(marker: "") }

    private func line(marker: String) -> String {
        var text = file
        if let position { text += ":\(position.line):\(position.column)" }
        text += ": \(marker)"
        if !path.isEmpty { text += "\(path): " }
        return text + message
    }
}

/// Text from the file as it stands in messages: in double quotes, controls escaped, cut after 80 characters.
func quoted(_ text: String) -> String {
    var result = "\""
    var length = 0
    for scalar in text.unicodeScalars {
        if length == 80 {
            result += "…"
            break
        }
        length += 1
        switch scalar {
        case "\"", "\\":
            result.unicodeScalars.append("\\")
            result.unicodeScalars.append(scalar)
        // Line separators and bidirectional controls would let a value forge or reorder a line on a terminal.
        case _ where scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format,
            "\u{2028}", "\u{2029}":
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default:
            result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
