import Core

/// Who a token speaks of, read from its claims. Everything here may become a header value, so a control character in it
/// makes the token malformed. Null is absent.
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

    /// - Parameter isOwn: the gateway's own key signed the token.
    init(_ claims: JSONNode, pointers: ClaimPointers, isOwn: Bool = false) throws(TokenFault) {
        issuer = try Self.checked(claims.text("iss"), as: "iss")
        id = try Self.checked(claims["jti"]?.name(ofClaim: "jti"), as: "jti")
        let place = pointers.subject.name
        subject = try Self.checked(pointers.subject.pointer.resolve(in: claims)?.name(ofClaim: place), as: place)
        scopes = try Self.scopes(claims, at: pointers.scopes)
        addresses = pointers.readsAddresses || isOwn ? try Self.addresses(claims, at: pointers.addresses) : nil
    }

    /// Issuers write `"sub": ""` for clients that are no users: all of them would be one caller with one bucket.
    private static func checked(_ text: String?, as claim: String) throws(TokenFault) -> String? {
        guard let text, !text.isBlank else { return nil }
        if text.isUnfit { throw .memberMalformed(claim) }
        return text
    }

    /// Scopes stand in a string between spaces (RFC 8693 §4.2) or one by one in an array. An element with white space
    /// in it is no scope (RFC 6749 §3.3) and is left out: joined into a header it would read as several.
    private static func scopes(_ claims: JSONNode, at place: ClaimPointers.Claim?) throws(TokenFault) -> [String]? {
        let node: JSONNode?
        let claim: String
        if let place {
            node = place.pointer.resolve(in: claims)
            claim = place.name
        } else {
            let scope = claims["scope"].flatMap { $0.isNull ? nil : $0 }
            node = scope ?? claims["scp"]
            claim = scope == nil ? "scp" : "scope"
        }
        guard let node, !node.isNull else { return nil }
        let scopes: [String]
        if case .string(let text) = node.value {
            scopes = text.utf8.split(separator: 0x20).map { String(Substring($0)) }
        } else {
            scopes = try node.texts(ofClaim: claim).filter { !$0.isEmpty && !$0.hasWhitespace }
        }
        for scope in scopes where scope.isUnfit { throw .memberMalformed(claim) }
        return scopes
    }

    private static func addresses(_ claims: JSONNode, at place: ClaimPointers.Claim) throws(TokenFault) -> AddressSet? {
        guard let node = place.pointer.resolve(in: claims), !node.isNull else { return nil }
        let claim = place.name
        let texts: [String]
        if case .string(let text) = node.value {
            texts = [text]
        } else {
            texts = try node.texts(ofClaim: claim)
        }
        guard texts.count <= addressLimit else { throw .memberMalformed(claim) }
        var blocks: [CIDRBlock] = []
        blocks.reserveCapacity(texts.count)
        for text in texts {
            guard let block = try? CIDRBlock.network(text) else { throw .memberMalformed(claim) }
            blocks.append(block)
        }
        return AddressSet(blocks)
    }
}
