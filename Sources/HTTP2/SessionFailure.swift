import CNghttp2

/// Why a session cannot go on. The connection is to be closed once what is still to be written, a GOAWAY, is written.
package enum SessionFailure: Error, Equatable, Sendable, CaseIterable {
    /// The first bytes are not those of HTTP/2 (RFC 9113 §3.4).
    case prefaceInvalid
    /// The peer broke the protocol in a way that concerns the whole connection; it was told so by GOAWAY.
    case protocolViolated
    /// A frame came for a stream that has ended (RFC 9113 §5.1).
    case streamClosed
    /// The peer has used up what `GlitchScore` bears.
    case abused
    /// More acknowledgements or other frames wait to be written than are allowed.
    case outboundFlooded
    /// A header block of too many CONTINUATION frames, or too large when decoded.
    case headerBlockTooLarge
    /// The library could not go on, for want of memory or by an error of ours.
    case internalFailure

    /// The stable identifier used in logs and metrics.
    package var reason: StaticString {
        switch self {
        case .prefaceInvalid: "http2_preface_invalid"
        case .protocolViolated: "http2_protocol_violated"
        case .streamClosed: "http2_stream_closed"
        case .abused: "http2_abused"
        case .outboundFlooded: "http2_outbound_flooded"
        case .headerBlockTooLarge: "http2_header_block_too_large"
        case .internalFailure: "http2_internal_failure"
        }
    }
}

extension SessionFailure {
    /// The code of the GOAWAY that goes out before the end.
    var code: HTTP2ErrorCode {
        switch self {
        case .prefaceInvalid, .protocolViolated: .protocolError
        case .streamClosed: .streamClosed
        case .abused, .outboundFlooded, .headerBlockTooLarge: .enhanceYourCalm
        case .internalFailure: .internalError
        }
    }

    /// What a fatal error of the library stands for.
    init(libraryError: Int32) {
        self =
            switch nghttp2_error(rawValue: libraryError) {
            case NGHTTP2_ERR_BAD_CLIENT_MAGIC: .prefaceInvalid
            case NGHTTP2_ERR_FLOODED: .outboundFlooded
            case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS: .headerBlockTooLarge
            case NGHTTP2_ERR_SETTINGS_EXPECTED, NGHTTP2_ERR_TOO_MANY_SETTINGS, NGHTTP2_ERR_PROTO: .protocolViolated
            default: .internalFailure
            }
    }
}
