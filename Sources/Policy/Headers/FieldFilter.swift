import Core

/// A set of field names, matched in every spelling that some server takes for the same: "-", "_" and "." are equal, and
/// so are upper and lower case (CGI turns all of them into "_").
///
/// A name that is not in the set is nearly always told by its length and first byte alone, without a comparison.
final class FieldFilter: Sendable {
    /// Bit n is set when the set has a name of n bytes; names of 63 bytes and more share the last bit.
    private let lengths: UInt64
    /// For each length, a bit for each first byte, by its lowest five bits.
    private let firstBytes: [UInt32]
    /// For each length, the names, folded.
    private let names: [[[UInt8]]]

    init(_ list: [String]) {
        var lengths: UInt64 = 0
        var firstBytes: [UInt32] = Array(repeating: 0, count: 64)
        var names: [[[UInt8]]] = Array(repeating: [], count: 64)
        for name in list {
            let folded = name.utf8.map(Self.folded)
            guard let first = folded.first else { continue }
            let place = min(folded.count, 63)
            if names[place].contains(folded) { continue }
            lengths |= 1 << UInt64(place)
            firstBytes[place] |= 1 << UInt32(first & 31)
            names[place].append(folded)
        }
        self.lengths = lengths
        self.firstBytes = firstBytes
        self.names = names
    }

    @inline(__always)
    func contains(_ name: Span<UInt8>) -> Bool {
        let place = min(name.count, 63)
        guard lengths >> UInt64(truncatingIfNeeded: place) & 1 != 0, place > 0 else { return false }
        guard firstBytes[place] >> UInt32(Self.folded(name[0]) & 31) & 1 != 0 else { return false }
        return find(name, place)
    }

    private func find(_ name: Span<UInt8>, _ place: Int) -> Bool {
        for candidate in names[place] where candidate.count == name.count {
            var index = 0
            while index < name.count, Self.folded(name[index]) == candidate[index] { index &+= 1 }
            if index == name.count { return true }
        }
        return false
    }

    @inline(__always)
    static func folded(_ byte: UInt8) -> UInt8 {
        byte == 0x5F || byte == 0x2E ? 0x2D : byte.lowercasedASCII
    }

    /// Two names that the filter takes for one.
    static func areSame(_ a: String, _ b: String) -> Bool { a.utf8.map(folded) == b.utf8.map(folded) }
}
