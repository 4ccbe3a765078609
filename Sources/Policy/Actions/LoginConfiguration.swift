/// A token for an e-mail address and a password.
package struct LoginConfiguration: Sendable {
    package var terms: TokenTerms
    /// Wrong passwords that one account is told of before it has to wait.
    package var attempts: FailureBudgetConfiguration

    package init(terms: TokenTerms, attempts: FailureBudgetConfiguration) {
        self.terms = terms
        self.attempts = attempts
    }
}
