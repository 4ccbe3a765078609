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

    init(_ token: Span<UInt8>) throws(TokenFault) {
        guard let firstDot = token.firstIndex(of: 0x2E),
            let secondDot = token.firstIndex(of: 0x2E, from: firstDot &+ 1),
            token.firstIndex(of: 0x2E, from: secondDot &+ 1) == nil,
            firstDot > 0, secondDot > firstDot &+ 1, secondDot &+ 1 < token.count,
            let header = Base64URL.decode(token.extracting(0..<firstDot)),
            let payload = Base64URL.decode(token.extracting(firstDot &+ 1..<secondDot)),
            let signature = Base64URL.decode(token.extracting(secondDot &+ 1..<token.count))
        else { throw .malformed }
        let headerNode: JSONNode
        do throws(JSONError) {
            headerNode = try JSONNode.parse(header.span)
            claims = try JSONNode.parse(payload.span)
        } catch {
            throw .malformed
        }
        guard case .object = claims.value else { throw .malformed }
        self.header = try TokenHeader(headerNode)
        self.signature = signature
        signedCount = secondDot
    }
}
