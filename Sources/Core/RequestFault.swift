/// Why a request head is refused. The connection closes after the answer, since where the next request begins is
/// unsure.
package enum RequestFault: Error, CaseIterable, Sendable, Equatable {
    case requestLineInvalid, methodNotSupported, targetInvalid, targetTooLong, versionNotSupported
    case headTooLarge, tooManyFields
    case fieldNameInvalid, whitespaceBeforeColon, fieldLineFolded, fieldValueInvalid, lineEndingInvalid
    case hostMissing, hostRepeated, hostInvalid, authorityDiffers
    case contentLengthInvalid, contentLengthRepeated
    case transferEncodingInvalid, transferEncodingRepeated, transferEncodingInHTTP10, transferCodingNotSupported
    case framingAmbiguous, connectionInvalid, expectationUnknown
    case plainHTTPOnTLSPort, http2Required

    /// The status of the answer.
    package var status: Int {
        switch self {
        case .targetTooLong: 414
        case .expectationUnknown: 417
        case .headTooLarge, .tooManyFields: 431
        case .methodNotSupported, .transferCodingNotSupported: 501
        case .versionNotSupported, .http2Required: 505
        case .requestLineInvalid, .targetInvalid, .fieldNameInvalid, .whitespaceBeforeColon, .fieldLineFolded,
            .fieldValueInvalid, .lineEndingInvalid, .hostMissing, .hostRepeated, .hostInvalid, .authorityDiffers,
            .contentLengthInvalid, .contentLengthRepeated, .transferEncodingInvalid, .transferEncodingRepeated, .transferEncodingInHTTP10,
            .framingAmbiguous, .connectionInvalid, .plainHTTPOnTLSPort:
            400
        }
    }

    /// The stable identifier used in answers, logs and metrics.
    package var reason: StaticString {
        switch self {
        case .requestLineInvalid: "request_line_invalid"
        case .methodNotSupported: "method_not_supported"
        case .targetInvalid: "target_invalid"
        case .targetTooLong: "target_too_long"
        case .versionNotSupported: "version_not_supported"
        case .headTooLarge: "head_too_large"
        case .tooManyFields: "too_many_fields"
        case .fieldNameInvalid: "field_name_invalid"
        case .whitespaceBeforeColon: "whitespace_before_colon"
        case .fieldLineFolded: "field_line_folded"
        case .fieldValueInvalid: "field_value_invalid"
        case .lineEndingInvalid: "line_ending_invalid"
        case .hostMissing: "host_missing"
        case .hostRepeated: "host_repeated"
        case .hostInvalid: "host_invalid"
        case .authorityDiffers: "authority_differs"
        case .contentLengthInvalid: "content_length_invalid"
        case .contentLengthRepeated: "content_length_repeated"
        case .transferEncodingInvalid: "transfer_encoding_invalid"
        case .transferEncodingRepeated: "transfer_encoding_repeated"
        case .transferEncodingInHTTP10: "transfer_encoding_in_http10"
        case .transferCodingNotSupported: "transfer_coding_not_supported"
        case .framingAmbiguous: "framing_ambiguous"
        case .connectionInvalid: "connection_invalid"
        case .expectationUnknown: "expectation_unknown"
        case .plainHTTPOnTLSPort: "plain_http_on_tls_port"
        case .http2Required: "http2_required"
        }
    }

    /// The listener refuses before it looks at the request.
    package var isOfListener: Bool { self == .plainHTTPOnTLSPort || self == .http2Required }

    /// The same, of a reason as it is written in logs.
    package static func isOfListener(reason: String) -> Bool {
        allCases.contains { $0.isOfListener && $0.reason.description == reason }
    }

    /// One sentence for the client's developer.
    package var detail: StaticString {
        switch self {
        case .requestLineInvalid: "The request line is not a method, a target and a version, one space apart."
        case .methodNotSupported: "This gateway does not carry out CONNECT, nor methods longer than 32 bytes."
        case .targetInvalid: "The request target is not a valid origin-form, absolute-form or asterisk-form target."
        case .targetTooLong: "The request target is longer than this gateway accepts."
        case .versionNotSupported: "Only HTTP/1.0 and HTTP/1.1 are spoken here."
        case .headTooLarge: "The request line and fields together are larger than this gateway accepts."
        case .tooManyFields: "The request has more field lines than this gateway accepts."
        case .fieldNameInvalid: "A field line does not begin with a field name and a colon."
        case .whitespaceBeforeColon: "There is whitespace between a field name and its colon."
        case .fieldLineFolded: "A line of the head begins with whitespace."
        case .fieldValueInvalid: "A field value contains a control character."
        case .lineEndingInvalid: "A line of the head does not end in CR LF."
        case .hostMissing: "An HTTP/1.1 request needs a Host field."
        case .hostRepeated: "There is more than one Host field."
        case .hostInvalid: "The Host field is not a host with an optional port."
        case .authorityDiffers: "The :authority and the Host field name different hosts."
        case .contentLengthInvalid: "Content-Length is not a decimal number below 2^64."
        case .contentLengthRepeated: "There is more than one Content-Length field."
        case .transferEncodingInvalid: "Transfer-Encoding does not end in chunked, or names it twice."
        case .transferEncodingRepeated: "There is more than one Transfer-Encoding field."
        case .transferEncodingInHTTP10: "HTTP/1.0 has no Transfer-Encoding."
        case .transferCodingNotSupported: "The only transfer coding understood here is chunked."
        case .framingAmbiguous: "Content-Length and Transfer-Encoding do not go together."
        case .connectionInvalid: "The Connection field is not a short list of tokens."
        case .expectationUnknown: "The only expectation understood here is 100-continue."
        case .plainHTTPOnTLSPort: "This port speaks HTTPS, and the request came in clear."
        case .http2Required: "This port speaks HTTP/2 alone."
        }
    }
}
