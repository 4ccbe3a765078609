import Core

/// Deadlines by coarse time: inserting and firing cost the same for ten as for a million. A deadline fires up to one tick
/// late, never early. Entries are never removed: who is asked too early, or in vain, looks at its own deadline.
struct TimingWheel {
    /// 16 ms; timeouts of a proxy need no finer.
    static let tickShift: Int64 = 24
    /// 1024 ticks are 17 s; later deadlines wait in the furthest slot and are inserted again when it comes round.
    static let slotCount = 1024

    private var slots = [[Registration]](repeating: [], count: slotCount)
    private var occupied = [UInt64](repeating: 0, count: slotCount / 64)
    /// The tick up to which everything has fired.
    private var currentTick: Int64
    private(set) var count = 0

    init(now: Instant) { currentTick = now.nanoseconds >> Self.tickShift }

    /// Enters a deadline. Returns the instant at which its slot fires.
    @discardableResult
    mutating func insert(_ registration: Registration, at deadline: Instant) -> Instant {
        let wanted = (deadline.nanoseconds >> Self.tickShift) &+ 1
        let tick = min(max(wanted, currentTick &+ 1), currentTick &+ Int64(Self.slotCount) &- 1)
        let slot = Int(tick & Int64(Self.slotCount &- 1))
        slots[slot].append(registration)
        occupied[slot >> 6] |= 1 << UInt64(slot & 63)
        count &+= 1
        return Instant(nanoseconds: tick << Self.tickShift)
    }

    /// When the next occupied slot fires; nil when there is none.
    var nextFiring: Instant? {
        guard count > 0 else { return nil }
        var tick = currentTick &+ 1
        let last = currentTick &+ Int64(Self.slotCount)
        while tick <= last {
            let slot = Int(tick & Int64(Self.slotCount &- 1))
            let word = occupied[slot >> 6] >> UInt64(slot & 63)
            if word != 0 {
                return Instant(nanoseconds: (tick &+ Int64(word.trailingZeroBitCount)) << Self.tickShift)
            }
            tick &+= 64 &- Int64(slot & 63)
        }
        return nil
    }

    /// Takes out everything due by `now`, in order of ticks, into `due`.
    mutating func advance(to now: Instant, into due: inout [Registration]) {
        let target = now.nanoseconds >> Self.tickShift
        guard target > currentTick else { return }
        if count == 0 {
            currentTick = target
            return
        }
        // After a long sleep one turn of the wheel meets every slot.
        var tick = max(currentTick &+ 1, target &- Int64(Self.slotCount) &+ 1)
        currentTick = target
        while tick <= target {
            let slot = Int(tick & Int64(Self.slotCount &- 1))
            if !slots[slot].isEmpty {
                count &-= slots[slot].count
                due.append(contentsOf: slots[slot])
                slots[slot].removeAll(keepingCapacity: slots[slot].capacity <= 256)
                occupied[slot >> 6] &= ~(1 << UInt64(slot & 63))
            }
            tick &+= 1
        }
    }
}
