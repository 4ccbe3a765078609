/// The nine bytes that every frame begins with (RFC 9113 §4.1), and the stream that a PRIORITY frame names.
struct FrameHeader: Equatable {
    static let byteCount = 9
    /// Of a PRIORITY frame of the right length the next four bytes are read too: the stream it depends on (RFC 7540 §6.3).
    static let priorityByteCount = 13
    static let priorityPayloadBytes = 5

    /// Bytes of the payload.
    var length = 0
    var rawKind: UInt8 = 0
    var flags: UInt8 = 0
    /// 31 bits.
    var stream: Int32 = 0
    /// PRIORITY frames of the right length only.
    var dependency: Int32?

    /// Nil for a kind that is not ours, which is to be ignored (RFC 9113 §5.5).
    var kind: FrameKind? { FrameKind(rawValue: rawKind) }
    /// Of DATA and HEADERS only.
    var endsStream: Bool { flags & 0x1 != 0 }
    /// Of SETTINGS and PING only.
    var isAck: Bool { flags & 0x1 != 0 }
    /// Of HEADERS, PUSH_PROMISE and CONTINUATION only.
    var endsBlock: Bool { flags & 0x4 != 0 }
}
