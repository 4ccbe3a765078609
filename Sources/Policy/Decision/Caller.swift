import Core

/// Somebody under one route, and what follows from the two alone, worked out once: whether the scopes suffice, which
/// limits apply and whose buckets count, which lines tell the upstream who is calling.
final class Caller: Sendable {
    let identity: Identity
    /// What stands against the identity whatever the request is: the scopes. Nil when nothing does.
    let denial: Denial?
    /// The store's user whose id is the subject; nil where the route does not ask for one.
    let user: DirectoryUser?
    /// A key's own limits stand in place of the route's, unless all of them are only tried.
    let limits: LimitList
    /// Limits in shadow mode, each by itself.
    let triedLimits: [LimitList]
    /// The keys of the limits' buckets; unset unless `hasFixedKeys`.
    let bucketKeys: BucketKeys
    /// No bucket belongs to the address the caller comes from.
    let hasFixedKeys: Bool
    /// The lines of the route's `RequestRules.fixed`, as `HeaderLines.wireForm` has them.
    let lines: LentBytes
    /// A value of these lines is longer than the gateway sends.
    let isTooLong: Bool

    /// - Parameter buckets: makes the keys of buckets; nil leaves them to be made for each request.
    init(
        _ identity: Identity, authorization: Authorization, routeLimits: LimitList, rules: RequestRules, routeName: String,
        isShadow: Bool = false, buckets: BucketTable?, user: DirectoryUser? = nil
    ) {
        self.identity = identity
        self.user = user
        denial = authorization.scopeDenial(for: identity)
        let route = routeLimits.split()
        let own = Self.limits(of: identity)?.split()
        let limits = own.flatMap { $0.enforced.isEmpty ? nil : $0.enforced } ?? route.enforced
        self.limits = limits
        triedLimits = (own?.tried ?? route.tried).map { LimitList($0) }
        // Nothing here depends on where the caller comes from.
        let nowhere = IPAddress(v4: 0)
        var keys = BucketKeys.unset
        var isFixed = false
        if let buckets {
            isFixed = limits.indices.allSatisfy { !BucketPrincipal.usesAddress(limits[$0], identity) }
            var bytes: [UInt8] = []
            for index in limits.indices where isFixed {
                bytes.removeAll(keepingCapacity: true)
                BucketPrincipal(identity: identity, routeName: routeName, client: nowhere, isShadow: isShadow)
                    .append(for: limits[index], to: &bytes)
                keys[index] = buckets.key(for: limits[index], principal: bytes.span)
            }
        }
        bucketKeys = keys
        hasFixedKeys = isFixed
        var lines = HeaderLines()
        var scratch: [UInt8] = []
        let none: [UInt8] = []
        isTooLong = !FieldTemplate.append(
            rules.fixed, to: &lines, scratch: &scratch,
            TemplateSource(identity: identity, client: nowhere, route: routeName, user: user), path: none.span,
            requestID: none.span)
        self.lines = LentBytes(bytes: lines.wireForm)
    }

    convenience init(_ identity: Identity, _ route: Route, buckets: BucketTable, directory: Directory) {
        self.init(
            identity, authorization: route.authorization, routeLimits: route.limits, rules: route.request,
            routeName: route.name, isShadow: route.isShadow, buckets: buckets,
            user: route.usesUser ? directory.user(behind: identity) : nil)
    }

    /// Nil where the route's apply.
    private static func limits(of identity: Identity) -> LimitList? {
        switch identity {
        case .anonymous: nil
        case .token(let token):
            switch token.parent {
            case .key(let record, let authenticator): authenticator.limits(of: record)
            case .user, nil: nil
            }
        case .apiKey(let record, let authenticator): authenticator.limits(of: record)
        case .certificate(let identity): identity.limits
        }
    }
}
