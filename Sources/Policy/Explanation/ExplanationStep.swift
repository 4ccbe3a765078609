import Core

/// The steps of a decision, in their order. The raw values are stable.
package enum ExplanationStep: String, Sendable, CaseIterable {
    case listener
    case request
    case client
    case path
    case route
    case transport
    case cors
    case failureBudget = "failure_budget"
    case credential
    case identity
    case authorization
    case limits
    case forwarding
    case upstream
}

extension Denial {
    /// The step a request fails at with this denial.
    package var step: ExplanationStep {
        switch self {
        case .malformedRequest(let reason, _, _):
            RequestFault.isOfListener(reason: reason.description) ? .listener : .request
        case .headTimeout: .request
        case .forwardingAmbiguous: .client
        case .path: .path
        case .routeNotFound, .methodNotAllowed, .maxForwardsInvalid: .route
        case .httpsRequired: .transport
        case .originNotAllowed: .cors
        case .tooManyFailures: .failureBudget
        case .schemeNotSupported, .credentialMissing, .credentialMalformed, .credentialAmbiguous: .credential
        case .credentialUnknown, .keyDisabled, .keyNotYetValid, .keyExpired, .certificateExpired, .token,
            .storeUnavailable:
            .identity
        case .addressNotAllowed, .tokenAddressNotAllowed, .scopeMissing, .claimMismatch, .membershipMissing,
            .realmMissing, .realmConflict, .realmAmbiguous, .realmNotAllowed, .notAcceptable, .contentTypeNotSupported:
            .authorization
        case .rateLimited, .limitsUnavailable: .limits
        case .bodyTooLarge, .bodyTimeout, .identityTooLarge, .contentMalformed, .parametersInvalid, .resourceNotFound,
            .resourceConflict, .loginFailed, .currentPasswordWrong, .tooManyAttempts, .tokenNotRenewable, .lifetimeAboveCeiling,
            .tokenOptionNotAllowed, .refreshTokenInvalid, .upstreamCredentialMissing:
            .forwarding
        case .upstreamUnreachable, .upstreamConnectTimeout, .upstreamClosed, .upstreamTimeout, .routeTimeout, .upstreamInvalidResponse,
            .upstreamTLSFailed, .noServerAvailable, .upstreamUnresolved, .overloaded, .upstreamCredentialRefreshFailed:
            .upstream
        }
    }
}

extension ExplanationStep: Comparable {
    package static func < (a: ExplanationStep, b: ExplanationStep) -> Bool { a.place < b.place }

    private var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
