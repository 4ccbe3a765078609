import Core

/// When a token is good, read from `exp`, `nbf` and `iat` (RFC 7519 §4.1.4 to §4.1.6).
struct TokenLifetime {
    /// The `exp` claim, `.distantFuture` without one.
    let expiresAt: WallTime
    /// Leeway included in both.
    let usableFrom: WallTime
    let usableUntil: WallTime
    /// The `iat` claim.
    let issuedAt: WallTime?

    /// Throws `.memberMalformed` for dates that are not numbers, or beyond what a double holds. Dates beyond the range of
    /// `WallTime` (before 1677, after 2262) count as its ends, so that "never expires" may be spelled with a far year.
    init(_ claims: JSONNode, rules: JWTAuthenticatorConfiguration, now: WallTime) throws(TokenFault) {
        let leeway = max(rules.leeway, 0)
        let expiry = try Self.date("exp", of: claims)
        let notBefore = try Self.date("nbf", of: claims)
        issuedAt = try Self.date("iat", of: claims)
        if expiry == nil, rules.requiresExpiry { throw .claimMissing }
        expiresAt = expiry ?? .distantFuture
        usableUntil = expiresAt.advanced(by: leeway)
        usableFrom = max(notBefore ?? .distantPast, issuedAt ?? .distantPast).advanced(by: -leeway)
        if now >= usableUntil { throw .expired }
        if now < usableFrom { throw .notYetValid }
        if let limit = rules.maxLifetime {
            let start = issuedAt ?? now.advanced(by: leeway)
            let (lifetime, overflow) = expiresAt.nanoseconds.subtractingReportingOverflow(start.nanoseconds)
            if expiry == nil || overflow || lifetime > limit { throw .lifetimeTooLong }
        }
    }

    /// A NumericDate: seconds since 1970, with or without a fraction.
    private static func date(_ name: String, of claims: JSONNode) throws(TokenFault) -> WallTime? {
        guard let node = claims[name], !node.isNull else { return nil }
        guard case .number(let number) = node.value else { throw .memberMalformed(name) }
        if let seconds = number.integer { return WallTime(seconds: seconds) }
        let seconds = number.double
        // 1e400 is beyond every date, and no issuer means it.
        guard seconds.isFinite else { throw .memberMalformed(name) }
        // The range in which nanoseconds fit 64 bits.
        if seconds >= 9.2e9 { return .distantFuture }
        if seconds <= -9.2e9 { return .distantPast }
        return WallTime(nanoseconds: Int64(seconds * 1e9))
    }
}
