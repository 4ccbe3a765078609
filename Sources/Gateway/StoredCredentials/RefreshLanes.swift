import Dispatch
import Synchronization

/// Queues that may block, for the refreshes of one stored credential: so many at a time, so many in line.
final class RefreshLanes: Sendable {
    /// Refreshes of one stored credential at a time.
    static let count = 16
    /// Refreshes waiting for each of these.
    static let lineLimit = 64

    private let queues: [DispatchQueue]
    private let lengths = Mutex(Array(repeating: 0, count: RefreshLanes.count))

    init() {
        // A serial queue that blocks has a thread of its own.
        queues = (0..<Self.count).map { _ in DispatchQueue(label: "portcullis.credential-refresh", qos: .utility) }
    }

    /// Does the work in the shortest line; false when all are full.
    func run(_ work: @escaping @Sendable () -> Void) -> Bool {
        let lane: Int? = lengths.withLock { lengths in
            guard let lane = lengths.indices.min(by: { lengths[$0] < lengths[$1] }), lengths[lane] < Self.lineLimit
            else { return nil }
            lengths[lane] += 1
            return lane
        }
        guard let lane else { return false }
        queues[lane].async {
            work()
            self.lengths.withLock { $0[lane] -= 1 }
        }
        return true
    }
}
