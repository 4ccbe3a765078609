import Core

/// An immutable map from (owner, bytes) to an index: one open-addressing table for all owners, so that a lookup is one
/// hash and nearly always one comparison, however many entries there are. O(1), without allocation.
struct ByteTable: Sendable {
    private struct Slot: Sendable {
        var hash: UInt64
        var owner: Int32
        /// -1 in an empty slot.
        var value: Int32
        var key: ByteRange
    }

    private var slots: [Slot]
    private let arena: [UInt8]
    private let mask: Int
    private let seed: HashSeed

    /// The entries' (owner, key) pairs are distinct.
    init(_ entries: [(owner: Int32, key: [UInt8], value: Int32)], seed: HashSeed) {
        var capacity = 4
        while capacity < entries.count * 2 { capacity *= 2 }
        self.seed = seed
        mask = capacity - 1
        slots = Array(repeating: Slot(hash: 0, owner: 0, value: -1, key: .empty), count: capacity)
        var arena: [UInt8] = []
        for entry in entries {
            let hash = Self.hash(entry.owner, entry.key.span, seed)
            var place = Int(truncatingIfNeeded: hash) & mask
            while slots[place].value >= 0 { place = (place + 1) & mask }
            slots[place] = Slot(
                hash: hash, owner: entry.owner, value: entry.value,
                key: ByteRange(start: arena.count, count: entry.key.count))
            arena += entry.key
        }
        self.arena = arena
    }

    var isEmpty: Bool { arena.isEmpty }

    @inline(__always)
    func value(_ owner: Int32, _ key: Span<UInt8>) -> Int32? {
        let hash = Self.hash(owner, key, seed)
        var place = Int(truncatingIfNeeded: hash) & mask
        // At least half of the slots are empty, so the search ends.
        while true {
            let slot = slots[place]
            if slot.value < 0 { return nil }
            if slot.hash == hash, slot.owner == owner, arena.span.extracting(slot.key.range).equals(key) {
                return slot.value
            }
            place = (place &+ 1) & mask
        }
    }

    @inline(__always)
    private static func hash(_ owner: Int32, _ key: Span<UInt8>, _ seed: HashSeed) -> UInt64 {
        let mixed = FastHash.hash(key, seed: seed) ^ UInt64(truncatingIfNeeded: owner) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ mixed >> 32
    }
}
