/// What kind of thing a diagnostic says. The raw values are stable: scripts compare them.
package enum DiagnosticCode: String, Sendable, CaseIterable {
    // The document and its members.
    case jsonInvalid = "json_invalid"
    case tooManyErrors = "too_many_errors"
    case memberUnknown = "member_unknown"
    case memberMissing = "member_missing"
    case membersExclusive = "members_exclusive"
    case typeWrong = "type_wrong"
    case valueUnknown = "value_unknown"
    case valueOutOfRange = "value_out_of_range"
    case valueEmpty = "value_empty"
    case valueDuplicate = "value_duplicate"
    case durationInvalid = "duration_invalid"
    case sizeInvalid = "size_invalid"
    case addressInvalid = "address_invalid"
    case endpointInvalid = "endpoint_invalid"
    case endpointDuplicate = "endpoint_duplicate"
    case nameInvalid = "name_invalid"
    case nameReserved = "name_reserved"
    case nameDuplicate = "name_duplicate"
    case referenceUnknown = "reference_unknown"
    // Single values.
    case secretLiteral = "secret_literal"
    case secretReferenceInvalid = "secret_reference_invalid"
    case serverInvalid = "server_invalid"
    case urlInvalid = "url_invalid"
    case hostInvalid = "host_invalid"
    case methodInvalid = "method_invalid"
    case headerNameInvalid = "header_name_invalid"
    case headerNotAllowed = "header_not_allowed"
    case fieldValueInvalid = "field_value_invalid"
    case pathPatternInvalid = "path_pattern_invalid"
    case pointerInvalid = "pointer_invalid"
    case templateInvalid = "template_invalid"
    case captureUnknown = "capture_unknown"
    case sourceInvalid = "source_invalid"
    case querySourceNotAllowed = "query_source_not_allowed"
    case requestInvalid = "request_invalid"
    // Members that contradict each other.
    case authenticationMissing = "authentication_missing"
    case authorizationWithoutIdentity = "authorization_without_identity"
    case issuerAmbiguous = "issuer_ambiguous"
    // Warnings about what is read.
    case limitUnused = "limit_unused"
    case upstreamUnused = "upstream_unused"
    case authenticatorUnused = "authenticator_unused"
    case keySetUnused = "key_set_unused"
    case profileUnused = "profile_unused"
    case challengeMissing = "challenge_missing"
    case storedCredentialUnused = "stored_credential_unused"
    case defaultUnused = "default_unused"
    case keyWithoutExpiry = "key_without_expiry"
    case keyExpired = "key_expired"
    case keyIDWithScheme = "key_id_with_scheme"
    case keyWellKnown = "key_well_known"
    case pathSegmentLiteral = "path_segment_literal"
    case placeholderLeft = "placeholder_left"
    case allowListCoversEverything = "allow_list_covers_everything"
    case trustedProxiesCoverEverything = "trusted_proxies_cover_everything"
    case denyListCoversEverything = "deny_list_covers_everything"
    case audienceMissing = "audience_missing"
    case issuerMissing = "issuer_missing"
    case expiryNotRequired = "expiry_not_required"
    case identityTemplateWithoutIdentity = "identity_template_without_identity"
    case failureBudgetOff = "failure_budget_off"
    case failureBudgetShared = "failure_budget_shared"
    case keySetOverHTTP = "key_set_over_http"
    case credentialRefreshOverHTTP = "credential_refresh_over_http"
    case storedCredentialNotDurable = "stored_credential_not_durable"
    case keySetHoldsSecret = "key_set_holds_secret"
    case adminExposed = "admin_exposed"
    case clientCertificatesNotAsked = "client_certificates_not_asked"
    case upstreamUnverified = "upstream_unverified"
    case httpsOnlyUnreachable = "https_only_unreachable"
    case limitByIdentityWithoutAuthentication = "limit_by_identity_without_authentication"
    case routeInShadow = "route_in_shadow"
    case corsFieldsSet = "cors_fields_set"
    case bracesDoubled = "braces_doubled"
    // Found when the policy is compiled, with the files it names at hand.
    case routesAmbiguous = "routes_ambiguous"
    case secretUnreadable = "secret_unreadable"
    case adminTokenShort = "admin_token_short"
    case fileUnreadable = "file_unreadable"
    case keySetInvalid = "key_set_invalid"
    case keySetUnfetchable = "key_set_unfetchable"
    case keyUnusable = "key_unusable"
    case keyDuplicate = "key_duplicate"
    case keyRecordInvalid = "key_record_invalid"
    case keysFileInvalid = "keys_file_invalid"
    case keysFileEmpty = "keys_file_empty"
    case hmacSecretShort = "hmac_secret_short"
    case fileWorldReadable = "file_world_readable"
    case certificateInvalid = "certificate_invalid"
    case certificateExpired = "certificate_expired"
    case certificateExpiresSoon = "certificate_expires_soon"
    case certificateNotYetValid = "certificate_not_yet_valid"
    case certificateFlawed = "certificate_flawed"
    case ocspResponseExpired = "ocsp_response_expired"
    case storeUnusable = "store_unusable"
    case compilationFailed = "compilation_failed"
    case logFolderMissing = "log_folder_missing"
    case portPrivileged = "port_privileged"
    case testFailed = "test_failed"
}

extension DiagnosticCode {
    /// Who finds it: the reader, the warnings over a read configuration, or the compiler of the snapshot.
    package enum Stage: Sendable { case reading, reviewing, compiling }

    package var stage: Stage {
        switch self {
        case .jsonInvalid, .tooManyErrors, .memberUnknown, .memberMissing, .membersExclusive, .typeWrong,
            .valueUnknown, .valueOutOfRange, .valueEmpty, .valueDuplicate, .durationInvalid, .sizeInvalid,
            .addressInvalid, .endpointInvalid, .endpointDuplicate, .nameInvalid, .nameReserved, .nameDuplicate,
            .referenceUnknown, .secretLiteral, .secretReferenceInvalid, .serverInvalid, .urlInvalid,
            .hostInvalid, .methodInvalid, .headerNameInvalid, .headerNotAllowed,
            .fieldValueInvalid, .pathPatternInvalid, .pointerInvalid, .templateInvalid, .captureUnknown,
            .sourceInvalid, .querySourceNotAllowed, .requestInvalid, .authenticationMissing,
            .authorizationWithoutIdentity, .issuerAmbiguous:
            .reading
        case .limitUnused, .upstreamUnused, .authenticatorUnused, .keySetUnused, .profileUnused, .challengeMissing,
            .storedCredentialUnused, .defaultUnused, .keyWithoutExpiry, .keyExpired, .keyIDWithScheme, .allowListCoversEverything,
            .trustedProxiesCoverEverything, .denyListCoversEverything, .audienceMissing, .issuerMissing, .expiryNotRequired,
            .identityTemplateWithoutIdentity, .failureBudgetOff, .failureBudgetShared, .keySetOverHTTP, .credentialRefreshOverHTTP,
            .storedCredentialNotDurable, .keySetHoldsSecret, .adminExposed, .clientCertificatesNotAsked, .upstreamUnverified,
            .httpsOnlyUnreachable, .limitByIdentityWithoutAuthentication, .routeInShadow, .corsFieldsSet,
            .bracesDoubled, .keyWellKnown, .pathSegmentLiteral, .placeholderLeft:
            .reviewing
        case .routesAmbiguous, .secretUnreadable, .adminTokenShort, .fileUnreadable, .keySetInvalid, .keySetUnfetchable,
            .keyUnusable, .keyDuplicate, .keyRecordInvalid, .keysFileInvalid, .keysFileEmpty, .hmacSecretShort, .fileWorldReadable,
            .certificateInvalid, .certificateExpired, .certificateExpiresSoon, .certificateNotYetValid, .certificateFlawed,
            .ocspResponseExpired, .storeUnusable, .compilationFailed, .logFolderMissing, .portPrivileged,
            .testFailed:
            .compiling
        }
    }
}
