package import Core

/// What the gateway shows an upstream on behalf of one user, kept for as long as it can be refreshed. Encrypted at rest.
package struct StoredUpstreamCredential: Sendable, Equatable {
    /// Whose it is.
    package struct Identity: Sendable, Hashable {
        /// Name of the stored credential in the policy.
        package var name: String
        /// The issuer (`iss`) and the subject (`sub`) of the tokens that brought it.
        package var issuer: String
        package var subject: String

        package init(name: String, issuer: String, subject: String) {
            self.name = name
            self.issuer = issuer
            self.subject = subject
        }

        /// Byte by byte: issuers tell apart what Unicode takes for the same text, such as a letter with its accent and the two
        /// in a row.
        package static func == (first: Identity, second: Identity) -> Bool {
            first.name.utf8.elementsEqual(second.name.utf8) && first.issuer.utf8.elementsEqual(second.issuer.utf8)
                && first.subject.utf8.elementsEqual(second.subject.utf8)
        }
    }

    package var identity: Identity
    /// When the sign-ins were that it came of: an older token does not replace it.
    package var signIn: SignInTime
    /// The JSON object as it came with the token or from the refresh.
    package var document: [UInt8]
    /// When its key ends; nil when it says nothing of it.
    package var expiresAt: WallTime?

    package init(identity: Identity, signIn: SignInTime, document: [UInt8], expiresAt: WallTime?) {
        self.identity = identity
        self.signIn = signIn
        self.document = document
        self.expiresAt = expiresAt
    }
}
