import Core
import Crypto

/// The two fields by which the ends of a WebSocket know each other (RFC 6455 §1.3).
enum WebSocketHandshake {
    private static let suffix = Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)

    /// The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key: 28 bytes.
    static func acceptValue(for key: [UInt8]) -> [UInt8] {
        let text = key + suffix
        let digest = SHA1.digest(text.span)
        return base64(digest.span)
    }

    /// A Sec-WebSocket-Key nobody can foresee: 24 bytes.
    static func makeKey() -> [UInt8] {
        let nonce = SecureRandom.bytes(16)
        return base64(nonce.span)
    }

    /// Base64 with padding (RFC 4648 §4).
    private static func base64(_ bytes: Span<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.append(base64URL: bytes)
        for index in text.indices {
            if text[index] == 0x2D { text[index] = 0x2B }
            if text[index] == 0x5F { text[index] = 0x2F }
        }
        while text.count & 3 != 0 { text.append(0x3D) }
        return text
    }
}
