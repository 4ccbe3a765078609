package import Core

/// The status with which the gateway ends a gRPC call whose answer has begun.
package enum GRPCEnding {
    /// Nothing passed either way for too long.
    case idle
    /// The call took longer than its route allows.
    case timedOut

    /// UNAVAILABLE, so that clients call again; or DEADLINE_EXCEEDED.
    private var code: StaticString {
        switch self {
        case .idle: "14"
        case .timedOut: "4"
        }
    }

    private var message: StaticString {
        switch self {
        case .idle: "Nothing passed for too long. (idle_timeout)"
        case .timedOut: "The call took longer than this resource allows. (route_timeout)"
        }
    }

    /// The trailers of the answer to a request with this head; nil where it is not a gRPC call, or one of gRPC-Web, whose trailers are
    /// content.
    package func trailers(for head: RequestHead) -> TrailerSection? {
        guard let type = GRPCAnswer.mediaType(of: head) else { return nil }
        let suffix = type.lowerBound &+ GRPCAnswer.typePrefix.utf8CodeUnitCount
        if suffix < type.upperBound, head.bytes.span[suffix] == 0x2D { return nil }
        var section = TrailerSection()
        section.append("grpc-status", code)
        section.append("grpc-message", message)
        return section
    }
}

extension TrailerSection {
    fileprivate mutating func append(_ name: StaticString, _ value: StaticString) {
        let start = bytes.count
        bytes.append(contentsOf: name.description.utf8)
        let middle = bytes.count
        bytes.append(contentsOf: value.description.utf8)
        fields.append(FieldLine(name: ByteRange(start..<middle), value: ByteRange(middle..<bytes.count), known: .other))
    }
}
