package import Core

/// Verifies the tokens of one authenticator: compiled rules, the key set's cell and a cryptographic library. Immutable;
/// used by all loops at once.
package final class JWTVerifier: Sendable {
    /// The authenticator's name.
    package let name: String
    /// Exact `iss` values; empty takes a token of any issuer, or of none.
    package let issuers: [String]
    package let tokenByteLimit: Int
    package let keySet: KeySetCell
    private let rules: Rules
    /// What tokens live and die with; nil for those that stand by themselves.
    let derivation: TokenDerivation?
    private let cryptography: any Cryptography

    private struct Rules: Sendable {
        var configuration: JWTAuthenticatorConfiguration
        var pointers: ClaimPointers
        /// As `TokenHeader.mediaType` spells them.
        var types: [String]
    }

    package init(
        name: String, configuration: JWTAuthenticatorConfiguration, keySet: KeySetCell,
        cryptography: any Cryptography, derivation: TokenDerivation? = nil
    ) throws(MalformedPointer) {
        self.name = name
        issuers = configuration.issuers
        tokenByteLimit = configuration.tokenByteLimit
        self.keySet = keySet
        self.cryptography = cryptography
        self.derivation = derivation
        rules = Rules(
            configuration: configuration, pointers: try ClaimPointers(configuration),
            types: configuration.types.map(TokenHeader.mediaType))
    }

    /// The store has to be asked about its tokens.
    var usesDirectory: Bool { derivation?.usesDirectory ?? false }

    /// The verdict on a token in compact form. Where several authenticators may be meant, ask an `IssuerTable`.
    package func verify(_ token: Span<UInt8>, now: ClockReading, view: DirectoryView = .none) -> TokenVerdict {
        guard token.count <= tokenByteLimit else { return .refused(.tooLarge) }
        do throws(TokenFault) {
            let compact = try CompactToken(token)
            let issuer = try compact.claims.text("iss")
            guard isIssued(by: issuer) else { return .notMine }
            return try verify(compact, token, now: now, view: view)
        } catch {
            return .refused(error)
        }
    }

    private func isIssued(by issuer: String?) -> Bool {
        if issuers.isEmpty { return true }
        guard let issuer else { return false }
        return issuers.containsExactly(issuer)
    }

    /// The verdict on a token whose issuer is known to be this verifier's. The signature is checked before anything in
    /// the claims is judged, so that a reason given about claims is one about claims that the issuer made.
    func verify(
        _ compact: CompactToken, _ token: Span<UInt8>, now: ClockReading, view: DirectoryView
    ) throws(TokenFault) -> TokenVerdict {
        guard token.count <= tokenByteLimit else { throw .tooLarge }
        let header = compact.header
        if !rules.configuration.algorithms.isEmpty, !rules.configuration.algorithms.contains(header.algorithm) {
            throw .algorithmNotAllowed
        }
        guard accepts(header.type) else { throw .typeWrong }
        guard let (keys, generation) = keySet.current(now: now.instant) else {
            return .unknownKey(keySet, kid: header.kid, fault: .keySetUnavailable)
        }
        let realm: String?
        switch keys.verify(compact, signed: token.extracting(0..<compact.signedCount)) {
        case .good(let signing): realm = signing
        case .forged: throw .signatureInvalid
        case .algorithmUnfit: throw .algorithmNotAllowed
        case .keyUnusable: throw .keyUnknown
        case .keyUnknown: return .unknownKey(keySet, kid: header.kid, fault: .keyUnknown)
        }
        let lifetime = try TokenLifetime(compact.claims, rules: rules.configuration, now: now.wall)
        try checkAudience(of: compact.claims)
        for claim in rules.pointers.required where !claim.isMet(by: compact.claims) { throw .claimMissing }
        let identity = try TokenIdentity(compact.claims, pointers: rules.pointers, isOwn: keys.isOwn)
        let parent = try derivation?.parent(
            of: compact.claims, issuedAt: lifetime.issuedAt, view: view, now: now.wall)
        // It would have to be in two realms at once.
        if let realm, let lock = parent?.realm, lock != realm { throw .revoked }
        return .verified(
            VerifiedToken(
                authenticator: name, claims: compact.claims, identity: identity, lifetime: lifetime, keySet: keySet,
                keySetGeneration: generation, digest: cryptography.sha256(token), bytes: token.copied(), parent: parent,
                realm: realm))
    }

    /// Tokens for something else than access have a type of their own (RFC 8725 §3.11): logout tokens, security events, proofs of
    /// possession. Without a list of types only the two for access, and no type at all, are taken.
    private func accepts(_ type: String?) -> Bool {
        guard let type else { return rules.types.isEmpty }
        let mediaType = TokenHeader.mediaType(type)
        if rules.types.isEmpty { return mediaType.isExactly("jwt") || mediaType.isExactly("at+jwt") }
        return rules.types.containsExactly(mediaType)
    }

    /// `aud` is a string or an array of strings (RFC 7519 §4.1.3), one of them ours; or none is there. Where every audience is
    /// accepted it is not looked at.
    private func checkAudience(of claims: JSONNode) throws(TokenFault) {
        let expected = rules.configuration.audiences
        let isUnwanted = rules.configuration.refusesAudiences
        if expected.isEmpty, !isUnwanted { return }
        guard let node = claims["aud"], !node.isNull else {
            if expected.isEmpty { return }
            throw .audienceWrong
        }
        if isUnwanted { throw .audienceWrong }
        if case .string(let audience) = node.value {
            guard expected.containsExactly(audience) else { throw .audienceWrong }
            return
        }
        guard try node.texts(ofClaim: "aud").contains(where: expected.containsExactly) else { throw .audienceWrong }
    }
}
