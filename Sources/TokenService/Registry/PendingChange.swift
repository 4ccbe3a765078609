import Policy
import Store

/// A change that waits for its turn. Belongs to the registry's queue.
protocol PendingChange: AnyObject, Sendable {
    /// Decides anew from what the store holds; no changes when it comes to a refusal.
    func decide(_ index: StoreIndex) -> [StoreChange]

    /// Tells whoever asked.
    /// - Parameter failure: why the store did not take what was decided; nil when it did.
    func finish(_ failure: ActionRefusal?)
}

/// A change together with the answer that its decision comes to. Made anywhere, then used on the registry's queue only.
final class Attempt<Answer: Sendable>: PendingChange, @unchecked Sendable {
    typealias Decision = @Sendable (StoreIndex) throws(ActionRefusal) -> (changes: [StoreChange], answer: Answer)

    private let decision: Decision
    private let completion: @Sendable (Result<Answer, ActionRefusal>) -> Void
    private var result: Result<Answer, ActionRefusal>?

    init(_ decision: @escaping Decision, completion: @escaping @Sendable (Result<Answer, ActionRefusal>) -> Void) {
        self.decision = decision
        self.completion = completion
    }

    func decide(_ index: StoreIndex) -> [StoreChange] {
        do throws(ActionRefusal) {
            let decided = try decision(index)
            result = .success(decided.answer)
            return decided.changes
        } catch {
            result = .failure(error)
            return []
        }
    }

    func finish(_ failure: ActionRefusal?) {
        if let failure {
            completion(.failure(failure))
        } else {
            completion(result ?? .failure(ActionRefusal(.storeUnavailable)))
        }
    }
}
