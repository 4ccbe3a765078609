import Core

/// The challenges of a route's refusals (RFC 9110 §11.6.1, RFC 6750 §3).
struct Challenges: Sendable {
    private let hasBearer: Bool
    private let hasKey: Bool
    /// The scopes the route asks for, separated by spaces, without what a quoted string cannot hold.
    private let scopes: [UInt8]

    /// Where no route is known.
    static let none = Challenges(CredentialPlan(), scopes: [])

    init(_ credentials: CredentialPlan, scopes: [String]) {
        hasBearer = credentials.takesBearer
        hasKey = credentials.takesKeys
        self.scopes = scopes.joined(separator: " ").utf8.filter { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
    }

    /// How many challenges an answer carries.
    enum Extent {
        /// One for each scheme of the route, and at least one: the answer is a 401 (RFC 9110 §15.5.2).
        case unauthorized
        /// One for each scheme of the route, whatever the status.
        case everyScheme
        /// The one that tells an error of RFC 6750 §3.1, where the denial has one.
        case error

        /// Nil for an answer without challenges.
        /// - Parameter wanted: what the profile says; nil where it says nothing.
        init?(of denial: Denial, status: Int, wanted: Bool?) {
            switch wanted {
            case false?: return nil
            case let wanted:
                if status == 401 {
                    self = .unauthorized
                } else if wanted != nil {
                    self = .everyScheme
                } else if status == denial.status {
                    self = .error
                } else {
                    // The profile made another answer of it.
                    return nil
                }
            }
        }
    }

    /// Adds what the client needs to know to do better.
    /// - Parameters:
    ///   - isGranted: the route let the client in, so what it lacks is none of the route's scopes.
    ///   - realm: what a quoted string holds without escapes.
    func append(for denial: Denial, _ extent: Extent, isGranted: Bool, realm: [UInt8], to lines: inout HeaderLines) {
        let error = Self.error(for: denial)
        if hasBearer || !hasKey && extent == .unauthorized, extent != .error || error != nil {
            lines.append(name: "WWW-Authenticate") { value in
                value.append("Bearer realm=\"")
                value.append(contentsOf: realm.span)
                value.append(0x22)
                guard let error else { return }
                value.append(", error=\"")
                value.append(error)
                value.append("\", error_description=\"")
                // The sentences of denials with an error have neither quotation marks nor backslashes.
                value.append(denial.detail)
                value.append(0x22)
                if denial == .scopeMissing, !isGranted, !scopes.isEmpty {
                    value.append(", scope=\"")
                    value.append(contentsOf: scopes.span)
                    value.append(0x22)
                }
            }
        }
        guard hasKey, extent != .error else { return }
        lines.append(name: "WWW-Authenticate") { value in
            value.append("Key realm=\"")
            value.append(contentsOf: realm.span)
            value.append(0x22)
        }
    }

    /// The error code of RFC 6750 §3.1; nil when nothing was shown that could be wrong.
    private static func error(for denial: Denial) -> StaticString? {
        switch denial {
        case .credentialAmbiguous: "invalid_request"
        case .scopeMissing: "insufficient_scope"
        case .credentialMalformed, .credentialUnknown, .keyDisabled, .keyNotYetValid, .keyExpired,
            .certificateExpired, .tokenAddressNotAllowed:
            "invalid_token"
        case .refreshTokenInvalid: "invalid_token"
        case .token(let fault): fault == .keySetUnavailable ? nil : "invalid_token"
        case .malformedRequest, .path, .forwardingAmbiguous, .maxForwardsInvalid, .headTimeout, .bodyTimeout,
            .bodyTooLarge, .routeNotFound, .methodNotAllowed, .httpsRequired, .originNotAllowed, .tooManyFailures, .schemeNotSupported,
            .credentialMissing, .addressNotAllowed, .claimMismatch, .identityTooLarge, .rateLimited, .limitsUnavailable,
            .upstreamUnreachable, .upstreamConnectTimeout, .upstreamClosed, .upstreamTimeout, .routeTimeout, .upstreamInvalidResponse,
            .upstreamTLSFailed, .noServerAvailable, .upstreamUnresolved, .overloaded,
            .membershipMissing, .realmMissing, .realmConflict, .realmAmbiguous,
            .realmNotAllowed, .notAcceptable, .contentTypeNotSupported, .contentMalformed, .parametersInvalid,
            .resourceNotFound, .resourceConflict, .loginFailed, .currentPasswordWrong, .tooManyAttempts, .tokenNotRenewable,
            .lifetimeAboveCeiling, .tokenOptionNotAllowed, .storeUnavailable, .upstreamCredentialMissing,
            .upstreamCredentialRefreshFailed:
            nil
        }
    }
}
