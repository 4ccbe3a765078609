package import Core
package import Policy

/// Makes the secrets of one authenticator's keys, in its format and with its kind of digest.
package struct KeyMaker: Sendable {
    /// A new secret, and what is kept of it.
    package var makeSecret: @Sendable () -> (text: [UInt8], digest: Digest256)

    /// How the digests of the authenticator are made, as its records name it.
    package var digestMember: APIKeyRecordParser.DigestMember

    package init(
        digestMember: APIKeyRecordParser.DigestMember = .sha256, makeSecret: @escaping @Sendable () -> (text: [UInt8], digest: Digest256)
    ) {
        self.digestMember = digestMember
        self.makeSecret = makeSecret
    }
}
