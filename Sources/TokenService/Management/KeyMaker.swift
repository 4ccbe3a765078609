package import Core

/// Makes the secrets of one authenticator's keys, in its format and with its kind of digest.
package struct KeyMaker: Sendable {
    /// A new secret, and what is kept of it.
    package var makeSecret: @Sendable () -> (text: [UInt8], digest: Digest256)

    package init(makeSecret: @escaping @Sendable () -> (text: [UInt8], digest: Digest256)) {
        self.makeSecret = makeSecret
    }
}
