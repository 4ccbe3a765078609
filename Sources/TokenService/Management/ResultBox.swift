import Policy
import Synchronization

/// Where a queue leaves a result for a thread that waits for it.
final class ResultBox: Sendable {
    private let held = Mutex<Result<ManagementDecision, ActionRefusal>>(.failure(ActionRefusal(.storeUnavailable)))

    func put(_ result: Result<ManagementDecision, ActionRefusal>) { held.withLock { $0 = result } }

    var result: Result<ManagementDecision, ActionRefusal> { held.withLock { $0 } }
}
