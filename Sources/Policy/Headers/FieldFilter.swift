import Core

/// A set of field names, matched in every spelling that some server takes for the same: upper and lower case are equal,
/// and so are all characters other than letters and digits (CGI turns them into "_").
///
/// A name that is not in the set is nearly always told by its length and first byte alone, without a comparison.
final class FieldFilter: Sendable {
    /// What a filter matches.
    struct Names: Hashable, Sendable {
        /// In every spelling.
        var dropped: [String] = []
        /// In every spelling but this one, letter case aside: fields that may pass, but not under a name that a server
        /// could take for theirs. Not matched as `dropped` is, and not by a prefix.
        var respelled: [String] = []
        /// Every name that begins like this, in every spelling.
        var prefixes: [String] = []
    }

    /// A name of the set.
    private struct Entry: Sendable {
        /// In `text`, folded.
        var folded: ByteRange
        /// In `text`, in lower case: the one spelling that is not matched. Nil where there is none.
        var spared: ByteRange?
    }

    /// Bit n is set when a name of n bytes may match; names of 63 bytes and more share the last bit.
    private let lengths: UInt64
    /// For each length, a bit for each first byte, by `firstBit`.
    private let firstBytes: [UInt32]
    /// The names, one behind the other.
    private let text: [UInt8]
    /// Shorter names first.
    private let entries: [Entry]
    /// Where the entries of each length begin, by the bits of `lengths`; one more for the end.
    private let starts: [Int32]
    /// In `text`, folded.
    private let prefixes: [ByteRange]

    init(_ names: Names) {
        var text: [UInt8] = []
        func store(_ name: [UInt8]) -> ByteRange {
            text += name
            return ByteRange(start: text.count - name.count, count: name.count)
        }
        let dropped = Set(names.dropped.map(Self.folded))
        var list: [(folded: [UInt8], spared: [UInt8]?)] = dropped.map { ($0, nil) }
        for name in Set(names.respelled.map { $0.utf8.map(\.lowercasedASCII) }) {
            let folded = name.map(\.foldedInName)
            if !dropped.contains(folded) { list.append((folded, name)) }
        }
        list = list.filter { !$0.folded.isEmpty }.sorted { $0.folded.count < $1.folded.count }
        var lengths: UInt64 = 0
        var firstBytes: [UInt32] = Array(repeating: 0, count: 64)
        func note(_ first: UInt8, length: Int) {
            lengths |= 1 << UInt64(length)
            firstBytes[length] |= Self.firstBit(first)
        }
        let folded = Set(names.prefixes.map(Self.folded)).sorted { $0.lexicographicallyPrecedes($1) }
        for prefix in folded {
            guard let first = prefix.first else { continue }
            for length in min(prefix.count, 63)...63 { note(first, length: length) }
        }
        for name in list { note(name.folded[0], length: min(name.folded.count, 63)) }
        entries = list.map { Entry(folded: store($0.folded), spared: $0.spared.map(store)) }
        prefixes = folded.filter { !$0.isEmpty }.map(store)
        starts = (0...64).map { place in Int32(list.firstIndex { min($0.folded.count, 63) >= place } ?? list.count) }
        self.lengths = lengths
        self.firstBytes = firstBytes
        self.text = text
    }

    @inline(__always)
    func contains(_ name: Span<UInt8>) -> Bool {
        let place = min(name.count, 63)
        guard lengths >> UInt64(truncatingIfNeeded: place) & 1 != 0, place > 0 else { return false }
        guard firstBytes[place] & Self.firstBit(name[0]) != 0 else { return false }
        return find(name, place)
    }

    private func find(_ name: Span<UInt8>, _ place: Int) -> Bool {
        var isRespelled = false
        let text = text
        for index in Int(starts[place])..<Int(starts[place + 1]) {
            let entry = entries[index]
            guard name.isSameName(folded: text.span.extracting(entry.folded.range)) else { continue }
            guard let spared = entry.spared else { return true }
            // Two spellings of one name may both be spared.
            if name.equalsIgnoringCase(lowercase: text.span.extracting(spared.range)) { return false }
            isRespelled = true
        }
        return isRespelled || begins(name)
    }

    private func begins(_ name: Span<UInt8>) -> Bool {
        let text = text
        for prefix in prefixes where name.count >= Int(prefix.count) {
            if name.extracting(0..<Int(prefix.count)).isSameName(folded: text.span.extracting(prefix.range)) { return true }
        }
        return false
    }

    /// One of 27 bits: 26 for the letters, whatever their case, and one for all other bytes.
    @inline(__always)
    private static func firstBit(_ byte: UInt8) -> UInt32 {
        let letter = (byte | 0x20) &- 0x60
        return 1 &<< UInt32(letter < 27 ? letter : 0)
    }

    private static func folded(_ name: String) -> [UInt8] { name.utf8.map(\.foldedInName) }

    /// Two names that the filter takes for one.
    static func areSame(_ a: String, _ b: String) -> Bool { folded(a) == folded(b) }
}
