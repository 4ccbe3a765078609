/// Why a chunked body is refused: 400 for a request, 502 or a cut answer for a response. The connection closes.
package enum FramingFault: Error, CaseIterable, Sendable, Equatable {
    case chunkSizeInvalid, chunkExtensionInvalid, chunkLineTooLong, chunkOverheadTooLarge, chunkNotTerminated
    case trailerInvalid, trailersTooLarge

    /// The stable identifier used in answers, logs and metrics.
    package var reason: StaticString {
        switch self {
        case .chunkSizeInvalid: "chunk_size_invalid"
        case .chunkExtensionInvalid: "chunk_extension_invalid"
        case .chunkLineTooLong: "chunk_line_too_long"
        case .chunkOverheadTooLarge: "chunk_overhead_too_large"
        case .chunkNotTerminated: "chunk_not_terminated"
        case .trailerInvalid: "trailer_invalid"
        case .trailersTooLarge: "trailers_too_large"
        }
    }

    /// One sentence for the developer of the peer.
    package var detail: StaticString {
        switch self {
        case .chunkSizeInvalid: "A chunk does not begin with a size of 1 to 16 hexadecimal digits."
        case .chunkExtensionInvalid: "A chunk's size is followed by neither CR LF nor valid extensions."
        case .chunkLineTooLong: "The line of a chunk's size and extensions is longer than this gateway accepts."
        case .chunkOverheadTooLarge: "The chunks carry far more size lines and extensions than content."
        case .chunkNotTerminated: "A chunk's content is not followed by CR LF."
        case .trailerInvalid: "A line of the trailer section is not a valid field line."
        case .trailersTooLarge: "The trailer section is larger than this gateway accepts."
        }
    }
}
