/// What is wrong with a path. The raw value is the stable reason.
package enum PathFault: String, Error, CaseIterable, Sendable {
    /// "%" not followed by two hexadecimal digits, or a byte no path has.
    case escapeInvalid = "path_escape_invalid"
    /// A "." or ".." segment, plain, percent-encoded, or with parameters behind it ("..;x").
    case dotSegment = "path_dot_segment"
    /// "%2F" or "%5C", a separator to some servers and not to others.
    case encodedSlash = "path_encoded_slash"
    /// An encoded control character, NUL among them.
    case controlCharacter = "path_control_character"
    /// Encoded bytes that are not UTF-8: overlong forms, lone continuation bytes, surrogates.
    case encodingInvalid = "path_encoding_invalid"
    /// "//" where the policy refuses it.
    case emptySegment = "path_empty_segment"
    /// Servers may read the path in ways that lead to different routes (`PathReadings`).
    case ambiguous = "path_ambiguous"

    /// One sentence for the client's developer.
    package var detail: StaticString {
        switch self {
        case .escapeInvalid: "The path has a byte or a percent-encoding that no path has."
        case .dotSegment: "The path has a \".\" or \"..\" segment."
        case .encodedSlash: "The path has an encoded slash or backslash."
        case .controlCharacter: "The path has an encoded control character."
        case .encodingInvalid: "The percent-encoded bytes of the path are not UTF-8."
        case .emptySegment: "The path has an empty segment."
        case .ambiguous: "The path can be read in more than one way."
        }
    }
}
