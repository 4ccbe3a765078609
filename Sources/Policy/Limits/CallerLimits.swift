import Core

/// The limits that count one caller on one route, and whose buckets they take from.
///
/// Each credential brings its own limits in place of the route's, unless all of them are only tried. Where a request shows
/// several credentials, each of them pays: of a limit by identity or key a bucket of each is taken, and of buckets that are
/// the same (by address, by route, of a key and a token made with it) one token.
struct CallerLimits {
    /// A limit in shadow mode.
    struct Tried: Sendable {
        /// Of this one limit.
        let limits: LimitList
        /// Whose bucket it is.
        let payer: Identity
    }

    /// A limit may be here several times, for several payers.
    private(set) var enforced: LimitList
    /// Whose bucket each of `enforced` takes from; empty where each is the first credential's.
    private(set) var payers: [Identity] = []
    private(set) var tried: [Tried]
    /// Together they are more than apply to one request (`LimitList.capacity`): then it must not pass.
    private(set) var isOverCapacity = false

    init(_ identity: Identity, _ others: [OtherCredential], route: LimitList, routeName: String, isShadow: Bool) {
        let first = Self.chosen(for: identity, route: route)
        enforced = first.enforced
        tried = first.tried.map { Tried(limits: LimitList($0), payer: identity) }
        if others.isEmpty { return }
        var seen: Set<[UInt8]> = []
        var limits: [Limit] = []
        var tried: [Tried] = []
        for payer in [identity] + others.map(\.identity) {
            let chosen = Self.chosen(for: payer, route: route)
            for limit in chosen.enforced.indices.map({ chosen.enforced[$0] }) + chosen.tried {
                // The address is the same for all: it makes no two of them alike.
                var bucket = Array(limit.name.utf8)
                BucketPrincipal(identity: payer, routeName: routeName, client: IPAddress(v4: 0), isShadow: isShadow)
                    .append(for: limit, to: &bucket)
                guard seen.insert(bucket).inserted else { continue }
                if limit.isShadow {
                    tried.append(Tried(limits: LimitList(limit), payer: payer))
                } else {
                    limits.append(limit)
                    payers.append(payer)
                }
            }
        }
        self.tried = tried
        if let all = LimitList(ofSeveral: limits) {
            enforced = all
        } else {
            isOverCapacity = true
            payers = []
        }
    }

    private static func chosen(for identity: Identity, route: LimitList) -> (enforced: LimitList, tried: [Limit]) {
        let route = route.split()
        guard let own = limits(of: identity)?.split() else { return route }
        return (own.enforced.isEmpty ? route.enforced : own.enforced, own.tried)
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
