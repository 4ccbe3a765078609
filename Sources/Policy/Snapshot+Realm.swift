import Core

/// Finds out which realm a request is about.
extension Snapshot {
    /// What the request names, for a caller who has been recognised.
    func realm(
        by rule: RealmRule, _ head: inout RequestHead, _ route: Route, _ identity: Identity, _ memory: DecisionMemory
    ) throws(Denial) -> RequestRealm {
        try rule.realm(
            of: &head, suffix: suffix(of: &head, route), lock: identity.lockedRealm, scratch: &memory.scratch)
    }

    /// The realm of a request whose head is all there is to know. One to an action may still name it in its content.
    func settled(_ realm: RequestRealm, _ head: RequestHead, _ route: Route) throws(Denial) -> String? {
        do throws(Denial) { return try realm.resolved() } catch {
            guard error == .realmMissing, route.action != nil else { throw error }
            switch head.framing {
            case .none, .length(0): throw error
            case .length, .chunked, .untilClose: return nil
            }
        }
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
