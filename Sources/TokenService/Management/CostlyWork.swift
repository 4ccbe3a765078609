/// What takes long and has to be made before a call can be carried out. Only a call that everything else allows asks for it.
enum CostlyWork: Sendable, Equatable {
    /// Hashes a new password, where there is one; before that checks the current one, where it is shown.
    case password(new: String?, current: ShownPassword?)
    /// A new RSA key.
    case newPrivateKey
    /// Looks through a private key in PEM form that a caller brings.
    case givenPrivateKey(String)

    /// A password that a caller shows, and what it is held against.
    struct ShownPassword: Sendable, Equatable {
        var text: String
        /// Whose it is, for the account's attempts.
        var email: String
        /// The encoded hash of the account's password.
        var hash: String
    }
}

/// What came of `CostlyWork`.
struct MadeMaterial: Sendable {
    /// Of the password that the call sets.
    var passwordHash: String?
    /// The encoded hash that the current password was found to fit.
    var provenHash: String?
    /// The PKCS #8 form of a private key.
    var privateKey: [UInt8]?
    /// The private key that the call brings was looked at; without a `privateKey` it is none.
    var isKeyJudged = false
}
