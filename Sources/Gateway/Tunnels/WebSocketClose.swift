import Core
import Crypto

/// Why a WebSocket is closed, as its close frame says it (RFC 6455 §5.5.1).
struct WebSocketClose {
    /// What a close frame's code says (RFC 6455 §7.4.1).
    enum Code: UInt16 {
        case goingAway = 1001
        case policyViolation = 1008
    }

    let code: Code
    /// ASCII, at most 123 bytes; more is cut off.
    let reason: String

    /// The longest payload of a control frame, without the code.
    private static let reasonLimit = 123

    /// Appends the frame. The one for a server is masked with `mask`, as all frames of a client are.
    func append(to out: inout [UInt8], mask: UInt32?) {
        let text = reason.utf8.prefix(Self.reasonLimit)
        let length = UInt8(truncatingIfNeeded: text.count &+ 2)
        out.append(0x88)
        out.append(mask == nil ? length : length | 0x80)
        let key = mask ?? 0
        if mask != nil {
            for place in 0..<4 { out.append(Self.byte(place, of: key)) }
        }
        var place = 0
        func put(_ byte: UInt8, _ out: inout [UInt8]) {
            out.append(byte ^ Self.byte(place, of: key))
            place &+= 1
        }
        put(UInt8(truncatingIfNeeded: code.rawValue >> 8), &out)
        put(UInt8(truncatingIfNeeded: code.rawValue), &out)
        for byte in text { put(byte, &out) }
    }

    /// The byte of a mask that the payload's byte at `place` is masked with.
    private static func byte(_ place: Int, of mask: UInt32) -> UInt8 {
        UInt8(truncatingIfNeeded: mask >> UInt32(24 &- (place & 3) &* 8))
    }
}
