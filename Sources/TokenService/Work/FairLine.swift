/// Work that waits for its turn: the administrator's first, then one piece of each caller in turn, each caller's in its order.
///
/// A value without threads and clocks: what takes from it decides when. Every operation takes constant time, amortized.
struct FairLine<Work> {
    /// What a line holds at most.
    struct Bounds: Sendable {
        /// Pieces of one caller that are under way at one time.
        var underWayPerCaller = Int.max
        /// Pieces of one caller that wait; more are refused.
        var waitingPerCaller = Int.max
        /// Pieces of all callers that wait; more are refused. The administrator's are not counted.
        var waiting = Int.max
    }

    private struct Caller {
        var waiting = FIFO<Work>()
        var underWay = 0
        /// Has a place among the turns.
        var hasTurn = false
    }

    private let bounds: Bounds
    private var urgent = FIFO<Work>()
    private var callers: [Requester: Caller] = [:]
    /// Callers of whom a piece may begin, in the order of their turns.
    private var turns = FIFO<Requester>()
    private var waitingCount = 0

    init(_ bounds: Bounds) { self.bounds = bounds }

    var isEmpty: Bool { urgent.isEmpty && waitingCount == 0 }

    /// False where too much waits already; the work is not taken then.
    mutating func add(_ work: Work, for requester: Requester) -> Bool {
        guard requester != .administrator else {
            urgent.append(work)
            return true
        }
        var caller = callers[requester] ?? Caller()
        guard waitingCount < bounds.waiting, caller.waiting.count < bounds.waitingPerCaller else { return false }
        waitingCount += 1
        caller.waiting.append(work)
        callers[requester] = caller
        giveTurn(requester)
        return true
    }

    /// Takes the administrator's next piece.
    mutating func nextUrgent() -> Work? { urgent.popFirst() }

    /// Takes the next piece of a caller, which is under way until `finish`.
    mutating func nextOfCaller() -> (work: Work, requester: Requester)? {
        while let requester = turns.popFirst() {
            guard var caller = callers[requester] else { continue }
            caller.hasTurn = false
            let work = caller.waiting.popFirst()
            if work != nil {
                waitingCount -= 1
                caller.underWay += 1
            }
            keep(caller, of: requester)
            giveTurn(requester)
            if let work { return (work, requester) }
        }
        return nil
    }

    /// A piece that `nextOfCaller` gave has ended.
    mutating func finish(_ requester: Requester) {
        guard var caller = callers[requester] else { return }
        caller.underWay -= 1
        keep(caller, of: requester)
        giveTurn(requester)
    }

    /// Removes and returns what of the callers waits and meets the condition. Takes time for all that waits.
    mutating func removeAll(where isRemoved: (Work) -> Bool) -> [Work] {
        var removed: [Work] = []
        for (requester, known) in callers {
            var caller = known
            removed += caller.waiting.removeAll(where: isRemoved)
            keep(caller, of: requester)
        }
        waitingCount -= removed.count
        return removed
    }

    private mutating func keep(_ caller: Caller, of requester: Requester) {
        let isIdle = caller.underWay == 0 && caller.waiting.isEmpty && !caller.hasTurn
        callers[requester] = isIdle ? nil : caller
    }

    private mutating func giveTurn(_ requester: Requester) {
        guard let caller = callers[requester], !caller.hasTurn, !caller.waiting.isEmpty,
            caller.underWay < bounds.underWayPerCaller
        else { return }
        callers[requester]?.hasTurn = true
        turns.append(requester)
    }
}
