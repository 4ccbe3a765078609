package import Core

/// Which protocols a route's connections may change to. Immutable, shared by all loops.
package final class UpgradeRule: Sendable {
    /// Without a byte either way; then the connection is closed.
    package let idleTimeout: Nanoseconds
    /// From the upgrade to the end of the connection, whatever passes.
    package let lifetime: Nanoseconds
    /// The connection ends when `Snapshot.stillAdmits` says so.
    package let closesWithCredential: Bool
    /// In lower case.
    private let protocols: [[UInt8]]

    init(_ configuration: UpgradeConfiguration) {
        idleTimeout = configuration.idleTimeout
        lifetime = configuration.lifetime
        closesWithCredential = configuration.closesWithCredential
        protocols = configuration.protocols.map { Array($0.utf8) }
    }

    /// The protocol may be changed to; its name in any case.
    package func admits(_ name: Span<UInt8>) -> Bool {
        for index in protocols.indices {
            let known = protocols[index]
            if name.equalsIgnoringCase(known.span) { return true }
        }
        return false
    }

    /// Where the one protocol stands in the head that the connection is to change to: the first of the Upgrade fields that
    /// the rule admits (RFC 9110 §7.8). Nil when none is, when the request asks for no upgrade, or when it has content:
    /// then it is an ordinary request, and its Upgrade fields end here.
    package func requested(by head: RequestHead) -> Range<Int>? {
        guard head.wantsUpgrade, head.framing == .none else { return nil }
        for field in head.fields where field.known == .upgrade {
            let value = head.bytes.span.extracting(field.value.range)
            var start = 0
            while start < value.count {
                let end = value.firstIndex(of: 0x2C, from: start) ?? value.count
                let name = value.trimmed(start..<end)
                start = end &+ 1
                guard !name.isEmpty, admits(value.extracting(name)) else { continue }
                let offset = field.value.range.lowerBound
                return name.lowerBound &+ offset..<name.upperBound &+ offset
            }
        }
        return nil
    }
}
