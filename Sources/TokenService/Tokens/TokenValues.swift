import Core
import Policy

/// The values of a new token, by their placeholders.
struct TokenValues {
    var party: TokenParty
    var grant: TokenGrant
    /// Unix seconds.
    var issuedAt: Int64
    var tokenID: String
    var email: String?
    var name: String?
    var realm: String?
    var client: IPAddress

    // Once the token is made.
    var token: String?
    var claims: JSONNode?
    var refreshToken: String?
    var refreshLifetime: Int64?

    /// Nil where there is no such value.
    func value(_ placeholder: TokenPlaceholder) -> JSONValue? {
        switch placeholder {
        case .token: token.map { .string($0) }
        case .claims: claims?.value
        case .refreshToken: refreshToken.map { .string($0) }
        case .refreshExpiresIn: refreshLifetime.map { .number(JSONNumber($0)) }
        case .lifetime, .expiresIn: .number(JSONNumber(grant.lifetime))
        case .expiresAt: .number(JSONNumber(issuedAt + grant.lifetime))
        case .issuedAt: .number(JSONNumber(issuedAt))
        case .tokenID: .string(tokenID)
        case .family: party.family.map { .string($0) }
        case .key: party.key.map { .string($0) }
        case .subject: party.subject.map { .string($0) }
        case .scopes: .string(grant.scopes.joined(separator: " "))
        case .addresses: grant.addresses.map { .array($0.map(Self.text)) }
        case .renewable: .bool(grant.isRenewable)
        case .email: email.map { .string($0) }
        case .name: name.map { .string($0) }
        case .realm: realm.map { .string($0) }
        case .clientIP: .string(client.description)
        }
    }

    private static func text(_ text: String) -> JSONNode {
        JSONNode(.string(text), at: SourcePosition(line: 0, column: 0))
    }
}
