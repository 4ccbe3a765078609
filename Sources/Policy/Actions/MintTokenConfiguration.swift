/// A new token for whoever shows a key, or a token that may be renewed.
package struct MintTokenConfiguration: Sendable {
    package var terms: TokenTerms
    /// Nil binds tokens to no addresses and takes no options about them.
    package var addresses: TokenAddressTerms?

    package init(terms: TokenTerms, addresses: TokenAddressTerms?) {
        self.terms = terms
        self.addresses = addresses
    }
}
