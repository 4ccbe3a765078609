/// Why a token is refused. The raw value is the stable reason that bodies, logs, metrics and tests name.
package enum TokenFault: String, Error, CaseIterable, Sendable {
    /// Not a JWS in compact form, a header or payload that is not a strict JSON object, a registered claim of the wrong
    /// type, a header parameter the gateway must not pass over (`crit`, `b64`, `zip`, nested tokens).
    case malformed = "token_malformed"
    case tooLarge = "token_too_large"
    /// `alg` is unknown, "none", not in the authenticator's list, or not what the key is for.
    case algorithmNotAllowed = "token_algorithm_not_allowed"
    case typeWrong = "token_type_wrong"
    case issuerUnknown = "token_issuer_unknown"
    /// No usable key of this `kid`; without `kid`, not exactly one key that fits.
    case keyUnknown = "token_key_unknown"
    /// The key set was never fetched, or is too old to be trusted.
    case keySetUnavailable = "key_set_unavailable"
    case signatureInvalid = "token_signature_invalid"
    case expired = "token_expired"
    /// Before `nbf`, or `iat` lies in the future.
    case notYetValid = "token_not_yet_valid"
    case lifetimeTooLong = "token_lifetime_too_long"
    case audienceWrong = "token_audience_wrong"
    /// A required claim is absent or has another value.
    case claimMissing = "token_claim_missing"
    /// The key or the user it was issued for is gone, disabled, or has ended its tokens.
    case revoked = "token_revoked"

    /// The token could be a guess: it was not shown to be signed by a key of its issuer. A token that names another issuer or
    /// type was not judged, and one with a good signature was made by the issuer.
    package var couldBeGuess: Bool {
        switch self {
        case .malformed, .tooLarge, .algorithmNotAllowed, .keyUnknown, .signatureInvalid: true
        case .typeWrong, .issuerUnknown, .keySetUnavailable, .expired, .notYetValid, .lifetimeTooLong, .audienceWrong,
            .claimMissing, .revoked:
            false
        }
    }

    /// True when the same bytes are refused again as long as policy and keys are the same, so that a cache may answer.
    package var isLasting: Bool {
        switch self {
        case .malformed, .algorithmNotAllowed, .typeWrong, .issuerUnknown, .signatureInvalid, .expired, .audienceWrong,
            .claimMissing:
            true
        // Time mends two of these and a fetch two others; what is too large is cheaper to measure than to look up.
        // And a store may take back what it says.
        case .tooLarge, .keyUnknown, .keySetUnavailable, .notYetValid, .lifetimeTooLong, .revoked: false
        }
    }
}
