import Core

/// Refusals as a gRPC client understands them: a status in the head of an answer without content ("Trailers-Only" of
/// gRPC over HTTP/2). The HTTP status is 200, since clients look no further at another one.
enum GRPCAnswer {
    /// A media type longer than this is no gRPC type anybody uses.
    private static let typeBytes = 64

    static let typePrefix: StaticString = "application/grpc"

    /// Where the media type of a gRPC request stands in the head, without parameters: `application/grpc`, and with a
    /// suffix, as `application/grpc+proto` and `application/grpc-web`. Nil for any other request, and for one with two
    /// types.
    static func mediaType(of head: RequestHead) -> Range<Int>? {
        var found: Range<Int>?
        for field in head.fields where field.known == .contentType {
            if found != nil { return nil }
            found = field.value.range
        }
        guard let found else { return nil }
        let value = head.bytes.span.extracting(found)
        let name = value.firstIndex(of: 0x3B) ?? value.count
        let type = value.trimmed(0..<name)
        let prefix = typePrefix
        let length = prefix.utf8CodeUnitCount
        guard length...typeBytes ~= type.count else { return nil }
        guard value.extracting(type.lowerBound..<type.lowerBound &+ length).equalsIgnoringCase(prefix) else { return nil }
        let next = type.lowerBound &+ length
        guard next == type.upperBound || value[next] == 0x2B || value[next] == 0x2D else { return nil }
        return found.lowerBound &+ type.lowerBound..<found.lowerBound &+ type.upperBound
    }

    /// The status code of gRPC for an HTTP status: where gRPC's own mapping ("HTTP to gRPC Status Code Mapping") names
    /// one, that, but 429 is RESOURCE_EXHAUSTED and 504 DEADLINE_EXCEEDED, so that a client does not try again at once.
    static func code(for status: Int) -> Int {
        switch status {
        case 400, 414, 421, 431: 13  // INTERNAL
        case 401: 16  // UNAUTHENTICATED
        case 403: 7  // PERMISSION_DENIED
        case 404, 405, 501, 505: 12  // UNIMPLEMENTED
        case 406, 415, 422: 3  // INVALID_ARGUMENT
        case 408, 504: 4  // DEADLINE_EXCEEDED
        case 409: 10  // ABORTED
        case 413, 429: 8  // RESOURCE_EXHAUSTED
        case 502, 503: 14  // UNAVAILABLE
        default: 2  // UNKNOWN
        }
    }

    /// Appends a text as `grpc-message` holds it: percent-encoded but for printable ASCII.
    static func append(message: Span<UInt8>, to output: inout [UInt8]) {
        for index in message.indices {
            let byte = message[index]
            if byte < 0x20 || byte > 0x7E || byte == 0x25 {
                output.append(percentEncoded: byte)
            } else {
                output.append(byte)
            }
        }
    }

    /// Adds type, status and message of a refusal.
    static func append(_ denial: Denial, type: Span<UInt8>, to lines: inout HeaderLines) {
        lines.append(name: "Content-Type", value: type)
        lines.append(name: "grpc-status") { $0.append(decimal: code(for: denial.status)) }
        lines.append(name: "grpc-message") { value in
            let message = "\(denial.detail) (\(denial.reason))"
            append(message: message.utf8.span, to: &value)
        }
    }
}
