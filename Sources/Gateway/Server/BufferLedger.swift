import Core
import Synchronization

/// How many bytes all loops hold for messages under way, and the bound on it. Shared by all loops.
///
/// A loop counts by itself and enters what has changed in steps of `step` bytes, so that requests cost no shared writes. The sum
/// is wrong by less than that for each loop, a sixteenth of the bound in all.
final class BufferLedger: Sendable {
    /// What is shown of it.
    struct Values: Sendable {
        var bytes: Int
        var limit: Int
        /// How often the bound was reached.
        var timesReached: UInt64
    }

    private let total = Atomic(0)
    private let limit = Atomic(Int.max)
    private let reached = Atomic(false)
    private let timesReached = Atomic<UInt64>(0)
    private let loops: Int
    private let observer = Mutex<(@Sendable () -> Void)?>(nil)

    /// - Parameter loops: how many loops enter.
    init(limit: Int, loops: Int) {
        self.loops = max(loops, 1)
        adopt(limit: limit)
    }

    /// Follows a new policy.
    func adopt(limit: Int) {
        self.limit.store(max(limit, 1), ordering: .relaxed)
        _ = add(0)
    }

    /// Calls `body`, on any thread, whenever `isFull` has changed.
    func whenChanged(_ body: @escaping @Sendable () -> Void) { observer.withLock { $0 = body } }

    /// How much a loop may keep to itself.
    var step: Int { min(max(limit.load(ordering: .relaxed) / (16 * loops), 1), 1_048_576) }

    /// The bound was reached, and an eighth of it is not free again yet.
    var isFull: Bool { reached.load(ordering: .relaxed) }

    var values: Values {
        Values(
            bytes: max(0, total.load(ordering: .relaxed)), limit: limit.load(ordering: .relaxed),
            timesReached: timesReached.load(ordering: .relaxed))
    }

    /// Enters what a loop holds more, or less; says whether the bound is reached now.
    func add(_ count: Int) -> Bool {
        total.add(count, ordering: .relaxed)
        // Another loop may enter between the look at the sum and the change that follows from it: look again.
        while true {
            let sum = total.load(ordering: .sequentiallyConsistent)
            let limit = limit.load(ordering: .relaxed)
            let was = reached.load(ordering: .sequentiallyConsistent)
            let isReached = was ? sum > limit / 8 * 7 : sum >= limit
            guard isReached != was else { return was }
            if reached.compareExchange(expected: was, desired: isReached, ordering: .sequentiallyConsistent).exchanged {
                if isReached { timesReached.add(1, ordering: .relaxed) }
                observer.withLock { $0 }?()
            }
        }
    }
}
