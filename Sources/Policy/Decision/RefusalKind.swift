/// What a refusal is about, as a profile's `kinds` name it. Every denial belongs to exactly one kind (`Denial.kind`).
package enum RefusalKind: String, Sendable, CaseIterable {
    /// The message is malformed, or asks for something that this resource does not do.
    case request
    case notFound = "not_found"
    /// The caller did not prove an identity. No denial has this kind itself: it covers the kinds whose `group` it is.
    case authentication
    /// There is no credential to judge: none, several, or not of the form or scheme that the route takes.
    case credential
    /// An API key, or a certificate that is not listed: unknown, disabled, expired, not valid yet.
    case apiKey = "api_key"
    case certificate
    case token
    /// E-mail address and password.
    case login
    /// Too many failed attempts.
    case lockout
    /// The caller is known and may not do this.
    case authorization
    case rateLimit = "rate_limit"
    /// The server behind the gateway cannot be reached, or fails.
    case upstream
    /// The gateway cannot decide now.
    case unavailable
}

extension RefusalKind {
    /// The wider kind that covers this one; nil for the widest.
    package var group: RefusalKind? {
        switch self {
        case .credential, .apiKey, .certificate, .token, .login, .lockout: .authentication
        case .request, .notFound, .authentication, .authorization, .rateLimit, .upstream, .unavailable: nil
        }
    }
}

extension Denial {
    /// The narrowest kind of the denial.
    package var kind: RefusalKind {
        switch self {
        case .malformedRequest, .path, .forwardingAmbiguous, .maxForwardsInvalid, .headTimeout, .bodyTimeout, .bodyTooLarge,
            .methodNotAllowed, .httpsRequired, .originNotAllowed, .realmMissing, .realmConflict, .realmAmbiguous, .notAcceptable,
            .contentTypeNotSupported, .contentMalformed, .parametersInvalid, .resourceConflict, .currentPasswordWrong:
            .request
        case .routeNotFound, .resourceNotFound: .notFound
        case .schemeNotSupported, .credentialMissing, .credentialMalformed, .credentialAmbiguous: .credential
        case .credentialUnknown, .keyDisabled, .keyNotYetValid, .keyExpired: .apiKey
        case .certificateExpired: .certificate
        case .token(let fault): fault == .keySetUnavailable ? .unavailable : .token
        case .refreshTokenInvalid, .tokenAddressNotAllowed: .token
        case .loginFailed: .login
        case .tooManyFailures, .tooManyAttempts: .lockout
        case .addressNotAllowed, .scopeMissing, .claimMismatch, .membershipMissing, .realmNotAllowed, .tokenNotRenewable,
            .lifetimeAboveCeiling, .tokenOptionNotAllowed, .identityTooLarge, .upstreamCredentialMissing:
            .authorization
        case .rateLimited: .rateLimit
        case .upstreamUnreachable, .upstreamConnectTimeout, .upstreamClosed, .upstreamTimeout, .routeTimeout, .upstreamInvalidResponse,
            .upstreamTLSFailed, .noServerAvailable, .upstreamUnresolved, .upstreamCredentialRefreshFailed:
            .upstream
        case .limitsUnavailable, .storeUnavailable, .overloaded: .unavailable
        }
    }
}
