package import Policy

/// Issues tokens and manages what the store keeps: the actions of routes.
package final class TokenService: ActionPerformer {
    package init() {}

    package func perform(_ request: ActionRequest, completion: @escaping @Sendable (ActionOutcome) -> Void) {
        completion(.refuse(.storeUnavailable))
    }
}
