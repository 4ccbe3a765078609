package import Core

/// Which connections that ended before their first request the log tells of: one for each listener and peer in `interval`. At most
/// `peerLimit` peers are told apart in that time; the others of a listener share one line, so that neither a scanner nor a network
/// of them can fill the log. Peers are addresses, of IPv6 the network of 64 bits.
package struct RejectionNotices {
    package enum Verdict: Equatable {
        /// Say it, and how many of this peer were not told since the last time.
        case tell(untold: Int)
        /// Say that more peers than are told apart were rejected: this one and `untold` since the last time.
        case tellOthers(untold: Int)
        case keepSilent
    }

    /// Time between two lines about the same peer.
    package static let interval: Nanoseconds = .seconds(10)

    private struct Key: Hashable {
        var listener: String
        /// Nil stands for all peers that have no entry of their own.
        var peer: IPAddress?
    }

    private struct Entry {
        var toldAt: Instant
        var untold = 0
    }

    private let peerLimit: Int
    private var entries: [Key: Entry] = [:]
    /// Before this no entry of a full table is old enough to be given up.
    private var sweepDue: Instant?

    package init(peerLimit: Int = FixedBounds.rejectionPeers) { self.peerLimit = peerLimit }

    /// Entries held, those for the other peers of a listener among them.
    package var count: Int { entries.count }

    /// What to say of one more rejected connection. `now` never goes back by more than loops differ.
    package mutating func verdict(on peer: IPAddress, at listener: String, now: Instant) -> Verdict {
        let key = Key(listener: listener, peer: peer.accountable)
        if entries[key] != nil { return judge(key, now).map { .tell(untold: $0) } ?? .keepSilent }
        if entries.count >= peerLimit, sweepDue.map({ now >= $0 }) ?? true { sweep(now) }
        if entries.count < peerLimit {
            entries[key] = Entry(toldAt: now)
            return .tell(untold: 0)
        }
        let others = Key(listener: listener, peer: nil)
        if entries[others] != nil { return judge(others, now).map { .tellOthers(untold: $0) } ?? .keepSilent }
        entries[others] = Entry(toldAt: now)
        return .tellOthers(untold: 0)
    }

    /// How many were not told since the last line when another one is due; otherwise counts one more, and nil.
    private mutating func judge(_ key: Key, _ now: Instant) -> Int? {
        guard var entry = entries[key] else { return nil }
        defer { entries[key] = entry }
        guard now >= entry.toldAt.advanced(by: Self.interval) else {
            entry.untold += 1
            return nil
        }
        let untold = entry.untold
        entry = Entry(toldAt: now)
        return untold
    }

    private mutating func sweep(_ now: Instant) {
        entries = entries.filter { now < $0.value.toldAt.advanced(by: Self.interval) }
        sweepDue = (entries.values.map(\.toldAt).min() ?? now).advanced(by: Self.interval)
    }
}
