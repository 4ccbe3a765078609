import Core

/// What a route does to the fields of a request before it goes on.
final class RequestRules: Sendable {
    /// Names that no client may send here: identity headers, names the gateway sets itself, credentials, what the route
    /// removes, fields that claim another target.
    private let filters: RequestFilters.Pair
    /// The same for the fields that parsing tells apart; bit n for the field with raw value n.
    private let droppedFields: UInt64
    /// Where bearer tokens are looked for, of which only those that the route judges are dropped; nil where `Authorization` is
    /// dropped or kept whatever it holds.
    private let bearers: CredentialPlan?
    /// Lines to add, in this order: first those that depend on the identity alone, up to the first that does not.
    let fixed: [FieldTemplate]
    let varying: [FieldTemplate]
    /// One of `varying` is made from the path.
    let usesPath: Bool
    /// A line is made from a user of the store.
    let usesUser: Bool
    /// The path that goes on; nil where it is the one that was matched.
    let upstreamPath: UpstreamPath?
    /// Query parameters to add.
    let query: [(name: [UInt8], value: ValueTemplate)]
    /// Query parameters and cookies that do not go on, in any spelling: credentials, and parameters that the route sets or
    /// removes.
    let strippedParameters: [ParameterName]
    let strippedCookies: [ParameterName]

    init(
        _ configuration: RouteConfiguration, filters: inout RequestFilters, keepsOverrides: Bool, added: [FieldTemplate],
        query: [(name: [UInt8], value: ValueTemplate)], content: ContentRules?, upstreamPath: UpstreamPath?,
        credentials: CredentialPlan
    ) {
        self.upstreamPath = upstreamPath
        self.query = query
        fixed = Array(added.prefix(while: \.isFixed))
        varying = Array(added.dropFirst(fixed.count))
        usesPath = varying.contains(where: \.usesPath) || query.contains { $0.value.usesPath }
            || content?.usesPath == true || upstreamPath?.usesPath == true
        usesUser = added.contains(where: \.usesUser) || query.contains { $0.value.usesUser }
            || upstreamPath?.usesUser == true
        let isStripping = !configuration.keepsCredentials
        let parameters =
            (isStripping ? credentials.queryNames : []) + query.map(\.name)
            + configuration.removedQueryParameters.map { Array($0.utf8) }
        strippedParameters = parameters.map { ParameterName($0) }
        strippedCookies = isStripping ? credentials.cookieNames.map { ParameterName($0) } : []
        var others = configuration.setRequestHeaders.map(\.name) + configuration.removedRequestHeaders
        // The realm that counts may be another one; a template says it.
        if let header = configuration.realm?.header { others.append(header) }
        // What they say is not true of other content (RFC 9530).
        if content != nil { others += ["Content-Digest", "Content-MD5", "Digest", "Repr-Digest"] }
        self.filters = filters.pair(
            dropping: others + (isStripping ? credentials.headerNames : []),
            keeping: isStripping ? [] : credentials.headerNames, keepsOverrides: keepsOverrides)
        var dropped: UInt64 = 0
        for name in others + (isStripping ? credentials.wholeHeaderNames : []) + filters.identityNames {
            let known = KnownField.named(name.utf8.span)
            if known != .other { dropped |= 1 << UInt64(known.rawValue) }
        }
        let isJudged = isStripping && credentials.takesBearerPlace && dropped >> UInt64(KnownField.authorization.rawValue) & 1 == 0
        bearers = isJudged ? credentials : nil
        droppedFields = dropped
    }

    /// Whether a field that parsing does not tell apart may not go on.
    @inline(__always)
    func drops(named name: Span<UInt8>, isPeerTrusted: Bool) -> Bool {
        isPeerTrusted ? filters.trusted.contains(name) : filters.untrusted.contains(name)
    }

    /// The same in a trailer section.
    func dropsTrailer(named name: Span<UInt8>) -> Bool { filters.trailers.contains(name) }

    /// The same for `Authorization`: a value that no authenticator of the route judges goes on.
    @inline(__always)
    func dropsAuthorization(_ value: Range<Int>, of head: RequestHead) -> Bool {
        drops(.authorization) || bearers?.judges(authorization: value, of: head) ?? false
    }

    @inline(__always)
    func drops(_ known: KnownField) -> Bool { droppedFields >> UInt64(known.rawValue) & 1 != 0 }
}
