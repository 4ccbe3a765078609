/// Makes what takes long to make, or to look through: hashes of passwords, private keys. For queues that may block.
package struct MaterialMaker: Sendable {
    /// The encoded hash of a password, its cost and salt in it; nil when there is no memory for it.
    package var passwordHash: @Sendable (String) -> String?
    /// The PKCS #8 form of a new RSA key of 2048 bits.
    package var privateKey: @Sendable () -> [UInt8]?
    /// The same of an RSA key in PEM form that somebody brings; nil for any other text.
    package var givenPrivateKey: @Sendable (String) -> [UInt8]?

    package init(
        passwordHash: @escaping @Sendable (String) -> String?, privateKey: @escaping @Sendable () -> [UInt8]?,
        givenPrivateKey: @escaping @Sendable (String) -> [UInt8]?
    ) {
        self.passwordHash = passwordHash
        self.privateKey = privateKey
        self.givenPrivateKey = givenPrivateKey
    }
}
