/// Why a text is not JSON as the gateway reads it, and where.
package struct JSONError: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        case unexpectedByte(UInt8, expected: Expectation)
        case unexpectedEnd
        case depthExceeded(limit: Int)
        /// The name as it reads after unescaping.
        case duplicateMember(String)
        case invalidUTF8
        case invalidEscape
        /// A `\u` escape that is one half of a surrogate pair.
        case loneSurrogate
        case invalidNumber
        /// A byte below 0x20 inside a string.
        case controlCharacter(UInt8)
        /// Something else than white space after the value.
        case trailingContent
        case tooLarge
        case byteOrderMark
    }

    /// What would have been right where an unexpected byte stands.
    package enum Expectation: Equatable, Sendable {
        case value, memberName, colon, commaOrBracket, commaOrBrace
    }

    package var reason: Reason
    /// Of the byte that is wrong; of the opening quotation mark for a doubled member.
    package var position: SourcePosition

    package init(_ reason: Reason, at position: SourcePosition) {
        self.reason = reason
        self.position = position
    }

    /// One line for the author of the text, without the position.
    package var message: String {
        switch reason {
        case .unexpectedByte(let byte, let expected): "expected \(expected.phrase), found \(Self.spelled(byte))"
        case .unexpectedEnd: "the text ends too early"
        case .depthExceeded(let limit): "nested deeper than \(limit) levels"
        case .duplicateMember(let name): "the member \"\(name)\" appears twice"
        case .invalidUTF8: "not valid UTF-8"
        case .invalidEscape: "not an escape sequence of JSON"
        case .loneSurrogate: "half of a surrogate pair"
        case .invalidNumber: "not a number of JSON"
        case .controlCharacter(let byte): "a control character in a string must be escaped, found \(Self.spelled(byte))"
        case .trailingContent: "something follows the value"
        case .tooLarge: "the text is too large"
        case .byteOrderMark: "the text begins with a byte order mark"
        }
    }

    private static func spelled(_ byte: UInt8) -> String {
        if byte > 0x20 && byte < 0x7F { return "\"\(Character(Unicode.Scalar(byte)))\"" }
        let digits = String(byte, radix: 16)
        return byte < 0x10 ? "byte 0x0\(digits)" : "byte 0x\(digits)"
    }
}

extension JSONError.Expectation {
    fileprivate var phrase: String {
        switch self {
        case .value: "a value"
        case .memberName: "a member name in quotation marks"
        case .colon: "\":\""
        case .commaOrBracket: "\",\" or \"]\""
        case .commaOrBrace: "\",\" or \"}\""
        }
    }
}
