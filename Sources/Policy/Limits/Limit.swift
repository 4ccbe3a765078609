import Core

/// A named limit of the policy: how it counts, and what a bucket or window of it belongs to.
package final class Limit: Sendable {
    package let name: String
    package let rule: LimitRule
    /// The parts of a bucket's principal, in the order the file names them.
    package let parts: [LimitConfiguration.Part]
    /// Counts, and refuses nothing.
    package let isShadow: Bool
    /// Names the limit in bucket keys. Made from name and kind alone, so that buckets outlive a reload that changes
    /// numbers, and no state is read by the rule of another kind.
    package let identity: UInt64
    /// The name as a structured-field string, quotes included (RFC 9651 §3.3.3). Bytes outside printable ASCII and "%"
    /// are percent-encoded.
    let quotedName: [UInt8]
    /// The `X-RateLimit-Limit` line, as `HeaderLines.wireForm` has it.
    let line: LentBytes

    package init(name: String, _ configuration: LimitConfiguration) throws(LimitError) {
        self.name = name
        switch configuration.kind {
        case .bucket:
            rule = .bucket(
                try BucketRule(requests: configuration.requests, per: configuration.per, burst: configuration.burst))
        case .window: rule = .window(try WindowRule(requests: configuration.requests, per: configuration.per))
        }
        parts = configuration.by
        isShadow = configuration.mode == .shadow
        identity = Self.hash(name, configuration.kind)
        quotedName = Self.quoted(name)
        var lines = HeaderLines()
        lines.append(name: "X-RateLimit-Limit", decimal: rule.capacity)
        line = LentBytes(bytes: lines.wireForm)
    }

    /// FNV-1a over the name's UTF-8, and a byte that is in no UTF-8 for windows; the same in every process. The keyed hash of
    /// the bucket key is what resists collisions.
    private static func hash(_ name: String, _ kind: LimitConfiguration.Kind) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        for byte in name.utf8 { add(byte) }
        switch kind {
        case .bucket: break
        case .window: add(0xFF)
        }
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
