import Core

/// A JWT in the compact form of RFC 7515 §7.1, taken apart and not yet verified: three non-empty parts in strict
/// base64url, header and payload JSON objects without doubled members.
struct CompactToken {
    let header: TokenHeader
    /// The payload, a JSON object.
    let claims: JSONNode
    let signature: [UInt8]
    /// The first so many bytes of the token are what is signed.
    let signedCount: Int

    /// - Parameter headers: headers read before, to be looked at first.
    init(_ token: Span<UInt8>, headers: HeaderCache? = nil) throws(TokenFault) {
        // A third dot is no letter of base64url.
        guard let firstDot = token.firstIndex(of: 0x2E),
            let secondDot = token.firstIndex(of: 0x2E, from: firstDot &+ 1),
            firstDot > 0, secondDot > firstDot &+ 1, secondDot &+ 1 < token.count,
            let payload = Base64URL.decode(token.extracting(firstDot &+ 1..<secondDot)),
            let signature = Base64URL.decode(token.extracting(secondDot &+ 1..<token.count))
        else { throw .malformed }
        let headerText = token.extracting(0..<firstDot)
        if let headers {
            header = try headers.header(headerText)
        } else {
            header = try TokenHeader(base64URL: headerText)
        }
        do throws(JSONError) {
            claims = try JSONNode.parse(payload.span, dialect: .foreign)
        } catch {
            throw .malformed
        }
        guard case .object = claims.value else { throw .malformed }
        self.signature = signature
        signedCount = secondDot
    }
}
