import Core
import Dispatch
import Policy
import Synchronization

/// A few threads for work that takes long, such as hashing passwords and making keys: a fair line in front, with bounds on what
/// waits, and one thread more that is kept free for the administrator.
final class WorkPool: Sendable {
    /// Work, and whether anyone still waits for its outcome. The closure gets false where the client has gone away: then it ends
    /// at once, with an answer for those who count what is under way.
    private struct Piece: Sendable {
        var interest: ActionInterest?
        var run: @Sendable (_ isWanted: Bool) -> Void
    }

    private enum Place: Sendable { case shared(Requester), administrators, reserved }

    private struct State {
        var line: FairLine<Piece>
        var running = 0
        var isReservedBusy = false
    }

    private let queue = DispatchQueue(label: "portcullis.work", qos: .utility, attributes: .concurrent)
    private let width: Int
    private let execute: @Sendable (@escaping @Sendable () -> Void) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - width: pieces of callers at one time; the administrator has one place beside these.
    ///   - execute: runs a closure on a thread; nil for a queue of the pool's own.
    init(
        width: Int, underWayPerCaller: Int = FixedBounds.costlyWorkPerCaller,
        waitingPerCaller: Int = FixedBounds.costlyWorkWaitingPerCaller, waiting: Int = FixedBounds.costlyWorkWaiting,
        execute: (@Sendable (@escaping @Sendable () -> Void) -> Void)? = nil
    ) {
        self.width = width
        let queue = self.queue
        self.execute = execute ?? { queue.async(execute: $0) }
        let bounds = FairLine<Piece>.Bounds(
            underWayPerCaller: underWayPerCaller, waitingPerCaller: waitingPerCaller, waiting: waiting)
        state = Mutex(State(line: FairLine(bounds)))
    }

    /// False when too much waits already; then the work is not done.
    /// - Parameters:
    ///   - interest: of the client; work of one that has gone away leaves the line.
    ///   - run: gets whether the outcome is still wanted; quick where it is not.
    func submit(
        for requester: Requester, interest: ActionInterest? = nil, _ run: @escaping @Sendable (_ isWanted: Bool) -> Void
    ) -> Bool {
        let piece = Piece(interest: interest, run: run)
        let (isTaken, left) = state.withLock { state -> (Bool, [Piece]) in
            if state.line.add(piece, for: requester) { return (true, []) }
            let left = state.line.removeAll { $0.interest?.isGone ?? false }
            return (state.line.add(piece, for: requester), left)
        }
        for piece in left { execute { piece.run(false) } }
        if isTaken { begin() }
        return isTaken
    }

    /// Does a little work after a while, beside the pieces that are counted.
    func later(_ wait: Nanoseconds, _ work: @escaping @Sendable () -> Void) {
        queue.asyncAfter(deadline: .now() + .nanoseconds(Int(wait)), execute: work)
    }

    /// Begins what there are threads for.
    private func begin() {
        while let (piece, place) = state.withLock({ Self.take(&$0, width: width) }) {
            execute {
                piece.run(!(piece.interest?.isGone ?? false))
                self.state.withLock { Self.release(place, &$0) }
                self.begin()
            }
        }
    }

    private static func take(_ state: inout State, width: Int) -> (Piece, Place)? {
        if !state.isReservedBusy, let piece = state.line.nextUrgent() {
            state.isReservedBusy = true
            return (piece, .reserved)
        }
        guard state.running < width else { return nil }
        if let piece = state.line.nextUrgent() {
            state.running += 1
            return (piece, .administrators)
        }
        guard let next = state.line.nextOfCaller() else { return nil }
        state.running += 1
        return (next.work, .shared(next.requester))
    }

    private static func release(_ place: Place, _ state: inout State) {
        switch place {
        case .reserved: state.isReservedBusy = false
        case .administrators: state.running -= 1
        case .shared(let requester):
            state.running -= 1
            state.line.finish(requester)
        }
    }
}
