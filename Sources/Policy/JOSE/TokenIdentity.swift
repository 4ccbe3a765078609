import Core

/// Who a token speaks of, read from its claims.
struct TokenIdentity {
    var issuer: String?
    var subject: String?
    var id: String?
    var scopes: [String]
    var addresses: [CIDRBlock]?
}
