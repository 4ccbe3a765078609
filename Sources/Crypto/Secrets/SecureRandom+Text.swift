import Core

extension SecureRandom {
    private static let base62Digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// `count` letters and digits of ASCII, each as likely as any other: 5.95 bits apiece.
    package static func base62(_ count: Int) -> String {
        var text: [UInt8] = []
        while text.count < count {
            // Bytes from 248 on are drawn again: 248 is four times 62, so the rest of the division favours no digit.
            for byte in bytes(count &- text.count &+ 8) where byte < 248 && text.count < count {
                text.append(base62Digits[Int(byte % 62)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// `byteCount` random bytes as twice as many lower-case digits.
    package static func hex(_ byteCount: Int) -> String {
        let random = bytes(byteCount)
        return Hex.encode(random.span)
    }

    /// `byteCount` random bytes as base64url without padding: 43 characters for 32 bytes.
    package static func base64URL(_ byteCount: Int) -> String {
        let random = bytes(byteCount)
        return Base64URL.encode(random.span)
    }

    /// A random UUID (RFC 9562 §5.4), in lower case.
    package static func uuid() -> String {
        var random = bytes(16)
        random[6] = random[6] & 0x0F | 0x40
        random[8] = random[8] & 0x3F | 0x80
        let digits = Hex.encode(random.span)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return text
    }
}
