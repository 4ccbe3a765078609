import Core

/// What the first eight bytes of a line say about a protocol version, as far as they are there (RFC 9112 §2.3).
enum VersionProbe {
    case incomplete
    /// These bytes do not begin an HTTP version.
    case notHTTP
    /// An HTTP version of another major version than 1.
    case unsupported
    case version(HTTPVersion)

    init(_ bytes: Span<UInt8>) {
        if bytes.count >= 8, bytes.extracting(0..<8).equals("HTTP/1.1") {
            self = .version(.http11)
        } else {
            self.init(anyOf: bytes)
        }
    }

    private init(anyOf bytes: Span<UInt8>) {
        let prefix: InlineArray<5, UInt8> = [0x48, 0x54, 0x54, 0x50, 0x2F]
        for index in 0..<Swift.min(bytes.count, 5) where bytes[index] != prefix[index] {
            self = .notHTTP
            return
        }
        let isWellFormed =
            (bytes.count <= 5 || bytes[5].isDigit) && (bytes.count <= 6 || bytes[6] == 0x2E)
            && (bytes.count <= 7 || bytes[7].isDigit)
        guard isWellFormed else {
            self = .notHTTP
            return
        }
        guard bytes.count >= 8 else {
            self = .incomplete
            return
        }
        // A higher minor version is read as the highest that is known (RFC 9110 §2.5).
        switch (bytes[5], bytes[7]) {
        case (0x31, 0x30): self = .version(.http10)
        case (0x31, _): self = .version(.http11)
        default: self = .unsupported
        }
    }
}
