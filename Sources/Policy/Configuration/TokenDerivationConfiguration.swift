/// What the tokens of an authenticator live and die with.
package struct TokenDerivationConfiguration: Sendable {
    package enum Source: Sendable {
        /// The secret of an API key of this authenticator.
        case keys(Located<String>)
        /// A user of the store.
        case users
    }

    package var source: Source
    /// JSON Pointer of the claim that names it: a `KeyFamily`, or the user's id.
    package var claim: Located<String>

    package init(source: Source, claim: Located<String>) {
        self.source = source
        self.claim = claim
    }
}
