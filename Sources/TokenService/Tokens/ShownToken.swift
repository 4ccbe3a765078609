import Core
import Policy

/// A token that somebody shows for another one: what it says of itself bounds the next.
struct ShownToken {
    let token: VerifiedToken
    /// Seconds that the next one may be good for.
    let ceiling: Int64
    private let terms: TokenTerms

    /// Refuses a token that may not be renewed.
    init(_ token: VerifiedToken, terms: TokenTerms, now: WallTime) throws(ActionRefusal) {
        self.token = token
        self.terms = terms
        if let path = terms.claims.path(of: .renewable) {
            guard case .bool(true) = Self.claim(path, of: token)?.value else { throw ActionRefusal(.tokenNotRenewable) }
        }
        let ceiling = Self.granted(token, terms: terms) ?? token.expiresAt.seconds &- now.seconds
        // One in its last second, within the leeway, is at its end.
        guard ceiling > 0 else { throw ActionRefusal(.tokenNotRenewable) }
        self.ceiling = ceiling
    }

    var isBound: Bool { token.addresses != nil }

    /// The addresses as they stand in the token; nil when it is bound to none.
    func addressTexts() throws(ActionRefusal) -> [String]? {
        guard isBound else { return nil }
        guard let path = terms.claims.path(of: .addresses), let node = Self.claim(path, of: token) else {
            throw ActionRefusal(.tokenOptionNotAllowed)
        }
        switch node.value {
        case .string(let text): return [text]
        case .array(let elements):
            return elements.compactMap { if case .string(let text) = $0.value { text } else { nil } }
        case .null, .bool, .number, .object: throw ActionRefusal(.tokenOptionNotAllowed)
        }
    }

    /// The lifetime that the token was made with; nil when it does not tell.
    private static func granted(_ token: VerifiedToken, terms: TokenTerms) -> Int64? {
        for placeholder in [TokenPlaceholder.lifetime, .expiresIn] {
            guard let path = terms.claims.path(of: placeholder) else { continue }
            guard case .number(let number) = claim(path, of: token)?.value else { return nil }
            return number.integer
        }
        guard case .number(let number) = token.claims["iat"]?.value, let issuedAt = number.integer else { return nil }
        return token.expiresAt.seconds &- issuedAt
    }

    private static func claim(_ path: [String], of token: VerifiedToken) -> JSONNode? {
        path.reduce(Optional(token.claims)) { node, name in node?[name] }
    }
}
