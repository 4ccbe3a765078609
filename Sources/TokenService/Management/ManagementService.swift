import Core
import Dispatch
package import Policy
import Store

/// Carries out calls to what the store keeps: decided on memory, durable before they are answered, told to the audit trail once.
package final class ManagementService: Sendable {
    private let registry: Registry
    private let audit: AuditTrail
    private let material: MaterialMaker
    private let keyMaker: @Sendable (String) -> KeyMaker?
    /// What takes long is done here, one call after the other: hashing of passwords, private keys.
    private let queue = DispatchQueue(label: "portcullis.management", qos: .userInitiated)

    package init(
        registry: Registry, audit: AuditTrail, material: MaterialMaker, keyMaker: @escaping @Sendable (String) -> KeyMaker?
    ) {
        self.material = material
        self.registry = registry
        self.audit = audit
        self.keyMaker = keyMaker
    }

    /// Calls back exactly once, on any queue.
    package func perform(_ call: ManagementCall, completion: @escaping @Sendable (ActionOutcome) -> Void) {
        queue.async {
            do throws(ActionRefusal) {
                let prepared = try PreparedCall(call).with(self.material)
                self.decide(prepared) { result in
                    switch result {
                    case .success(let decision):
                        self.audit.record(decision.events)
                        completion(.answer(Self.answer(decision)))
                    case .failure(let refusal): completion(refusal.outcome)
                    }
                }
            } catch {
                completion(error.outcome)
            }
        }
    }

    /// The same for callers that may block: the command line.
    package func perform(_ call: ManagementCall) -> Result<ManagementDecision, ActionRefusal> {
        let prepared: PreparedCall
        do throws(ActionRefusal) {
            prepared = try PreparedCall(call).with(material)
        } catch {
            return .failure(error)
        }
        let done = DispatchSemaphore(value: 0)
        let box = ResultBox()
        decide(prepared) { result in
            box.put(result)
            done.signal()
        }
        done.wait()
        let result = box.result
        if case .success(let decision) = result { audit.record(decision.events) }
        return result
    }

    private func decide(
        _ prepared: PreparedCall, completion: @escaping @Sendable (Result<ManagementDecision, ActionRefusal>) -> Void
    ) {
        guard prepared.call.configuration.resource == .apiKeys else {
            decide(prepared, usage: { _ in nil }, completion: completion)
            return
        }
        registry.usage { usage in
            switch usage {
            case .success(let usage): self.decide(prepared, usage: usage, completion: completion)
            case .failure(let refusal): completion(.failure(refusal))
            }
        }
    }

    private func decide(
        _ prepared: PreparedCall, usage: @escaping @Sendable (String) -> KeyUsage?,
        completion: @escaping @Sendable (Result<ManagementDecision, ActionRefusal>) -> Void
    ) {
        let keyMaker = self.keyMaker
        registry.change { (index) throws(ActionRefusal) in
            let context = ManagementContext(index: index, usage: usage, keyMaker: keyMaker)
            let decision = try ManagementDispatch.decide(prepared, in: context)
            return (decision.changes, decision)
        } completion: {
            completion($0)
        }
    }

    /// Answers tell of keys and people: nobody keeps a copy on the way.
    private static func answer(_ decision: ManagementDecision) -> ActionAnswer {
        ActionAnswer(status: decision.status, headers: [(name: "Cache-Control", value: "no-store")], body: decision.body)
    }
}
