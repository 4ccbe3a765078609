import Core

/// Makes the tokens of tests.
struct RehearsalToken {
    let key: RehearsalKey
    /// The `kid` the key is known under.
    let kid: String

    /// A token in compact form, for an authenticator.
    func compact(
        _ token: PolicyTestConfiguration.Token, for authenticator: JWTAuthenticatorConfiguration, now: WallTime
    ) -> String {
        let algorithm = token.algorithm ?? authenticator.algorithms.first ?? .rs256
        var header: [UInt8] = []
        header.append("{\"alg\":")
        header.append(jsonString: algorithm.rawValue)
        if let type = token.type ?? authenticator.types.first {
            header.append(",\"typ\":")
            header.append(jsonString: type)
        }
        header.append(",\"kid\":")
        header.append(jsonString: token.signature == .unknown ? kid + "-unknown" : kid)
        header.append("}")
        var text: [UInt8] = []
        text.append(base64URL: header.span)
        text.append(".")
        let payload = payload(token, authenticator, now)
        text.append(base64URL: payload.span)
        var signature = key.signature(of: text.span)
        // What it has signed is something else.
        if token.signature == .forged { signature.reverse() }
        text.append(".")
        text.append(base64URL: signature.span)
        return String(decoding: text, as: UTF8.self)
    }

    private func payload(
        _ token: PolicyTestConfiguration.Token, _ authenticator: JWTAuthenticatorConfiguration, _ now: WallTime
    ) -> [UInt8] {
        let nowhere = SourcePosition(line: 0, column: 0)
        var claims: [(name: String, node: JSONNode)] = []
        if let issuer = authenticator.issuers.first { claims.append(("iss", JSONNode(.string(issuer), at: nowhere))) }
        if let audience = authenticator.audiences.first {
            claims.append(("aud", JSONNode(.string(audience), at: nowhere)))
        }
        let issuedAt = now.advanced(by: 0 &- token.age)
        claims.append(("iat", JSONNode(.number(JSONNumber(issuedAt.seconds)), at: nowhere)))
        let end = issuedAt.advanced(by: token.lifetime)
        claims.append(("exp", JSONNode(.number(JSONNumber(end.seconds)), at: nowhere)))
        claims.removeAll { claim in token.claims.contains { $0.name == claim.name } }
        for claim in token.claims {
            if case .null = claim.node.value { continue }
            claims.append((claim.name, claim.node))
        }
        var payload: [UInt8] = [0x7B]
        for (index, claim) in claims.enumerated() {
            if index > 0 { payload.append(0x2C) }
            payload.append(jsonString: claim.name)
            payload.append(0x3A)
            payload.append(json: claim.node)
        }
        payload.append(0x7D)
        return payload
    }
}
