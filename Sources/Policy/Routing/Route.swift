package import Core

/// A compiled route: what it asks of a request and what it makes of it. Immutable, shared by all loops.
package final class Route: Sendable {
    /// Place in the file's `routes`, from 0.
    package let index: Int
    package let name: String
    /// The path pattern as it was written.
    package let pattern: String
    /// What the gateway itself does with requests; nil where they are forwarded.
    package let action: ActionConfiguration?
    /// Place of the upstream in the snapshot's `upstreamNames`; means nothing where there is an action.
    package let upstreamIndex: Int
    /// Empty where there is an action.
    package let upstreamName: String
    /// The most content a request may have, in bytes. What the gateway reads itself is held to `actionContentBytes` too.
    package let contentByteLimit: UInt64
    /// Nil takes the upstream's.
    package let responseTimeout: Nanoseconds?
    /// From a request's head to the end of its answer, or to a change of protocol; nil does not bound it.
    package let timeout: Nanoseconds?
    /// Without a byte either way once an answer has begun; `.max` never ends, nil takes what is usual.
    let idleTimeout: Nanoseconds?
    /// The credential that the upstream is shown for the caller; nil where there is none.
    package let storedCredential: StoredCredentialRule?
    /// Requests are answered as if there were no route, and nothing they carry is looked at.
    package let isNotFound: Bool
    /// Where under the route the records of its `manage` action are; nil for other routes.
    let managedPaths: ManagedPaths?
    /// Not every path and method that the route matches is served: it answers nothing, or manages records.
    let isPartial: Bool
    /// Requests in clear are refused before anything they carry is looked at.
    package let isHTTPSOnly: Bool
    /// Nil lets no connection change its protocol.
    package let upgrade: UpgradeRule?
    /// Whoever the route would refuse is let through, and told of.
    package let isShadow: Bool

    /// The path captures with the segments they stand in, counted from 0.
    let captures: [(name: String, segment: Int)]
    let hostPolicy: UpstreamConfiguration.HostPolicy
    let credentials: CredentialPlan
    let authorization: Authorization
    let limits: LimitList
    /// Rules that are only tried.
    let shadowRules: [ShadowRule]
    let rateHeaders: RateHeaders
    let request: RequestRules
    let response: ResponseRules
    let profile: AnswerProfile
    /// What answers say to pages of other origins; nil says nothing, and lets pass what the upstream says.
    package let cors: CORSRule?
    let challenges: Challenges
    /// Nobody in particular.
    let stranger: Caller
    /// Something of it is about the store's user behind a credential.
    let usesUser: Bool
    /// Something of it is made from path captures.
    let usesCaptures: Bool
    /// What paths of requests may not make use of.
    let refusedPathUses: PathUses
    /// The route has rules for paths of its own.
    let hasOwnPathRules: Bool
    /// Nil knows no realms.
    let realm: RealmRule?
    /// What clients must accept; nil does not look.
    let accept: MediaTypeRule?
    /// What content must be; nil takes all.
    let contentTypes: MediaTypeRule?
    /// What is changed in content; nil leaves it as it is.
    let content: ContentRules?
    /// Content that goes on is read before.
    let readsContent: Bool

    /// Content does not go on as it came.
    package var changesContent: Bool { content != nil }

    init(_ parts: Parts, index: Int, configuration: RouteConfiguration, upstreamIndex: Int) {
        self.index = index
        name = configuration.name
        pattern = configuration.path.value
        self.upstreamIndex = upstreamIndex
        upstreamName = configuration.upstream?.value ?? ""
        action = configuration.action
        isNotFound = configuration.action?.isNotFound ?? false
        if case .manage(let management)? = configuration.action {
            managedPaths = ManagedPaths(management, captures: parts.captures, rest: parts.rest)
        } else {
            managedPaths = nil
        }
        isPartial = isNotFound || managedPaths != nil
        captures = parts.captures
        responseTimeout = configuration.responseTimeout
        timeout = configuration.timeout
        idleTimeout = configuration.idleTimeout
        storedCredential = parts.storedCredential
        isHTTPSOnly = parts.isHTTPSOnly
        upgrade = configuration.upgrade.map(UpgradeRule.init)
        hostPolicy = parts.hostPolicy
        credentials = parts.credentials
        authorization = parts.authorization
        limits = parts.limits
        shadowRules = parts.shadowRules
        isShadow = configuration.mode == .shadow
        rateHeaders = RateHeaders(parts.rateStyle)
        request = parts.request
        response = parts.response
        profile = parts.profile
        cors = parts.cors
        challenges = Challenges(parts.credentials, scopes: parts.authorization.scopes)
        usesUser = parts.authorization.membership != nil
            || parts.shadowRules.contains { $0.authorization.membership != nil } || parts.request.usesUser
            || parts.response.added.contains(where: \.usesUser) || parts.content?.usesUser == true
        usesCaptures = parts.authorization.usesPath || parts.shadowRules.contains { $0.authorization.usesPath }
            || parts.request.usesPath
        // Actions read text from paths.
        refusedPathUses = configuration.action == nil ? parts.paths.refused : parts.paths.refused.union(.invalidUTF8)
        hasOwnPathRules = configuration.paths != nil
        realm = configuration.realm.map(RealmRule.init)
        content = parts.content
        readsContent = configuration.action == nil && (configuration.realm?.readsContent == true || parts.content != nil)
        let isHeld = configuration.action != nil || readsContent
        contentByteLimit = min(
            configuration.bodyByteLimit ?? parts.bodyByteLimit, isHeld ? FixedBounds.actionContentBytes : .max)
        accept = configuration.accept.isEmpty ? nil : MediaTypeRule(configuration.accept)
        contentTypes = configuration.contentTypes.isEmpty ? nil : MediaTypeRule(configuration.contentTypes)
        stranger = Caller(
            .anonymous, authorization: parts.authorization, routeLimits: parts.limits, rules: parts.request,
            routeName: configuration.name, buckets: nil)
    }

    /// The compiled parts of a route.
    struct Parts {
        var captures: [(name: String, segment: Int)]
        /// The segments before `/**`; nil for a pattern without it.
        var rest: Int?
        var hostPolicy: UpstreamConfiguration.HostPolicy
        var credentials: CredentialPlan
        var authorization: Authorization
        var limits: LimitList
        var shadowRules: [ShadowRule]
        var rateStyle: RateHeaderStyle
        var request: RequestRules
        var content: ContentRules?
        var response: ResponseRules
        var profile: AnswerProfile
        var cors: CORSRule?
        var storedCredential: StoredCredentialRule?
        var isHTTPSOnly: Bool
        var paths: PathRules
        /// `bounds.bodyByteLimit`.
        var bodyByteLimit: UInt64
    }
}
