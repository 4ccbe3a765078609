/// Makes what takes long to make: hashes of passwords, private keys. For queues that may block.
package struct MaterialMaker: Sendable {
    /// The encoded hash of a password, its cost and salt in it; nil when there is no memory for it.
    package var passwordHash: @Sendable (String) -> String?
    /// The PKCS #8 form of a new RSA key of 2048 bits.
    package var privateKey: @Sendable () -> [UInt8]?

    package init(
        passwordHash: @escaping @Sendable (String) -> String?, privateKey: @escaping @Sendable () -> [UInt8]?
    ) {
        self.passwordHash = passwordHash
        self.privateKey = privateKey
    }
}
