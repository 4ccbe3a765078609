/// Why an upstream's response head is refused. The client gets 502 and the upstream connection closes.
package enum ResponseFault: Error, CaseIterable, Sendable, Equatable {
    case statusLineInvalid, versionNotSupported, headTooLarge, tooManyFields
    case fieldNameInvalid, whitespaceBeforeColon, fieldLineFolded, fieldValueInvalid, lineEndingInvalid
    case contentLengthInvalid, contentLengthRepeated
    case transferEncodingInvalid, transferEncodingRepeated, transferEncodingInHTTP10, transferCodingNotSupported
    case framingAmbiguous, connectionInvalid

    /// The stable identifier used in logs and metrics.
    package var reason: StaticString {
        switch self {
        case .statusLineInvalid: "status_line_invalid"
        case .versionNotSupported: "version_not_supported"
        case .headTooLarge: "head_too_large"
        case .tooManyFields: "too_many_fields"
        case .fieldNameInvalid: "field_name_invalid"
        case .whitespaceBeforeColon: "whitespace_before_colon"
        case .fieldLineFolded: "field_line_folded"
        case .fieldValueInvalid: "field_value_invalid"
        case .lineEndingInvalid: "line_ending_invalid"
        case .contentLengthInvalid: "content_length_invalid"
        case .contentLengthRepeated: "content_length_repeated"
        case .transferEncodingInvalid: "transfer_encoding_invalid"
        case .transferEncodingRepeated: "transfer_encoding_repeated"
        case .transferEncodingInHTTP10: "transfer_encoding_in_http10"
        case .transferCodingNotSupported: "transfer_coding_not_supported"
        case .framingAmbiguous: "framing_ambiguous"
        case .connectionInvalid: "connection_invalid"
        }
    }
}
