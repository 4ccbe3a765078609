import Core

/// Where the frames of a peer begin and end (RFC 9113 §4.1). Follows headers only: payload is skipped, not looked at.
///
/// The library reports a frame when its header is whole, and some not at all; here it is known since its first byte, and every
/// frame is seen before the library gets it.
struct FrameBoundary {
    /// The bytes of the header being received, kept until it is whole.
    private(set) var head = InlineArray<13, UInt8>(repeating: 0)
    private(set) var headCount = 0
    /// Bytes of the current frame's payload, or of the connection's preface, that are to come.
    private(set) var remaining: Int
    private var isContent = false
    /// The rest of the current frame is not for the library.
    var isDropping = false
    /// Frames, the preface among them, that ended.
    private(set) var endedCount = 0

    /// - Parameter preface: bytes that come before the first frame.
    init(behind preface: Int = 0) { remaining = preface }

    /// A frame has begun and is not whole.
    var isInside: Bool { headCount > 0 || remaining > 0 }

    /// It is a DATA frame, of which only payload is to come.
    var isInsideContent: Bool { isContent && remaining > 0 }

    /// Moves `index` on over the peer's bytes, to just behind the next frame's header, which it returns, or to their end.
    mutating func next(in bytes: Span<UInt8>, at index: inout Int) -> FrameHeader? {
        while index < bytes.count {
            if remaining > 0 {
                skip(in: bytes, at: &index)
            } else {
                head[headCount] = bytes[index]
                headCount &+= 1
                index &+= 1
                if headCount >= FrameHeader.byteCount, let header = takeHeader() { return header }
            }
        }
        return nil
    }

    /// Moves `index` on over the payload of the current frame.
    mutating func skip(in bytes: Span<UInt8>, at index: inout Int) {
        let step = min(remaining, bytes.count &- index)
        remaining &-= step
        index &+= step
        if remaining == 0 { endFrame() }
    }

    private mutating func endFrame() {
        isDropping = false
        endedCount &+= 1
    }

    /// The header, once it is whole.
    private mutating func takeHeader() -> FrameHeader? {
        var header = FrameHeader()
        header.length = Int(head[0]) &<< 16 | Int(head[1]) &<< 8 | Int(head[2])
        header.rawKind = head[3]
        header.flags = head[4]
        header.stream = word(at: 5)
        remaining = header.length
        if header.kind == .priority, header.length == FrameHeader.priorityPayloadBytes {
            guard headCount == FrameHeader.priorityByteCount else {
                remaining = 0
                return nil
            }
            header.dependency = word(at: 9)
            remaining = 1
        }
        isContent = header.kind == .content
        headCount = 0
        if remaining == 0 { endFrame() }
        return header
    }

    /// 31 bits of the head, big-endian.
    private func word(at index: Int) -> Int32 {
        var word: UInt32 = 0
        for place in index..<index &+ 4 { word = word &<< 8 | UInt32(head[place]) }
        return Int32(bitPattern: word & 0x7FFF_FFFF)
    }
}
