import Core

/// Somebody under one route, and what follows from the two alone, worked out once: whether the scopes suffice, which
/// limits apply and whose buckets count, which lines tell the upstream who is calling.
final class Caller: Sendable {
    let identity: Identity
    /// The credentials shown beside that one: every check but that of the scopes asks them too. Empty but for `all_of`.
    let others: [OtherCredential]
    /// What stands against the caller whatever the request is: scopes, realm locks that differ, more limits than apply to
    /// one request. Nil when nothing does.
    let denial: Denial?
    /// The store's user whose id is the subject; nil where the route does not ask for one.
    let user: DirectoryUser?
    /// A key's own limits stand in place of the route's, unless all of them are only tried.
    let limits: LimitList
    /// Whose bucket each of `limits` takes from; empty where each is the identity's.
    private let payers: [Identity]
    /// Limits in shadow mode, each by itself.
    let triedLimits: [CallerLimits.Tried]
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
        _ identity: Identity, beside others: [OtherCredential] = [], authorization: Authorization, routeLimits: LimitList,
        rules: RequestRules, routeName: String, isShadow: Bool = false, buckets: BucketTable?, user: DirectoryUser? = nil
    ) {
        self.identity = identity
        self.others = others
        self.user = user
        let counted = CallerLimits(identity, others, route: routeLimits, routeName: routeName, isShadow: isShadow)
        let limits = counted.enforced
        let payers = counted.payers
        self.limits = limits
        self.payers = payers
        triedLimits = counted.tried
        denial = Self.denial(identity, others.map(\.identity), authorization) ?? (counted.isOverCapacity ? .limitsUnavailable : nil)
        // Nothing here depends on where the caller comes from.
        let nowhere = IPAddress(v4: 0)
        var keys = BucketKeys.unset
        var isFixed = false
        if let buckets {
            isFixed = limits.indices.allSatisfy { !BucketPrincipal.usesAddress(limits[$0], identity) }
            var bytes: [UInt8] = []
            for index in limits.indices where isFixed {
                bytes.removeAll(keepingCapacity: true)
                let payer = payers.isEmpty ? identity : payers[index]
                BucketPrincipal(identity: payer, routeName: routeName, client: nowhere, isShadow: isShadow)
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

    convenience init(
        _ identity: Identity, beside others: [Identity] = [], _ route: Route, buckets: BucketTable, directory: Directory
    ) {
        func user(behind identity: Identity) -> DirectoryUser? { route.usesUser ? directory.user(behind: identity) : nil }
        self.init(
            identity, beside: others.map { OtherCredential(identity: $0, user: user(behind: $0)) },
            authorization: route.authorization, routeLimits: route.limits, rules: route.request, routeName: route.name,
            isShadow: route.isShadow, buckets: buckets, user: user(behind: identity))
    }

    /// Of each credential, in the order the route asks for them; empty for an anonymous caller.
    var identities: [Identity] { identity.isAnonymous ? [] : [identity] + others.map(\.identity) }

    /// Whose bucket a limit of `limits` takes from.
    func payer(_ index: Int) -> Identity { payers.isEmpty ? identity : payers[index] }

    /// Nil when every credential may be used from this address, or why one may not.
    @inline(__always)
    func addressDenial(_ address: IPAddress) -> Denial? {
        if let denial = identity.addressDenial(address) { return denial }
        for other in others { if let denial = other.identity.addressDenial(address) { return denial } }
        return nil
    }

    /// The realm that the credentials are locked to. Locks that differ are a `denial`.
    var lockedRealm: String? {
        if others.isEmpty { return identity.lockedRealm }
        return try? Identity.lockedRealm(of: identity, others.map(\.identity))
    }

    private static func denial(_ identity: Identity, _ others: [Identity], _ authorization: Authorization) -> Denial? {
        if let denial = authorization.scopeDenial(for: identity, others) { return denial }
        if others.isEmpty { return nil }
        do throws(Denial) { _ = try Identity.lockedRealm(of: identity, others) } catch { return error }
        return nil
    }
}
