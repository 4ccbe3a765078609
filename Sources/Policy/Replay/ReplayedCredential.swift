import Core

/// What stands for a logged request's credential, as far as its record tells.
enum ReplayedCredential {
    case none
    /// A secret by its digest, and what it begins with as a bearer token.
    case secret(Digest256, prefix: String)
    /// A token for an authenticator, good or bad as the record says.
    case token(JWTAuthenticatorConfiguration, PolicyTestConfiguration.Token)

    /// A digest that no record has, of a secret with this fingerprint.
    static func unknown(_ fingerprint: UInt32?) -> Digest256 {
        Digest256(UInt64(fingerprint ?? 0) << 32, 0x756E_6B6E_6F77_6E00, 0x706F_7274_6375_6C6C, 0x6973)
    }
}

extension PolicyTestConfiguration.Token {
    /// The token of a record: refused for what the record says, without claims that nobody logged. Nil for refusals that no
    /// token brings about by itself.
    init?(_ facts: LoggedFacts, for authenticator: JWTAuthenticatorConfiguration) {
        self.init()
        if let subject = facts.subject { claims += [Self.claim(authenticator.subjectClaim, subject)].compactMap(\.self) }
        if let id = facts.credential { claims += [Self.claim("/jti", id)].compactMap(\.self) }
        for required in authenticator.requiredClaims where facts.reason != TokenFault.claimMissing.rawValue {
            claims += [Self.claim(required.pointer.value, required.value ?? "unlogged")].compactMap(\.self)
        }
        guard let reason = facts.reason, let fault = TokenFault(rawValue: reason) else { return }
        let years = Nanoseconds.seconds(20 * 365 * 86_400)
        switch fault {
        case .expired: age = years
        case .notYetValid: claims.append(Self.number("nbf", 7_000_000_000))
        case .lifetimeTooLong: lifetime = years
        case .signatureInvalid: signature = .forged
        case .keyUnknown: signature = .unknown
        case .issuerUnknown: claims += [Self.claim("/iss", "https://unlogged.invalid")].compactMap(\.self)
        case .audienceWrong: claims += [Self.claim("/aud", "unlogged.invalid")].compactMap(\.self)
        case .typeWrong: type = "unlogged"
        case .claimMissing: break
        case .algorithmNotAllowed:
            guard let other = SignatureAlgorithm.allCases.first(where: { !authenticator.algorithms.contains($0) }) else { return nil }
            algorithm = other
        case .malformed, .memberMalformed, .tooLarge, .keySetUnavailable, .revoked: return nil
        }
    }

    private static let nowhere = SourcePosition(line: 1, column: 1)

    /// The claim that a pointer leads to.
    static func claim(_ pointer: String, _ value: String) -> JSONMember? {
        guard let names = JSONPointer(pointer)?.names, let first = names.first else { return nil }
        var node = JSONNode(.string(value), at: nowhere)
        for name in names.dropFirst().reversed() {
            node = JSONNode(.object([JSONMember(name: name, namePosition: nowhere, node: node)]), at: nowhere)
        }
        return JSONMember(name: first, namePosition: nowhere, node: node)
    }

    private static func number(_ name: String, _ value: Int64) -> JSONMember {
        JSONMember(name: name, namePosition: nowhere, node: JSONNode(.number(JSONNumber(value)), at: nowhere))
    }
}
