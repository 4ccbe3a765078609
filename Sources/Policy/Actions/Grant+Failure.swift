extension Grant {
    /// A refusal by the action of the route charges the failure budget of the address: a credential could be a guess, or a
    /// stranger sent content that cannot be read to an action that looks for a credential in it.
    package func countsAsFailure(_ denial: Denial) -> Bool {
        if denial.couldBeGuess { return true }
        guard caller.identity.isAnonymous, denial == .contentMalformed || denial == .parametersInvalid else { return false }
        return looksForCredentialInContent
    }

    /// The action takes a credential from the content of the request, which the failure budget of its address may refuse unseen.
    /// Others have none but what was recognized already.
    package var looksForCredentialInContent: Bool {
        switch route.action {
        case .login, .refreshToken: true
        case .mintToken, .manage, .publishKeys, .notFound, nil: false
        }
    }
}
