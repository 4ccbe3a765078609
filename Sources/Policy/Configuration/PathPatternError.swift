/// Why a path pattern is refused.
package enum PathPatternError: Error, Equatable, Sendable {
    case notAbsolute, emptySegment, dotSegment, invalidEscape, partialCapture, wildcard, queryOrFragment
    case invalidCharacter, tooLong, tooManySegments
    case invalidCapture(String)
    case duplicateCapture(String)

    /// One line, for diagnostics.
    package var message: String {
        switch self {
        case .notAbsolute: "a path pattern begins with \"/\""
        case .emptySegment: "the pattern has an empty segment \"//\", which no normalised path has"
        case .dotSegment: "the pattern has a \".\" or \"..\" segment, which no normalised path has"
        case .invalidEscape: "\"%\" in a pattern is followed by two hexadecimal digits of no control character"
        case .partialCapture: "a capture is a whole segment, as in \"/users/{id}\""
        case .wildcard:
            "\"*\" stands only in a final \"/**\"; write \"{name}\" for one segment, \"%2A\" for the character"
        case .queryOrFragment: "a pattern has no query and no fragment"
        case .invalidCharacter: "the pattern has a character no path has; write it percent-encoded"
        case .tooLong: "the pattern is longer than \(PathPattern.byteLimit) bytes"
        case .tooManySegments: "the pattern has more than \(PathPattern.segmentLimit) segments"
        case .invalidCapture(let name):
            "\(quoted(name)) is no name for a capture: letters, digits and \"_\", not beginning with a digit"
        case .duplicateCapture(let name): "two captures are named \(quoted(name))"
        }
    }
}
