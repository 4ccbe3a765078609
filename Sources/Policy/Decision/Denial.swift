import Core

/// Why a request is refused. The whole list: a new reason is a new case, a status and a test.
///
/// The `reason` is a stable identifier, the same in bodies, logs, metrics and tests.
package enum Denial: Error, Sendable {
    // The message itself.
    /// What the HTTP parser found: its stable reason, its status and its sentence for the client's developer.
    case malformedRequest(
        reason: StaticString, status: Int, detail: StaticString = "The request is not a valid HTTP message.")
    case path(PathFault)
    /// Forwarding fields of a trusted proxy that contradict each other.
    case forwardingAmbiguous
    /// Max-Forwards of a TRACE or OPTIONS request is no number, or stands there twice.
    case maxForwardsInvalid
    case headTimeout, bodyTimeout, bodyTooLarge
    // Where it goes.
    case routeNotFound, methodNotAllowed
    /// The route takes no request in clear; nothing it carries was looked at.
    case httpsRequired
    /// A preflight of a page whose origin is not among those of `cors`.
    case originNotAllowed
    // Who asks.
    case tooManyFailures
    /// Authorization names a scheme none of the route's authenticators takes.
    case schemeNotSupported
    case credentialMissing, credentialMalformed, credentialAmbiguous, credentialUnknown
    case keyDisabled, keyNotYetValid, keyExpired
    /// The client certificate was good at the handshake and is not any more.
    case certificateExpired
    case token(TokenFault)
    // Whether they may.
    case addressNotAllowed, tokenAddressNotAllowed, scopeMissing, claimMismatch
    /// The user behind the credential does not belong to the organisation or project of the path.
    case membershipMissing
    /// No realm follows from the request; two that it names differ; some parser could read another one in it; the key is
    /// locked to another one.
    case realmMissing, realmConflict, realmAmbiguous, realmNotAllowed
    /// What the client accepts, or sends, is not what the route serves, or takes.
    case notAcceptable, contentTypeNotSupported
    // What the gateway itself was asked to do.
    case contentMalformed
    /// Parameters of an action are wrong; the refusal's messages say which.
    case parametersInvalid
    case resourceNotFound, resourceConflict
    /// E-mail address and password do not fit, whatever of it is wrong.
    case loginFailed
    /// A user who changes the own password shows a current one that is wrong.
    case currentPasswordWrong
    /// Too many attempts at one account.
    case tooManyAttempts
    /// A good token that asks for too much: it may not be renewed, not for so long, not with these options.
    case tokenNotRenewable, lifetimeAboveCeiling, tokenOptionNotAllowed
    /// Unknown, used before, ended, or of a family that has ended.
    case refreshTokenInvalid
    case storeUnavailable
    /// There is nothing to show the upstream for this user, or it could not be renewed.
    case upstreamCredentialMissing, upstreamCredentialRefreshFailed
    /// A header made from the identity would be longer than the gateway sends.
    case identityTooLarge
    // How often.
    case rateLimited
    /// The table of buckets has no room for another caller.
    case limitsUnavailable
    // What became of it on the other side.
    case upstreamUnreachable, upstreamConnectTimeout, upstreamClosed, upstreamTimeout, upstreamInvalidResponse
    /// The time that the route has for the whole exchange passed before an answer began.
    case routeTimeout
    /// No secure connection came about: the server could not prove who it is, or does not take who we are.
    case upstreamTLSFailed
    case noServerAvailable, overloaded
    /// The names of the upstream's servers have not been resolved.
    case upstreamUnresolved
}

extension Denial {
    /// The stable identifier.
    package var reason: String {
        switch self {
        case .malformedRequest(let reason, _, _): reason.description
        case .path(let fault): fault.rawValue
        case .forwardingAmbiguous: "forwarding_ambiguous"
        case .maxForwardsInvalid: "max_forwards_invalid"
        case .headTimeout: "head_timeout"
        case .bodyTimeout: "body_timeout"
        case .bodyTooLarge: "body_too_large"
        case .routeNotFound: "route_not_found"
        case .methodNotAllowed: "method_not_allowed"
        case .httpsRequired: "https_required"
        case .originNotAllowed: "origin_not_allowed"
        case .tooManyFailures: "too_many_failures"
        case .schemeNotSupported: "scheme_not_supported"
        case .credentialMissing: "credential_missing"
        case .credentialMalformed: "credential_malformed"
        case .credentialAmbiguous: "credential_ambiguous"
        case .credentialUnknown: "credential_unknown"
        case .keyDisabled: "key_disabled"
        case .keyNotYetValid: "key_not_yet_valid"
        case .keyExpired: "key_expired"
        case .certificateExpired: "certificate_expired"
        case .token(let fault): fault.rawValue
        case .addressNotAllowed: "address_not_allowed"
        case .tokenAddressNotAllowed: "token_address_not_allowed"
        case .scopeMissing: "scope_missing"
        case .claimMismatch: "claim_mismatch"
        case .identityTooLarge: "identity_too_large"
        case .rateLimited: "rate_limited"
        case .limitsUnavailable: "limits_unavailable"
        case .upstreamUnreachable: "upstream_unreachable"
        case .upstreamConnectTimeout: "upstream_connect_timeout"
        case .upstreamClosed: "upstream_closed"
        case .upstreamTimeout: "upstream_timeout"
        case .upstreamInvalidResponse: "upstream_invalid_response"
        case .routeTimeout: "route_timeout"
        case .upstreamTLSFailed: "upstream_tls_failed"
        case .noServerAvailable: "no_server_available"
        case .upstreamUnresolved: "upstream_unresolved"
        case .overloaded: "overloaded"
        case .membershipMissing: "membership_missing"
        case .realmMissing: "realm_missing"
        case .realmConflict: "realm_conflict"
        case .realmAmbiguous: "realm_ambiguous"
        case .realmNotAllowed: "realm_not_allowed"
        case .notAcceptable: "not_acceptable"
        case .contentTypeNotSupported: "content_type_not_supported"
        case .contentMalformed: "content_malformed"
        case .parametersInvalid: "parameters_invalid"
        case .resourceNotFound: "resource_not_found"
        case .resourceConflict: "resource_conflict"
        case .loginFailed: "login_failed"
        case .currentPasswordWrong: "current_password_wrong"
        case .tooManyAttempts: "too_many_attempts"
        case .tokenNotRenewable: "token_not_renewable"
        case .lifetimeAboveCeiling: "lifetime_above_ceiling"
        case .tokenOptionNotAllowed: "token_option_not_allowed"
        case .refreshTokenInvalid: "refresh_token_invalid"
        case .storeUnavailable: "store_unavailable"
        case .upstreamCredentialMissing: "upstream_credential_missing"
        case .upstreamCredentialRefreshFailed: "upstream_credential_refresh_failed"
        }
    }

    /// The member of a token that is malformed; for logs and `explain`, not for the client.
    package var tokenMember: String? {
        if case .token(let fault) = self { fault.member } else { nil }
    }

    /// The status of the answer, unless the route's profile says otherwise.
    package var status: Int {
        switch self {
        case .malformedRequest(_, let status, _): status
        case .path, .forwardingAmbiguous, .maxForwardsInvalid, .credentialAmbiguous, .realmMissing, .realmConflict,
            .realmAmbiguous, .contentMalformed:
            400
        case .schemeNotSupported, .credentialMissing, .credentialMalformed, .credentialUnknown, .keyDisabled,
            .keyNotYetValid, .keyExpired, .certificateExpired, .loginFailed, .refreshTokenInvalid:
            401
        case .token(let fault): fault == .keySetUnavailable ? 503 : 401
        case .httpsRequired, .originNotAllowed, .addressNotAllowed, .tokenAddressNotAllowed, .scopeMissing, .claimMismatch,
            .identityTooLarge, .membershipMissing, .realmNotAllowed, .tokenNotRenewable, .lifetimeAboveCeiling,
            .tokenOptionNotAllowed, .upstreamCredentialMissing:
            403
        case .routeNotFound, .resourceNotFound: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .headTimeout, .bodyTimeout: 408
        case .resourceConflict: 409
        case .bodyTooLarge: 413
        case .contentTypeNotSupported: 415
        case .parametersInvalid, .currentPasswordWrong: 422
        case .rateLimited, .tooManyFailures, .tooManyAttempts: 429
        case .upstreamUnreachable, .upstreamClosed, .upstreamInvalidResponse, .upstreamTLSFailed,
            .upstreamCredentialRefreshFailed:
            502
        case .limitsUnavailable, .noServerAvailable, .upstreamUnresolved, .overloaded, .storeUnavailable: 503
        case .upstreamConnectTimeout, .upstreamTimeout, .routeTimeout: 504
        }
    }

    /// One sentence for the client's developer. It tells nothing of the policy, of keys or of upstreams.
    package var detail: StaticString {
        switch self {
        case .malformedRequest(_, _, let detail): detail
        case .path(let fault): fault.detail
        case .forwardingAmbiguous: "The forwarding fields of the request contradict each other."
        case .maxForwardsInvalid: "Max-Forwards is not one decimal number."
        case .headTimeout: "The request head did not arrive in time."
        case .bodyTimeout: "The request content did not arrive in time."
        case .bodyTooLarge: "The request content is larger than this resource accepts."
        case .routeNotFound: "Nothing is served under this host and path."
        case .methodNotAllowed: "This resource does not support the method."
        case .httpsRequired: "This resource is served over https only."
        case .originNotAllowed: "Pages of this origin may not use this resource."
        case .tooManyFailures: "Too many failed attempts came from this address."
        case .schemeNotSupported: "The Authorization scheme is not accepted here."
        case .credentialMissing: "The request carries no credential."
        case .credentialMalformed: "The credential is empty or malformed."
        case .credentialAmbiguous: "The request carries more than one credential in one place."
        case .credentialUnknown: "The credential is not valid."
        case .keyDisabled: "The key is disabled."
        case .keyNotYetValid: "The key is not valid yet."
        case .keyExpired: "The key has expired."
        case .certificateExpired: "The client certificate has expired."
        case .token(let fault): fault.detail
        case .addressNotAllowed: "The client address is not allowed here."
        case .tokenAddressNotAllowed: "The token may not be used from this address."
        case .scopeMissing: "The credential lacks a scope this resource asks for."
        case .claimMismatch: "The credential does not belong to this resource."
        case .identityTooLarge: "The identity is too large to be passed on."
        case .rateLimited: "The rate limit is exceeded."
        case .limitsUnavailable: "The rate limits cannot be checked now."
        case .upstreamUnreachable: "The server behind the gateway cannot be reached."
        case .upstreamConnectTimeout: "The server behind the gateway did not accept a connection in time."
        case .upstreamClosed: "The server behind the gateway closed the connection without an answer."
        case .upstreamTimeout: "The server behind the gateway did not answer in time."
        case .routeTimeout: "The request took longer than this resource allows."
        case .upstreamInvalidResponse: "The server behind the gateway sent an invalid answer."
        case .upstreamTLSFailed: "No secure connection to the server behind the gateway can be made."
        case .noServerAvailable: "No server is available for this resource."
        case .upstreamUnresolved: "The address of the server behind the gateway is not known yet."
        case .overloaded: "The gateway is overloaded."
        case .membershipMissing: "The user does not belong to this organization or project."
        case .realmMissing: "No realm is named: name one by header, parameter or credential."
        case .realmConflict: "The request names two realms, or one of them twice."
        case .realmAmbiguous: "The request names two realms in its content, or has a name that parsers could read as the realm's."
        case .realmNotAllowed: "The key is locked to another realm."
        case .notAcceptable: "This resource has no representation that the client accepts."
        case .contentTypeNotSupported: "The request content has a type that this resource does not take."
        case .contentMalformed: "The request content is malformed."
        case .parametersInvalid: "A parameter of the request is not valid."
        case .resourceNotFound: "There is no such resource."
        case .resourceConflict: "The resource exists already or is in use."
        case .loginFailed: "The e-mail address or the password is wrong."
        case .currentPasswordWrong: "The current password is wrong."
        case .tooManyAttempts: "Too many attempts were made at this account."
        case .tokenNotRenewable: "The token may not be renewed."
        case .lifetimeAboveCeiling: "The token may not be renewed for so long."
        case .tokenOptionNotAllowed: "A token may not be renewed with this option."
        case .refreshTokenInvalid: "The refresh token is not valid."
        case .storeUnavailable: "The gateway cannot look this up now."
        case .upstreamCredentialMissing: "There is no credential for the server behind the gateway."
        case .upstreamCredentialRefreshFailed: "The credential for the server behind the gateway could not be renewed."
        }
    }

    /// The standard phrase of the status (RFC 9110 §15), which is what RFC 9457 §4.2.1 wants as the title.
    package var title: StaticString { ReasonPhrase.standard(for: status) }

    /// What a denial says of the credential that was shown.
    private enum CredentialFinding { case notBad, bad, possibleGuess }

    private var credentialFinding: CredentialFinding {
        switch self {
        case .credentialMalformed, .credentialUnknown, .loginFailed, .currentPasswordWrong, .refreshTokenInvalid: .possibleGuess
        // Of several credentials in one place none was judged; the others are known, and only out of use.
        case .credentialAmbiguous, .keyDisabled, .keyNotYetValid, .keyExpired, .certificateExpired: .bad
        case .token(let fault): fault == .keySetUnavailable ? .notBad : fault.couldBeGuess ? .possibleGuess : .bad
        case .malformedRequest, .path, .forwardingAmbiguous, .maxForwardsInvalid, .headTimeout, .bodyTimeout,
            .bodyTooLarge, .routeNotFound, .methodNotAllowed, .httpsRequired, .originNotAllowed, .tooManyFailures, .schemeNotSupported,
            .credentialMissing, .addressNotAllowed, .tokenAddressNotAllowed, .scopeMissing, .claimMismatch, .identityTooLarge, .rateLimited,
            .limitsUnavailable,
            .upstreamUnreachable, .upstreamConnectTimeout, .upstreamClosed, .upstreamTimeout, .routeTimeout, .upstreamInvalidResponse,
            .upstreamTLSFailed, .noServerAvailable, .upstreamUnresolved, .overloaded,
            .membershipMissing, .realmMissing, .realmConflict, .realmAmbiguous, .realmNotAllowed, .notAcceptable,
            .contentTypeNotSupported, .contentMalformed, .parametersInvalid, .resourceNotFound, .resourceConflict,
            .tooManyAttempts, .tokenNotRenewable, .lifetimeAboveCeiling, .tokenOptionNotAllowed, .storeUnavailable,
            .upstreamCredentialMissing, .upstreamCredentialRefreshFailed:
            .notBad
        }
    }

    /// A credential was shown and found bad. Whether it charges the failure budget is another question (`couldBeGuess`).
    package var isBadCredential: Bool { credentialFinding != .notBad }

    /// The credential could be a guess, so the failure budget of the address is charged. A known key, or a token or certificate
    /// with a valid signature, is not a guess, even when it is expired, disabled or meant for something else.
    package var couldBeGuess: Bool { credentialFinding == .possibleGuess }

    /// Every denial this module makes; `malformedRequest` comes from the parsers, which list their own reasons.
    package static let all: [Denial] =
        PathFault.allCases.map(Denial.path) + TokenFault.allCases.map(Denial.token) + [
            .forwardingAmbiguous, .maxForwardsInvalid, .headTimeout, .bodyTimeout, .bodyTooLarge, .routeNotFound,
            .methodNotAllowed, .httpsRequired, .originNotAllowed, .tooManyFailures, .schemeNotSupported, .credentialMissing,
            .credentialMalformed, .credentialAmbiguous, .credentialUnknown, .keyDisabled, .keyNotYetValid, .keyExpired,
            .certificateExpired, .addressNotAllowed, .tokenAddressNotAllowed,
            .scopeMissing, .claimMismatch, .identityTooLarge, .rateLimited, .limitsUnavailable, .upstreamUnreachable,
            .upstreamConnectTimeout, .upstreamClosed, .upstreamTimeout, .routeTimeout, .upstreamInvalidResponse, .upstreamTLSFailed,
            .noServerAvailable, .upstreamUnresolved, .overloaded,
            .membershipMissing, .realmMissing, .realmConflict, .realmAmbiguous, .realmNotAllowed, .notAcceptable,
            .contentTypeNotSupported, .contentMalformed, .parametersInvalid, .resourceNotFound, .resourceConflict,
            .loginFailed, .currentPasswordWrong, .tooManyAttempts, .tokenNotRenewable, .lifetimeAboveCeiling,
            .tokenOptionNotAllowed, .refreshTokenInvalid, .storeUnavailable, .upstreamCredentialMissing, .upstreamCredentialRefreshFailed,
        ]

    /// The status of a reason of `all`; nil for any other text.
    package static func status(ofReason reason: String) -> Int? { all.first { $0.reason == reason }?.status }

    /// The reasons of `all`.
    package static var allReasons: [String] { all.map(\.reason) }
}

extension Denial: Equatable {
    package static func == (a: Denial, b: Denial) -> Bool { a.reason == b.reason && a.status == b.status }
}

extension TokenFault {
    /// One sentence for the client's developer.
    var detail: StaticString {
        switch self {
        case .malformed, .memberMalformed: "The token is malformed."
        case .tooLarge: "The token is too large."
        case .algorithmNotAllowed: "The algorithm of the token is not accepted."
        case .typeWrong: "The token is of another type."
        case .issuerUnknown: "The issuer of the token is not accepted."
        case .keyUnknown: "The key of the token is not known."
        case .keySetUnavailable: "The keys of the token's issuer are not available now."
        case .signatureInvalid: "The signature of the token is not valid."
        case .expired: "The token has expired."
        case .notYetValid: "The token is not valid yet."
        case .lifetimeTooLong: "The token is valid for longer than is accepted."
        case .audienceWrong: "The token is meant for another audience."
        case .claimMissing: "The token lacks a claim that is asked for."
        case .revoked: "The token was revoked."
        }
    }
}
