import Core

/// An immutable set of scope names (RFC 6749 §3.3), shared by all principals that have exactly these.
package final class ScopeSet: Sendable {
    private struct Name {
        /// FNV-1a of the bytes: orders the names and skips most comparisons. Equality is by the bytes.
        let hash: UInt64
        /// Where the name stands in `spaceSeparated`.
        let range: Range<Int>
    }

    package static let empty = ScopeSet([])

    /// The names in the order given, one space between them: the form of the `scope` claim and of header fields.
    package let spaceSeparated: [UInt8]
    /// Sorted by hash, no name twice.
    private let names: [Name]
    /// One bit for each name: a required bit that is missing here settles the question.
    private let filter: UInt64

    /// A name given twice counts once.
    package init(_ names: some Sequence<String>) {
        var bytes: [UInt8] = []
        var sorted: [Name] = []
        var filter: UInt64 = 0
        var seen: Set<String> = []
        for name in names where seen.insert(name).inserted {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: " ")) }
            let start = bytes.count
            bytes += Array(name.utf8)
            let hash = Self.hash(bytes.span.extracting(start..<bytes.count))
            filter |= 1 << (hash >> 58)
            sorted.append(Name(hash: hash, range: start..<bytes.count))
        }
        sorted.sort { $0.hash < $1.hash }
        spaceSeparated = bytes
        self.names = sorted
        self.filter = filter
    }

    package var isEmpty: Bool { names.isEmpty }
    package var count: Int { names.count }

    /// The scopes as strings, in the order given.
    package var strings: [String] {
        names.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
            .map { String(decoding: spaceSeparated[$0], as: UTF8.self) }
    }

    package func contains(_ name: Span<UInt8>) -> Bool { contains(name, hash: Self.hash(name)) }

    package func contains(_ name: [UInt8]) -> Bool { contains(name.span) }

    /// Appends the names, one space between them.
    package func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: spaceSeparated) }

    /// Every name of `required` is in this set. A comparison of words in the usual case, without allocation.
    package func containsAll(_ required: ScopeSet) -> Bool {
        if self === required { return true }
        if required.filter & ~filter != 0 || required.names.count > names.count { return false }
        let joined = required.spaceSeparated
        let bytes = joined.span
        for index in required.names.indices {
            let name = required.names[index]
            if !contains(bytes.extracting(name.range), hash: name.hash) { return false }
        }
        return true
    }

    private func contains(_ name: Span<UInt8>, hash: UInt64) -> Bool {
        let joined = spaceSeparated
        let bytes = joined.span
        for index in names.indices where names[index].hash == hash {
            if bytes.extracting(names[index].range).equals(name) { return true }
        }
        return false
    }

    /// A scope-token (RFC 6749 §3.3) of at most `APIKeyBounds.scopeBytes` bytes.
    package static func isValidName(_ name: Span<UInt8>) -> Bool {
        guard (1...APIKeyBounds.scopeBytes).contains(name.count) else { return false }
        for index in name.indices {
            let byte = name[index]
            guard byte > 0x20, byte < 0x7F, byte != 0x22, byte != 0x5C else { return false }
        }
        return true
    }

    private static func hash(_ name: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in name.indices { hash = (hash ^ UInt64(name[index])) &* 0x0000_0100_0000_01B3 }
        return hash ^ (hash >> 29)
    }
}
