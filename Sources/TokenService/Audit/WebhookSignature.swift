package import Core
import Crypto

/// Signs what is sent to a webhook, as Standard Webhooks has it: HMAC-SHA-256 over `id.timestamp.content`, in base64 behind `v1,`.
package struct WebhookSignature: Sendable {
    private let key: [UInt8]

    /// A secret that begins with `whsec_` is base64 behind that; every other one is taken as it is.
    package init(secret: [UInt8]) {
        let prefix = Array("whsec_".utf8)
        var text = secret
        if secret.starts(with: prefix) {
            text.removeFirst(prefix.count)
            while text.last == 0x3D { text.removeLast() }
            text = text.map { $0 == 0x2B ? 0x2D : $0 == 0x2F ? 0x5F : $0 }
            key = Base64URL.decode(text.span) ?? secret
        } else {
            key = secret
        }
    }

    /// The fields that go with a content.
    package func fields(id: String, content: [UInt8], at time: WallTime) -> [(name: String, value: String)] {
        let timestamp = String(time.seconds)
        let signed = Array("\(id).\(timestamp).".utf8) + content
        let code = OpenSSLCryptography().hmacSHA256(key: key.span, signed.span)
        var bytes: [UInt8] = []
        for word in [code.a, code.b, code.c, code.d] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        // 32 bytes of base64 end with one "=".
        let text = Base64URL.encode(bytes.span).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 } + ["="]
        return [("Webhook-Id", id), ("Webhook-Timestamp", timestamp), ("Webhook-Signature", "v1,\(String(text))")]
    }
}
