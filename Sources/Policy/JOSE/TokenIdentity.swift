import Core

/// Who a token speaks of, read from its claims. Everything here may become a header value, so a control character in it
/// makes the token malformed.
struct TokenIdentity {
    /// Entries of an address list; more make the token malformed.
    static let addressLimit = 64

    /// Nil also for a text without any other character than spaces, which names nothing; so are the next two.
    let issuer: String?
    let subject: String?
    let id: String?
    /// Nil where the token does not speak of scopes.
    let scopes: [String]?
    let addresses: AddressSet?

    init(_ claims: JSONNode, pointers: ClaimPointers) throws(TokenFault) {
        issuer = try claims.text("iss").flatMap(Self.name)
        id = try claims.text("jti").flatMap(Self.name)
        subject = try Self.subject(claims, at: pointers.subject).flatMap(Self.name)
        scopes = try Self.scopes(claims, at: pointers.scopes)
        addresses = try Self.addresses(claims, at: pointers.addresses)
        for text in [issuer, subject, id] where text?.hasControls ?? false { throw .malformed }
        for scope in scopes ?? [] where scope.hasControls { throw .malformed }
    }

    /// Issuers write `"sub": ""` for clients that are no users: all of them would be one caller with one bucket.
    private static func name(_ text: String) -> String? { text.isBlank ? nil : text }

    /// A string, or an integer as some issuers number their users. `sub` itself is always a string (RFC 7519 §4.1.2).
    private static func subject(_ claims: JSONNode, at pointer: JSONPointer) throws(TokenFault) -> String? {
        _ = try claims.text("sub")
        switch pointer.resolve(in: claims)?.value {
        case .none: return nil
        case .string(let text): return text
        case .number(let number):
            guard let integer = number.integer else { throw .malformed }
            return String(integer)
        case .null, .bool, .array, .object: throw .malformed
        }
    }

    /// Scopes stand in a string between spaces (RFC 8693 §4.2) or one by one in an array. An element with white space
    /// in it is no scope (RFC 6749 §3.3) and is left out: joined into a header it would read as several.
    private static func scopes(_ claims: JSONNode, at pointer: JSONPointer?) throws(TokenFault) -> [String]? {
        let node: JSONNode?
        if let pointer {
            node = pointer.resolve(in: claims)
        } else {
            node = claims["scope"] ?? claims["scp"]
        }
        guard let node else { return nil }
        if case .string(let text) = node.value {
            if text.hasControls { throw .malformed }
            return text.utf8.split(separator: 0x20).map { String(Substring($0)) }
        }
        return try node.texts().filter { !$0.isEmpty && !$0.hasWhitespace }
    }

    private static func addresses(_ claims: JSONNode, at pointer: JSONPointer) throws(TokenFault) -> AddressSet? {
        guard let node = pointer.resolve(in: claims) else { return nil }
        let texts: [String]
        if case .string(let text) = node.value {
            texts = [text]
        } else {
            texts = try node.texts()
        }
        guard texts.count <= addressLimit else { throw .malformed }
        var blocks: [CIDRBlock] = []
        blocks.reserveCapacity(texts.count)
        for text in texts {
            guard let block = try? CIDRBlock.network(text) else { throw .malformed }
            blocks.append(block)
        }
        return AddressSet(blocks)
    }
}
