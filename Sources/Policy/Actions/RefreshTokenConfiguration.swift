/// A new token for a refresh token, or, where the route authenticates tokens, for the token that is shown.
package struct RefreshTokenConfiguration: Sendable {
    package var terms: TokenTerms

    package init(terms: TokenTerms) {
        self.terms = terms
    }
}
