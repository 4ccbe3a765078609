/// Why a token is refused. The raw value is the stable reason that bodies, logs, metrics and tests name; faults of one reason are
/// equal.
package enum TokenFault: Error, Sendable {
    /// Not a JWS in compact form, a header or payload that is not a strict JSON object.
    case malformed
    /// A claim or a header parameter that has a wrong type or value, or that the gateway must not pass over (`crit`, `b64`, `zip`,
    /// nested tokens): the name of a claim, "header" and the name of a parameter, or the pointer of a claim that the policy names.
    case memberMalformed(String)
    case tooLarge
    /// `alg` is unknown, "none", not in the authenticator's list, or not what the key is for.
    case algorithmNotAllowed
    case typeWrong
    case issuerUnknown
    /// No usable key of this `kid`; without `kid`, no key that fits, or more than are tried.
    case keyUnknown
    /// The key set was never fetched, or is too old to be trusted.
    case keySetUnavailable
    case signatureInvalid
    case expired
    /// Before `nbf`, or `iat` lies in the future.
    case notYetValid
    case lifetimeTooLong
    case audienceWrong
    /// A required claim is absent or has another value.
    case claimMissing
    /// The key or the user it was issued for is gone, disabled, or has ended its tokens.
    case revoked

    /// The member that is malformed, where it is one; for logs and `explain`.
    package var member: String? {
        if case .memberMalformed(let name) = self { name } else { nil }
    }

    /// The token could be a guess: it was not shown to be signed by a key of its issuer. A token that names another issuer or
    /// type was not judged, and one with a good signature was made by the issuer.
    package var couldBeGuess: Bool {
        switch self {
        case .malformed, .memberMalformed, .tooLarge, .algorithmNotAllowed, .keyUnknown, .signatureInvalid: true
        case .typeWrong, .issuerUnknown, .keySetUnavailable, .expired, .notYetValid, .lifetimeTooLong, .audienceWrong,
            .claimMissing, .revoked:
            false
        }
    }

    /// True when the same bytes are refused again as long as policy and keys are the same, so that a cache may answer.
    package var isLasting: Bool {
        switch self {
        case .malformed, .memberMalformed, .algorithmNotAllowed, .typeWrong, .issuerUnknown, .signatureInvalid, .expired, .audienceWrong,
            .claimMissing:
            true
        // Time mends two of these and a fetch two others; what is too large is cheaper to measure than to look up.
        // And a store may take back what it says.
        case .tooLarge, .keyUnknown, .keySetUnavailable, .notYetValid, .lifetimeTooLong, .revoked: false
        }
    }
}

extension TokenFault: RawRepresentable, CaseIterable, Equatable {
    /// One for each reason.
    package static let allCases: [TokenFault] = [
        .malformed, .tooLarge, .algorithmNotAllowed, .typeWrong, .issuerUnknown, .keyUnknown, .keySetUnavailable, .signatureInvalid,
        .expired, .notYetValid, .lifetimeTooLong, .audienceWrong, .claimMissing, .revoked,
    ]

    package init?(rawValue: String) {
        guard let fault = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = fault
    }

    package var rawValue: String {
        switch self {
        case .malformed, .memberMalformed: "token_malformed"
        case .tooLarge: "token_too_large"
        case .algorithmNotAllowed: "token_algorithm_not_allowed"
        case .typeWrong: "token_type_wrong"
        case .issuerUnknown: "token_issuer_unknown"
        case .keyUnknown: "token_key_unknown"
        case .keySetUnavailable: "key_set_unavailable"
        case .signatureInvalid: "token_signature_invalid"
        case .expired: "token_expired"
        case .notYetValid: "token_not_yet_valid"
        case .lifetimeTooLong: "token_lifetime_too_long"
        case .audienceWrong: "token_audience_wrong"
        case .claimMissing: "token_claim_missing"
        case .revoked: "token_revoked"
        }
    }

    package static func == (a: TokenFault, b: TokenFault) -> Bool { a.rawValue == b.rawValue }
}
