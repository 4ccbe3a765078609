extension Grant {
    /// A refusal by the action of the route charges the failure budget of the address: a credential was bad, or a stranger sent
    /// content that cannot be read to an action that looks for a credential in it.
    package func countsAsFailure(_ denial: Denial) -> Bool {
        if denial.countsAsFailure { return true }
        guard caller.identity.isAnonymous, denial == .contentMalformed || denial == .parametersInvalid else { return false }
        return switch route.action {
        case .login, .refreshToken: true
        case .mintToken, .manage, .publishKeys, .notFound, nil: false
        }
    }
}
