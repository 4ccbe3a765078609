import Core

/// What a policy knows of the stored keys of one of its authenticators, whatever these are at the moment.
final class StoredKeyRules: Sendable {
    /// The authenticator's name.
    let name: String
    private let pepper: [UInt8]?
    private let cryptography: any Cryptography
    /// Every limit of the policy.
    private let limits: [String: Limit]

    init(name: String, pepper: [UInt8]?, cryptography: any Cryptography, limits: [String: Limit]) {
        self.name = name
        self.pepper = pepper
        self.cryptography = cryptography
        self.limits = limits
    }

    /// What is kept of a new key.
    func digest(_ key: Span<UInt8>) -> Digest256 {
        guard let pepper else { return cryptography.sha256(key) }
        return cryptography.hmacSHA256(key: pepper.span, key)
    }

    /// Judges the keys of this table under the policy.
    func authenticator(over table: APIKeyTable) -> KeyAuthenticator {
        KeyAuthenticator(
            name: name, table: table, pepper: pepper, cryptography: cryptography,
            limitLists: table.limitLists.map { list(of: $0.names) }, stored: .itself)
    }

    /// Nil where one of the limits is unknown, or there are too many: then the route's apply.
    private func list(of names: [String]) -> LimitList? {
        let known = names.compactMap { limits[$0] }
        return known.count == names.count ? LimitList(known) : nil
    }
}
