/// Where the frames of one direction of a WebSocket begin and end (RFC 6455 §5.2): only their headers are looked at. Needed
/// to put a close frame between two frames and never into one.
///
/// A header that no frame has (a length with its highest bit set, a control frame that is too long) is believed to begin
/// nothing: from then on no boundary is known.
struct WebSocketBoundary {
    /// Bytes of the current header seen so far; 0 between frames.
    private var position = 0
    /// How long the current header is, as far as its second byte tells.
    private var headerLength = 2
    /// Bytes of the current header that spell a length of more than 125.
    private var extendedLength = 0
    private var opcode: UInt8 = 0
    /// Length of the current frame's payload, then how much of it is to come.
    private var payload: UInt64 = 0
    /// The bytes are no frames.
    private(set) var isLost = false
    /// A close frame went by whole: nothing may follow it.
    private(set) var hasClosed = false

    private static let closeOpcode: UInt8 = 8

    /// The next byte begins a frame.
    var isAtBoundary: Bool { position == 0 && !isLost }

    /// Looks at the next bytes of the direction; returns how many it looked at: all of them, or those before the next
    /// boundary when it is to stop there, none when it stands at one.
    mutating func advance(over bytes: Span<UInt8>, stopsAtBoundary: Bool = false) -> Int {
        var index = 0
        while index < bytes.count, !isLost {
            if stopsAtBoundary, isAtBoundary { return index }
            if position == headerLength {
                let step = min(UInt64(bytes.count &- index), payload)
                payload &-= step
                index &+= Int(truncatingIfNeeded: step)
            } else {
                takeHeaderByte(bytes[index])
                index &+= 1
            }
            if position == headerLength, payload == 0 { endFrame() }
        }
        return isLost ? bytes.count : index
    }

    private mutating func takeHeaderByte(_ byte: UInt8) {
        switch position {
        case 0:
            opcode = byte & 0x0F
            payload = 0
            headerLength = 2
        case 1:
            let short = byte & 0x7F
            let lengthBytes = short < 126 ? 0 : short == 126 ? 2 : 8
            let maskBytes = byte & 0x80 != 0 ? 4 : 0
            headerLength = 2 &+ lengthBytes &+ maskBytes
            extendedLength = lengthBytes
            if lengthBytes == 0 { payload = UInt64(short) }
            if opcode >= Self.closeOpcode, short > 125 { isLost = true }
        default:
            guard position < 2 &+ extendedLength else { break }
            payload = payload << 8 | UInt64(byte)
            if payload > UInt64(Int64.max) { isLost = true }
        }
        position &+= 1
    }

    private mutating func endFrame() {
        if opcode == Self.closeOpcode { hasClosed = true }
        position = 0
        headerLength = 2
    }
}
