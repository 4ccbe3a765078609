import Policy

/// Makes what takes long to make, or to look through: hashes of passwords, private keys. For threads that may block.
package struct MaterialMaker: Sendable {
    /// The encoded hash of a password, its cost and salt in it; nil when there is no memory for it.
    package var passwordHash: @Sendable (String) -> String?
    /// Whether a password is the one that the encoded hash was made of.
    package var isPassword: @Sendable (_ password: String, _ encoded: String) -> Bool
    /// The PKCS #8 form of a new RSA key of 2048 bits.
    package var privateKey: @Sendable () -> [UInt8]?
    /// The same of an RSA key in PEM form that a caller brings; nil for any other text.
    package var givenPrivateKey: @Sendable (String) -> [UInt8]?

    package init(
        passwordHash: @escaping @Sendable (String) -> String?,
        isPassword: @escaping @Sendable (_ password: String, _ encoded: String) -> Bool,
        privateKey: @escaping @Sendable () -> [UInt8]?, givenPrivateKey: @escaping @Sendable (String) -> [UInt8]?
    ) {
        self.passwordHash = passwordHash
        self.isPassword = isPassword
        self.privateKey = privateKey
        self.givenPrivateKey = givenPrivateKey
    }

    /// Does the work.
    /// - Parameter known: what was made for the call before.
    func make(_ work: CostlyWork, adding known: MadeMaterial) throws(ActionRefusal) -> MadeMaterial {
        var made = known
        switch work {
        case .password(let new, let current):
            if let current {
                guard isPassword(current.text, current.hash) else { throw ActionRefusal(.currentPasswordWrong) }
                made.provenHash = current.hash
            }
            if let new, made.passwordHash == nil {
                guard let hash = passwordHash(new) else { throw ActionRefusal(.overloaded) }
                made.passwordHash = hash
            }
        case .newPrivateKey:
            guard let key = privateKey() else { throw ActionRefusal(.overloaded) }
            made.privateKey = key
        case .givenPrivateKey(let text):
            made.privateKey = givenPrivateKey(text)
            made.isKeyJudged = true
        }
        return made
    }
}
