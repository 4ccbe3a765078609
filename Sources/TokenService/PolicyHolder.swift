import Policy
import Synchronization

/// The policy in force, for who makes keys on a queue of his own.
final class PolicyHolder: Sendable {
    private let held = Mutex<Snapshot?>(nil)

    func hold(_ snapshot: Snapshot) { held.withLock { $0 = snapshot } }

    /// How an authenticator's keys are made; nil for one that keeps none in the store.
    func keyMaker(_ authenticator: String) -> KeyMaker? {
        held.withLock { $0 }.flatMap { KeyMaker(authenticator, in: $0) }
    }
}
