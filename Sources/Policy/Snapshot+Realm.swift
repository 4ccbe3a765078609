package import Core

/// Finds out which realm a request is about.
extension Snapshot {
    /// What the request names.
    /// - Parameter lock: the realm that the caller's credentials are locked to.
    func realm(
        by rule: RealmRule, _ head: inout RequestHead, _ route: Route, lock: String?, _ memory: DecisionMemory
    ) throws(Denial) -> RequestRealm {
        try rule.realm(
            of: &head, suffix: suffix(of: &head, route), lock: lock, scratch: &memory.scratch)
    }

    /// The grant of a request whose content is whole: it may name the realm there.
    package func settled(_ grant: Grant, _ head: RequestHead, content: [UInt8]) throws(Denial) -> Grant {
        guard let named = grant.namedRealm, let parameter = grant.route.realm?.contentParameter else { return grant }
        let realms = try RealmContent.realms(named: parameter, in: content, mediaType: Self.contentType(of: head))
        return Grant(grant, in: GrantedRealm(named, realm: try named.resolved(content: realms)))
    }

    /// The realm of a request whose head is all there is to know. It may still be named in the content of one to an action,
    /// and where the rule says so.
    func settled(_ realm: RequestRealm, _ head: RequestHead, _ route: Route) throws(Denial) -> String? {
        let isContentRead = route.realm?.contentParameter != nil && head.announcesContent
        var found: String?
        do throws(Denial) { found = try realm.resolved() } catch {
            guard error == .realmMissing, isContentRead || route.action != nil && head.announcesContent else { throw error }
        }
        return found
    }

    /// What stands behind the comma of a bearer token, where one of the route's authenticators takes realms there.
    private func suffix(of head: inout RequestHead, _ route: Route) -> Range<Int>? {
        for probe in route.credentials.groups.lazy.joined() where probe.place.kind == .bearer {
            guard case .inHead(let range) = CredentialFinder.findBearer(&head) else { return nil }
            let value = head.bytes.span.extracting(range)
            guard let judge = probe.judge(of: value), judge.takesRealmSuffix, let comma = value.firstIndex(of: 0x2C) else {
                continue
            }
            return range.lowerBound &+ comma &+ 1..<range.upperBound
        }
        return nil
    }
}
