import Core

/// A named limit of the policy: the numbers of its buckets and what a bucket belongs to.
package final class Limit: Sendable {
    package let name: String
    package let rule: BucketRule
    /// The parts of a bucket's principal, in the order the file names them.
    package let parts: [LimitConfiguration.Part]
    /// Counts, and refuses nothing.
    package let isShadow: Bool
    /// Names the limit in bucket keys. Made from the name alone, so that buckets outlive a reload that changes numbers.
    package let identity: UInt64
    /// The name as a structured-field string, quotes included (RFC 9651 §3.3.3). Bytes outside printable ASCII and "%"
    /// are percent-encoded.
    let quotedName: [UInt8]
    /// The `X-RateLimit-Limit` line, as `HeaderLines.wireForm` has it.
    let line: LentBytes

    package init(name: String, _ configuration: LimitConfiguration) throws(LimitError) {
        self.name = name
        rule = try BucketRule(requests: configuration.requests, per: configuration.per, burst: configuration.burst)
        parts = configuration.by
        isShadow = configuration.mode == .shadow
        identity = Self.hash(name)
        quotedName = Self.quoted(name)
        var lines = HeaderLines()
        lines.append(name: "X-RateLimit-Limit", decimal: rule.burst)
        line = LentBytes(bytes: lines.wireForm)
    }

    /// FNV-1a over the name's UTF-8; the same in every process. The keyed hash of the bucket key is what resists
    /// collisions.
    private static func hash(_ name: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash
    }

    private static func quoted(_ name: String) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        var quoted: [UInt8] = [UInt8(ascii: "\"")]
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                quoted += [UInt8(ascii: "\\"), byte]
            case 0x20...0x24, 0x26...0x7E:
                quoted.append(byte)
            default:
                quoted += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        quoted.append(UInt8(ascii: "\""))
        return quoted
    }
}
