import Core

/// A set of field names, matched in every spelling that some server takes for the same: "-", "_" and "." are equal, and
/// so are upper and lower case (CGI turns all of them into "_").
///
/// A name that is not in the set is nearly always told by its length and first byte alone, without a comparison.
struct FieldFilter: Sendable {
    /// Bit n is set when the set has a name of n bytes; names of 63 bytes and more share the last bit.
    private let lengths: UInt64
    /// For each length, a bit for each first byte, by its lowest five bits.
    private let firstBytes: [UInt32]
    /// The names, folded, one behind the other.
    private let text: [UInt8]
    /// Where each name lies in `text`, shorter ones first.
    private let names: [ByteRange]

    init(_ list: [String]) {
        var lengths: UInt64 = 0
        var firstBytes: [UInt32] = Array(repeating: 0, count: 64)
        var text: [UInt8] = []
        var names: [ByteRange] = []
        let folded = Set(list.map { $0.utf8.map(\.foldedInName) }).sorted { $0.count < $1.count }
        for name in folded {
            guard let first = name.first else { continue }
            let place = min(name.count, 63)
            lengths |= 1 << UInt64(place)
            firstBytes[place] |= 1 << UInt32(first & 31)
            names.append(ByteRange(start: text.count, count: name.count))
            text += name
        }
        self.lengths = lengths
        self.firstBytes = firstBytes
        self.text = text
        self.names = names
    }

    @inline(__always)
    func contains(_ name: Span<UInt8>) -> Bool {
        let place = min(name.count, 63)
        guard lengths >> UInt64(truncatingIfNeeded: place) & 1 != 0, place > 0 else { return false }
        guard firstBytes[place] >> UInt32(name[0].foldedInName & 31) & 1 != 0 else { return false }
        return find(name)
    }

    private func find(_ name: Span<UInt8>) -> Bool {
        let names = names.span
        for index in names.indices where Int(names[index].count) >= name.count {
            if Int(names[index].count) > name.count { return false }
            if name.isSameName(folded: text.span.extracting(names[index].range)) { return true }
        }
        return false
    }

    /// Two names that the filter takes for one.
    static func areSame(_ a: String, _ b: String) -> Bool { a.utf8.map(\.foldedInName) == b.utf8.map(\.foldedInName) }
}
