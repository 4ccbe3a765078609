/// The objects `gateway.json` is made of, each with the members it may have. The reader refuses every other member, and
/// the JSON Schema describes exactly these (under `$defs`, the document at its top).
package enum ObjectShape: String, CaseIterable, Sendable {
    case document
    case listener
    case listenerTLS = "listener_tls"
    case certificate
    case proxyProtocol = "proxy_protocol"
    case admin
    case probes
    case store
    case bounds
    case http2Bounds = "http2_bounds"
    case paths
    case upstream
    case upstreamTLS = "upstream_tls"
    case keySet = "key_set"
    case apiKey = "api_key"
    case apiKeySecret = "api_key_secret"
    case apiKeyAuthenticator = "api_key_authenticator"
    case jwtAuthenticator = "jwt_authenticator"
    case derivedFrom = "derived_from"
    case certificateAuthenticator = "certificate_authenticator"
    case certificateEntry = "certificate_entry"
    case certificateMatch = "certificate_match"
    case storedCredential = "stored_credential"
    case credentialRefresh = "credential_refresh"
    case secret
    case limit
    case failureBudget = "failure_budget"
    case rateHeaders = "rate_headers"
    case profile
    case answer
    case route
    case defaults
    case action
    case mintToken = "mint_token"
    case refreshToken = "refresh_token"
    case login
    case manage
    case managementStatuses = "management_statuses"
    case managementList = "management_list"
    case audit
    case webhook
    case publishKeys = "publish_keys"
    case refreshTokens = "refresh_tokens"
    case tokenAddresses = "token_addresses"
    case match
    case allOf = "all_of"
    case optional
    case authorize
    case membership
    case realm
    case headerChanges = "header_changes"
    case cors
    case requestHeaderChanges = "request_header_changes"
    case queryChanges = "query_changes"
    case contentChanges = "content_changes"
    case test
    case testsFile = "tests_file"
    case testKey = "test_key"
    case testToken = "test_token"
    case testUser = "test_user"
    case testMembership = "test_membership"
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
        case .listener, .admin, .probes: ["address"]
        case .proxyProtocol: ["from"]
        case .store: ["sqlite"]
        case .upstream: ["servers"]
        case .certificate: ["certificate", "key"]
        case .listenerTLS, .upstreamTLS, .bounds, .http2Bounds, .paths, .keySet, .certificateMatch, .rateHeaders,
            .profile, .answer, .authorize, .realm, .headerChanges, .requestHeaderChanges, .queryChanges,
            .contentChanges, .testKey, .testToken, .testUser, .testExpectation:
            []
        case .storedCredential: ["claim"]
        case .credentialRefresh: ["url"]
        case .secret: ["secret"]
        case .apiKey: ["id"]
        case .apiKeySecret: []
        case .apiKeyAuthenticator: ["type", "from"]
        case .jwtAuthenticator: ["type", "algorithms"]
        case .derivedFrom: ["claim"]
        case .certificateAuthenticator: ["type"]
        case .certificateEntry: ["match"]
        case .limit: ["requests", "per"]
        case .failureBudget: ["failures", "per"]
        case .route: ["name", "match"]
        case .defaults: []
        case .action: []
        case .login, .publishKeys: ["key_set"]
        case .mintToken, .refreshToken: []
        case .refreshTokens: ["lifetime"]
        case .tokenAddresses: []
        case .manage: ["resource"]
        case .managementStatuses: []
        case .managementList: ["items", "more"]
        case .webhook: ["url", "secret"]
        case .audit: []
        case .match: ["path"]
        case .membership: ["organization"]
        case .allOf: ["all_of"]
        case .optional: ["optional"]
        case .cors: ["origins"]
        case .test: ["name", "request", "expect"]
        case .testsFile: ["tests"]
        case .testMembership: ["organization", "role"]
        }
    }

    /// Of every action that makes tokens.
    private static let tokenMembers = [
        "algorithm", "kid", "lifetime", "max_lifetime", "claims", "answer", "refresh_tokens",
    ]

    private var optional: [String] {
        switch self {
        case .document:
            [
                "$schema", "loops", "admin", "trusted_proxies", "forwarded", "via", "bounds", "paths", "access_log", "audit", "store",
                "key_sets", "authenticators", "stored_credentials", "limits", "failure_budget", "rate_headers", "identity_headers",
                "profiles", "responses", "challenge_realm", "https_only", "override_headers", "cors", "defaults", "tests",
                "tests_file",
            ]
        case .listener: ["tls", "protocols", "redirect_to_https", "proxy_protocol"]
        case .listenerTLS:
            [
                "certificate", "key", "passphrase", "ocsp_response", "certificates", "client_ca",
                "client_certificates", "minimum_version", "handshake_timeout", "kernel_tls", "ticket_rotation",
            ]
        case .certificate: ["passphrase", "ocsp_response"]
        case .proxyProtocol: ["required"]
        case .store: ["encryption_key"]
        case .bounds:
            [
                "head_bytes", "target_bytes", "header_fields", "body_bytes", "connections", "connections_per_address",
                "head_timeout", "idle_timeout", "body_timeout", "half_close_timeout", "linger_timeout", "drain_delay", "drain_timeout",
                "buffered_bytes", "buckets", "http2",
            ]
        case .http2Bounds: ["streams", "stream_window", "connection_window", "header_table", "queued_bytes"]
        case .paths: ["dot_segments", "encoded_slash", "empty_segments", "invalid_utf8", "readings"]
        case .upstream:
            [
                "connect_timeout", "response_timeout", "body_timeout", "idle_timeout", "idle_connections",
                "connections", "retry_buffer", "host", "protocols", "tls", "keep_alive_ping", "lenient",
            ]
        case .upstreamTLS: ["ca", "server_name", "verify", "certificate", "key", "passphrase", "minimum_version"]
        case .keySet:
            [
                "url", "issuer", "ca", "file", "pem", "kid", "algorithm", "keys", "stored",
                "algorithms", "allow_short_secrets", "refresh", "minimum_refresh", "maximum_refresh", "cooldown", "stale_limit",
                "fetch_timeout",
            ]
        case .apiKey: APIKeyRecordParser.memberNames.filter { $0 != "id" }
        case .apiKeySecret: APIKeyRecordParser.secretMemberNames
        case .apiKeyAuthenticator: ["allow_query", "pepper", "keys", "keys_file", "stored", "format", "realm_suffix"]
        case .jwtAuthenticator:
            [
                "from", "issuer", "key_set", "audiences", "leeway", "require_exp", "max_lifetime", "types", "required_claims",
                "subject_claim", "scopes_claim", "addresses_claim", "token_bytes", "derived_from",
            ]
        case .derivedFrom: ["authenticator", "users"]
        case .certificateAuthenticator: ["subject_from", "certificates", "scopes"]
        case .certificateEntry: ["subject", "scopes", "allow_ips", "limits", "enabled"]
        case .certificateMatch: CertificateAuthenticatorConfiguration.Part.allCases.map(\.rawValue)
        case .storedCredential: ["key", "refresh_token", "expires_in", "refresh"]
        case .credentialRefresh:
            ["method", "headers", "content_type", "body", "timeout", "ahead", "cooldown", "ca"]
        case .secret: []
        case .limit: ["kind", "burst", "by", "mode"]
        case .failureBudget: ["burst"]
        case .rateHeaders: ["headers", "reset", "keep_upstream"]
        case .profile: ["default", "kinds", "statuses", "reasons", "challenge_realm"]
        case .answer: ["status", "body", "content_type", "headers", "challenge"]
        case .route:
            [
                "authenticate", "upstream", "upstream_path", "action", "authorize", "limits", "request_headers", "request_query",
                "request_body",
                "response_headers",
                "stored_credential", "keep_credentials", "responses", "body_bytes", "response_timeout", "timeout", "idle_timeout",
                "rate_headers",
                "https_only", "upgrade", "upgrade_idle_timeout", "upgrade_lifetime", "close_when_credential_ends", "mode",
                "realm", "accept", "content_types", "override_headers", "cors", "paths",
            ]
        case .defaults:
            [
                "authenticate", "upstream", "realm", "accept", "content_types", "limits", "response_headers", "timeout", "idle_timeout",
                "cors",
            ]
        case .action: ["mint_token", "refresh_token", "login", "manage", "publish_keys", "not_found"]
        case .mintToken: ["key_set", "like"] + Self.tokenMembers + ["addresses"]
        case .refreshToken: ["key_set", "like"] + Self.tokenMembers
        case .login: Self.tokenMembers + ["attempts"]
        case .publishKeys: ["x5c"]
        case .manage:
            [
                "authenticator", "key_set", "retire_after", "overlap", "realm", "own", "grant_any", "private_key_scope", "members",
                "wrapped", "list", "statuses", "current", "inherit_scopes", "unnamed", "import",
            ]
        case .managementStatuses: ["create", "update", "delete"]
        case .managementList: []
        case .audit: ["log", "webhook"]
        case .webhook: ["ca", "timeout", "attempts"]
        case .refreshTokens: ["family_lifetime"]
        case .tokenAddresses: ["protect", "values", "addresses"]
        case .match: ["hosts", "methods", "headers"]
        case .admin: ["token", "hosts", "tls", "probes", "ready_when"]
        case .probes: ["metrics"]
        case .allOf, .optional: []
        case .authorize: ["mode", "scopes", "claims", "allow_ips", "deny_ips", "membership"]
        case .membership: ["project", "roles"]
        case .realm: ["header", "parameter", "required", "content"]
        case .headerChanges, .requestHeaderChanges, .queryChanges, .contentChanges: ["set", "remove"]
        case .cors: ["methods", "headers", "expose", "credentials", "max_age"]
        case .test:
            ["headers", "from", "at", "body", "body_bytes", "key", "key_authenticator", "token", "user", "certificate", "repeat"]
        case .testsFile: ["$schema"]
        case .testKey: ["authenticator", "id", "subject", "scopes", "allow_ips", "limits", "realm", "expires_at", "enabled"]
        case .testUser: ["id", "email", "name", "scopes", "enabled", "tokens_valid_from", "memberships"]
        case .testMembership: ["project"]
        case .testToken: ["authenticator", "key", "claims", "algorithm", "type", "signature", "age", "lifetime"]
        case .testExpectation:
            [
                "status", "reason", "would_have", "route", "upstream", "allowed", "target", "request_headers",
                "absent_request_headers", "request_body", "response_headers", "absent_response_headers",
            ]
        }
    }
}
