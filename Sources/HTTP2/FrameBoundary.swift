import Core

/// Where the frames of a peer begin and end (RFC 9113 §4.1), to tell whether it is in the middle of one: the library says
/// so only of frames whose header it has whole.
struct FrameBoundary {
    private static let headerBytes = 9

    /// Bytes of the current frame's header seen so far.
    private var headerCount = 0
    /// As far as its header tells.
    private var length = 0
    /// Bytes of the current frame's payload, or of the connection's preface, that are to come.
    private var remaining: Int
    private var isContent = false

    /// - Parameter preface: bytes that come before the first frame.
    init(behind preface: Int = 0) { remaining = preface }

    /// A frame has begun and is not whole.
    var isInside: Bool { headerCount > 0 || remaining > 0 }

    /// It is a DATA frame, of which only payload is to come.
    var isInsideContent: Bool { isContent && remaining > 0 }

    /// Looks at the peer's next bytes; true when a frame ended within them.
    mutating func advance(over bytes: Span<UInt8>) -> Bool {
        var index = 0
        var hasEnded = false
        while index < bytes.count {
            if remaining == 0 {
                takeHeaderByte(bytes[index])
                index &+= 1
                guard headerCount == Self.headerBytes else { continue }
                headerCount = 0
                remaining = length
            } else {
                let step = min(remaining, bytes.count &- index)
                remaining &-= step
                index &+= step
            }
            if remaining == 0 { hasEnded = true }
        }
        return hasEnded
    }

    private mutating func takeHeaderByte(_ byte: UInt8) {
        switch headerCount {
        case 0: length = Int(byte)
        case 1, 2: length = length &<< 8 | Int(byte)
        case 3: isContent = byte == FrameKind.content.rawValue
        default: break
        }
        headerCount &+= 1
    }
}
