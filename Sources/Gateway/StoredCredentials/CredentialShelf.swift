import Core
import Store

/// Some of the vault's credentials, bounded in number and memory: those that were not asked for in a long time are forgotten
/// first, and read again when they are kept somewhere. No input or output.
struct CredentialShelf {
    typealias Identity = StoredUpstreamCredential.Identity

    struct Bounds {
        var count: Int
        /// Of what `CredentialEntry.weight` counts.
        var byteCount: Int
    }

    /// Who is forgotten is the oldest of so many.
    private static let sample = 16

    private var entries: [Identity: CredentialEntry] = [:]
    private let bounds: Bounds
    /// Bytes of memory, roughly.
    private(set) var weight = 0

    init(_ bounds: Bounds) { self.bounds = bounds }

    var count: Int { entries.count }

    /// Has a place for an identity, with this entry if there was none; false when all that is there is in use.
    mutating func hold(_ identity: Identity, _ entry: @autoclosure () -> CredentialEntry) -> Bool {
        if entries[identity] != nil { return true }
        while entries.count >= bounds.count || weight >= bounds.byteCount {
            guard forgetOne() else { return false }
        }
        let entry = entry()
        entries[identity] = entry
        weight += entry.weight(for: identity)
        return true
    }

    /// Changes an entry in its place; one that has grown may push out others. Nil when it is not there.
    mutating func change<Result>(
        _ identity: Identity, _ body: (inout CredentialEntry) -> Result
    ) -> Result? {
        guard let place = entries.index(forKey: identity) else { return nil }
        let before = entries.values[place].weight(for: identity)
        let result = body(&entries.values[place])
        weight += entries.values[place].weight(for: identity) - before
        while weight > bounds.byteCount, forgetOne(but: identity) {}
        return result
    }

    private mutating func forgetOne(but spared: Identity? = nil) -> Bool {
        guard !entries.isEmpty else { return false }
        var place = entries.index(entries.startIndex, offsetBy: Int.random(in: 0..<entries.count))
        var oldest: (key: Identity, lastUsed: Instant, weight: Int)?
        for _ in 0..<Self.sample {
            let (key, entry) = entries[place]
            if entry.isIdle, key != spared, oldest.map({ entry.lastUsed < $0.lastUsed }) ?? true {
                oldest = (key, entry.lastUsed, entry.weight(for: key))
            }
            entries.formIndex(after: &place)
            if place == entries.endIndex { place = entries.startIndex }
        }
        guard let oldest else { return false }
        entries.removeValue(forKey: oldest.key)
        weight -= oldest.weight
        return true
    }
}
