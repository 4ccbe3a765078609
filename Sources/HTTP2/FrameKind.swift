import CNghttp2

/// The kinds of frame there are (RFC 9113 §6).
enum FrameKind: UInt8 {
    case content = 0
    case headers = 1
    case priority = 2
    case reset = 3
    case settings = 4
    case pushPromise = 5
    case ping = 6
    case goAway = 7
    case windowUpdate = 8
    case continuation = 9
}

extension nghttp2_frame_hd {
    /// Nil for a kind that is not ours, which is to be ignored (RFC 9113 §5.5).
    var kind: FrameKind? { FrameKind(rawValue: type) }
    /// Of DATA and HEADERS only.
    var endsStream: Bool { flags & UInt8(truncatingIfNeeded: NGHTTP2_FLAG_END_STREAM.rawValue) != 0 }
    /// Of SETTINGS and PING only.
    var isAck: Bool { flags & UInt8(truncatingIfNeeded: NGHTTP2_FLAG_ACK.rawValue) != 0 }
}
