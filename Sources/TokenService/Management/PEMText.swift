import Core

/// Keys as PEM text (RFC 7468).
enum PEMText {
    /// RFC 7468 §2: lines of 64 characters.
    private static let lineLength = 64
    /// AlgorithmIdentifier of rsaEncryption with its NULL (RFC 8017 §A.1).
    private static let rsaEncryption: [UInt8] = [
        0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
    ]

    /// RFC 4648 §4, with padding.
    static func base64(_ bytes: [UInt8]) -> [UInt8] {
        var text = Base64URL.encode(bytes.span).utf8.map { $0 == 0x2D ? 0x2B : $0 == 0x5F ? 0x2F : $0 }
        while text.count % 4 != 0 { text.append(0x3D) }
        return text
    }

    static func encode(_ bytes: [UInt8], label: String) -> String {
        let text = base64(bytes)
        var lines = ["-----BEGIN \(label)-----"]
        for start in stride(from: 0, to: text.count, by: lineLength) {
            lines.append(String(decoding: text[start..<min(start + lineLength, text.count)], as: UTF8.self))
        }
        return (lines + ["-----END \(label)-----", ""]).joined(separator: "\n")
    }

    static func publicKey(modulus: [UInt8], exponent: [UInt8]) -> String {
        encode(subjectPublicKey(modulus: modulus, exponent: exponent), label: "PUBLIC KEY")
    }

    /// A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) with an RSAPublicKey in it, in DER.
    static func subjectPublicKey(modulus: [UInt8], exponent: [UInt8]) -> [UInt8] {
        let key = element(0x30, integer(modulus) + integer(exponent))
        return element(0x30, rsaEncryption + element(0x03, [0] + key))
    }

    /// An unsigned INTEGER: no leading zeros but the one that keeps it positive.
    private static func integer(_ bytes: [UInt8]) -> [UInt8] {
        let digits = bytes.drop { $0 == 0 }
        return element(0x02, (digits.first.map { $0 >= 0x80 } ?? true ? [0] : []) + digits)
    }

    /// Tag, length and content of DER (X.690 §8.1).
    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        if content.count < 0x80 { return [tag, UInt8(truncatingIfNeeded: content.count)] + content }
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        return [tag, 0x80 | UInt8(truncatingIfNeeded: length.count)] + length + content
    }
}
