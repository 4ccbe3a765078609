/// The objects `gateway.json` is made of, each with the members it may have. The reader refuses every other member, and
/// the JSON Schema describes exactly these (under `$defs`, the document at its top).
package enum ObjectShape: String, CaseIterable, Sendable {
    case document
    case listener
    case proxyProtocol = "proxy_protocol"
    case admin
    case bounds
    case paths
    case upstream
    case keySet = "key_set"
    case apiKey = "api_key"
    case apiKeySecret = "api_key_secret"
    case apiKeyAuthenticator = "api_key_authenticator"
    case jwtAuthenticator = "jwt_authenticator"
    case limit
    case failureBudget = "failure_budget"
    case rateHeaders = "rate_headers"
    case profile
    case answer
    case route
    case match
    case allOf = "all_of"
    case optional
    case authorize
    case headerChanges = "header_changes"
    case test
    case testExpectation = "test_expectation"
}

extension ObjectShape {
    /// A member an object may have.
    package struct Member: Sendable, Equatable {
        package var name: String
        package var isRequired: Bool
    }

    /// Every member, the required ones first.
    package var members: [Member] { Self.table[self] ?? [] }

    private static let table = Dictionary(uniqueKeysWithValues: allCases.map { ($0, $0.listedMembers) })

    private var listedMembers: [Member] {
        required.map { Member(name: $0, isRequired: true) } + optional.map { Member(name: $0, isRequired: false) }
    }

    private var required: [String] {
        switch self {
        case .document: ["listeners", "upstreams", "routes"]
        case .listener, .admin: ["address"]
        case .proxyProtocol: ["from"]
        case .upstream: ["servers"]
        case .bounds, .paths, .keySet, .rateHeaders, .profile, .answer, .authorize, .headerChanges, .testExpectation: []
        case .apiKey: ["id"]
        case .apiKeySecret: []
        case .apiKeyAuthenticator: ["type", "from"]
        case .jwtAuthenticator: ["type", "algorithms", "key_set"]
        case .limit: ["requests", "per"]
        case .failureBudget: ["failures", "per"]
        case .route: ["name", "match", "authenticate", "upstream"]
        case .match: ["path"]
        case .allOf: ["all_of"]
        case .optional: ["optional"]
        case .test: ["name", "request", "expect"]
        }
    }

    private var optional: [String] {
        switch self {
        case .document:
            [
                "$schema", "loops", "admin", "trusted_proxies", "forwarded", "via", "bounds", "paths", "access_log",
                "key_sets", "authenticators", "limits", "failure_budget", "rate_headers", "identity_headers",
                "profiles", "responses", "tests",
            ]
        case .listener: ["proxy_protocol"]
        case .proxyProtocol: ["required"]
        case .bounds:
            [
                "head_bytes", "target_bytes", "header_fields", "body_bytes", "connections", "connections_per_address",
                "head_timeout", "idle_timeout", "body_timeout", "half_close_timeout", "drain_timeout", "buckets",
            ]
        case .paths: ["dot_segments", "encoded_slash", "empty_segments"]
        case .upstream:
            [
                "connect_timeout", "response_timeout", "body_timeout", "idle_timeout", "idle_connections",
                "connections", "host",
            ]
        case .keySet:
            [
                "url", "file", "pem", "kid", "algorithm", "keys", "refresh", "minimum_refresh", "maximum_refresh",
                "cooldown", "stale_limit", "fetch_timeout",
            ]
        case .apiKey: APIKeyRecordParser.memberNames.filter { $0 != "id" }
        case .apiKeySecret: APIKeyRecordParser.secretMemberNames
        case .apiKeyAuthenticator: ["allow_query", "pepper", "keys", "keys_file"]
        case .jwtAuthenticator:
            [
                "from", "issuer", "audiences", "leeway", "require_exp", "max_lifetime", "types", "required_claims",
                "subject_claim", "scopes_claim", "addresses_claim", "token_bytes",
            ]
        case .limit: ["burst", "by"]
        case .failureBudget: ["burst"]
        case .rateHeaders: ["headers", "reset", "keep_upstream"]
        case .profile: ["default", "reasons"]
        case .answer: ["status", "body", "content_type", "headers"]
        case .route:
            [
                "authorize", "limits", "request_headers", "response_headers", "keep_credentials", "responses",
                "body_bytes", "response_timeout", "rate_headers",
            ]
        case .match: ["hosts", "methods", "headers"]
        case .admin, .allOf, .optional: []
        case .authorize: ["scopes", "claims", "allow_ips", "deny_ips"]
        case .headerChanges: ["set", "remove"]
        case .test: ["headers", "from"]
        case .testExpectation: ["status", "reason", "route", "upstream"]
        }
    }
}
