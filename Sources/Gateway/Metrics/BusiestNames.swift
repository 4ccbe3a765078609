/// The names that are counted most among any number of them, in fixed memory (Metwally, Agrawal, El Abbadi: Space-Saving,
/// 2005). A name that occurs more often than one in `capacity` times is always among them; a count is too high by at most
/// `overestimate`.
package struct BusiestNames: Sendable {
    package struct Entry: Sendable, Equatable {
        package var name: [UInt8]
        package var count: UInt64
        /// How much of the count may belong to names that had this place before.
        package var overestimate: UInt64
    }

    /// Names kept.
    package static let capacity = 64
    /// A longer name is cut.
    package static let nameBytes = 128

    private var entries: [Entry] = []
    private var places: [[UInt8]: Int] = [:]

    package init() {}

    /// Counts one more of a name.
    package mutating func add(_ name: [UInt8]) {
        add(Entry(name: Array(name.prefix(Self.nameBytes)), count: 1, overestimate: 0))
    }

    /// Adds what another one has counted.
    package mutating func merge(_ other: BusiestNames) {
        for entry in other.entries { add(entry) }
    }

    private mutating func add(_ entry: Entry) {
        if let place = places[entry.name] {
            entries[place].count &+= entry.count
            entries[place].overestimate &+= entry.overestimate
        } else if entries.count < Self.capacity {
            places[entry.name] = entries.count
            entries.append(entry)
        } else if let place = entries.indices.min(by: { entries[$0].count < entries[$1].count }) {
            let least = entries[place]
            places[least.name] = nil
            places[entry.name] = place
            entries[place] = Entry(
                name: entry.name, count: least.count &+ entry.count, overestimate: least.count &+ entry.overestimate)
        }
    }

    /// The most counted first, names in their order where counts are equal.
    package func top(_ count: Int) -> [Entry] {
        Array(
            entries.sorted { $0.count != $1.count ? $0.count > $1.count : $0.name.lexicographicallyPrecedes($1.name) }
                .prefix(count))
    }
}
