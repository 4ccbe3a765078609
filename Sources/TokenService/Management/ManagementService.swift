import Core
import Dispatch
package import Policy
import Store

/// Carries out calls to what the store keeps: decided on memory, durable before they are answered, recorded in the audit trail
/// once.
///
/// A call is decided before anything is made for it, so that one that is refused costs nothing. One that is allowed and needs a
/// hash or a key waits for a thread of the pool, and is decided anew with what was made.
package final class ManagementService: Sendable {
    /// Times that work is done for one call: what it is decided from may change meanwhile.
    private static let workLimit = 3

    private let registry: Registry
    private let audit: AuditTrail
    private let material: MaterialMaker
    private let keyMaker: @Sendable (String) -> KeyMaker?
    private let pool: WorkPool
    private let instant: @Sendable () -> Instant
    /// Wrong current passwords of an account. Not that of sign-ins: guesses with a stolen key do not lock its owner out.
    private let attempts: AccountBudget
    /// Content is read here, that of the administrator's calls on a queue of its own.
    private let queue = DispatchQueue(label: "portcullis.management", qos: .userInitiated)
    private let urgentQueue = DispatchQueue(label: "portcullis.management.administrator", qos: .userInitiated)

    /// - Parameters:
    ///   - pool: does what takes long.
    ///   - instant: now, for the attempts at accounts.
    init(
        registry: Registry, audit: AuditTrail, material: MaterialMaker, pool: WorkPool, seed: HashSeed,
        instant: @escaping @Sendable () -> Instant, keyMaker: @escaping @Sendable (String) -> KeyMaker?
    ) {
        self.material = material
        self.registry = registry
        self.audit = audit
        self.keyMaker = keyMaker
        self.pool = pool
        self.instant = instant
        attempts = AccountBudget(.accountAttempts, seed: seed)
    }

    /// Calls back exactly once, on any queue.
    package func perform(_ call: ManagementCall, completion: @escaping @Sendable (ActionOutcome) -> Void) {
        decide(call) { result in
            switch result {
            case .success(let decision): completion(.answer(Self.answer(decision)))
            case .failure(let refusal): completion(refusal.outcome)
            }
        }
    }

    /// The same for those that may block: the command line.
    package func perform(_ call: ManagementCall) -> Result<ManagementDecision, ActionRefusal> {
        let done = DispatchSemaphore(value: 0)
        let box = ResultBox()
        decide(call) { result in
            box.put(result)
            done.signal()
        }
        done.wait()
        return box.result
    }

    private typealias Completion = @Sendable (Result<ManagementDecision, ActionRefusal>) -> Void

    private func decide(_ call: ManagementCall, completion: @escaping Completion) {
        (call.requester == .administrator ? urgentQueue : queue).async {
            do throws(ActionRefusal) {
                let prepared = try PreparedCall(call)
                guard call.configuration.resource == .apiKeys else {
                    self.decide(prepared, usage: { _ in nil }, completion: completion)
                    return
                }
                self.registry.usage(for: call.requester) { usage in
                    switch usage {
                    case .success(let usage): self.decide(prepared, usage: usage, completion: completion)
                    case .failure(let refusal): completion(.failure(refusal))
                    }
                }
            } catch {
                completion(.failure(error))
            }
        }
    }

    private func decide(
        _ prepared: PreparedCall, usage: @escaping @Sendable (String) -> KeyUsage?, after works: Int = 0,
        completion: @escaping Completion
    ) {
        let keyMaker = self.keyMaker
        let decide = { @Sendable (index: StoreIndex) throws(ActionRefusal) -> ManagementDecision in
            let context = ManagementContext(index: index, usage: usage, keyMaker: keyMaker)
            return try ManagementDispatch.decide(prepared, in: context)
        }
        let call = prepared.call
        // Lists take as long as there are records: they share no commit with changes.
        if call.method == .get || call.method == .head {
            registry.read(for: call.requester, decide, completion: completion)
            return
        }
        registry.change(for: call.requester) { (index) throws(ActionRefusal) in
            let decision = try decide(index)
            return (decision.changes, decision)
        } completion: { result in
            guard case .success(let decision) = result else {
                completion(result)
                return
            }
            guard let work = decision.work else {
                self.audit.record(decision.events)
                completion(result)
                return
            }
            guard works < Self.workLimit else {
                completion(.failure(ActionRefusal(.resourceConflict, messages: ["The record is being changed by others"])))
                return
            }
            self.make(work, for: prepared) { made in
                switch made {
                case .success(let made):
                    var next = prepared
                    next.made = made
                    self.decide(next, usage: usage, after: works + 1, completion: completion)
                case .failure(let refusal): completion(.failure(refusal))
                }
            }
        }
    }

    /// Has work done by the pool; one caller's waits behind what it has asked for before, and is refused above a bound.
    private func make(
        _ work: CostlyWork, for prepared: PreparedCall,
        completion: @escaping @Sendable (Result<MadeMaterial, ActionRefusal>) -> Void
    ) {
        let isTaken = pool.submit(for: prepared.call.requester, interest: prepared.call.interest) { isWanted in
            guard isWanted else {
                completion(.failure(ActionRefusal(.overloaded)))
                return
            }
            completion(Result { () throws(ActionRefusal) in try self.made(work, for: prepared) })
        }
        if !isTaken { completion(.failure(ActionRefusal(.overloaded))) }
    }

    /// On a thread of the pool.
    private func made(_ work: CostlyWork, for prepared: PreparedCall) throws(ActionRefusal) -> MadeMaterial {
        guard case .password(_, let current?) = work else { return try material.make(work, adding: prepared.made) }
        // Asked only now, so that guesses that waited together do not all pass.
        if let wait = attempts.retryAfter(current.email, now: instant()) { throw ActionRefusal(.tooManyAttempts, retryAfter: wait) }
        do throws(ActionRefusal) {
            return try material.make(work, adding: prepared.made)
        } catch {
            if error.denial == .currentPasswordWrong { attempts.recordFailure(current.email, now: instant()) }
            throw error
        }
    }

    /// Answers hold keys and people's names: no cache may keep a copy.
    private static func answer(_ decision: ManagementDecision) -> ActionAnswer {
        ActionAnswer(status: decision.status, headers: [(name: "Cache-Control", value: "no-store")], body: decision.body)
    }
}
