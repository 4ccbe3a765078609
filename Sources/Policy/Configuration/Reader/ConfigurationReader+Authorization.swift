import Core

/// What routes ask of a caller, and which of it is only tried.
extension ConfigurationReader {
    /// Rules of one route that are only tried.
    static let shadowRulesPerRoute = 8

    /// One rule, or a list of which one may enforce.
    mutating func readAuthorization(_ node: LocatedNode?, into route: inout RouteConfiguration, isOpen: Bool) {
        guard let node else { return }
        guard case .array = node.value else {
            guard let (rule, mode) = authorization(node, place: nil, isOpen: isOpen) else { return }
            switch mode {
            case .enforce: route.authorization = rule
            case .shadow: route.shadowAuthorizations = [rule]
            }
            return
        }
        var enforcing: SourcePosition?
        for (place, element) in (filledList(node, of: "rules") ?? []).enumerated() {
            guard let (rule, mode) = authorization(element, place: place, isOpen: isOpen) else { continue }
            switch mode {
            case .shadow: route.shadowAuthorizations.append(rule)
            case .enforce:
                if let enforcing {
                    report(
                        .membersExclusive, at: element,
                        "the rule at line \(enforcing.line) enforces already; the others are in \"mode\": \"shadow\"")
                } else {
                    enforcing = element.position
                    route.authorization = rule
                }
            }
        }
        if route.shadowAuthorizations.count > Self.shadowRulesPerRoute {
            report(
                .valueOutOfRange, at: node,
                "at most \(Self.shadowRulesPerRoute) rules of a route are tried, found \(route.shadowAuthorizations.count)")
        }
    }

    /// Whether a route refuses. What the gateway does itself is not done for somebody who would have been refused.
    mutating func mode(_ members: ObjectMembers, of route: RouteConfiguration) -> RuleMode {
        guard let place = members["mode"], let mode = choice(place, of: RuleMode.self) else { return .enforce }
        if mode == .shadow, let member = ["action", "stored_credential"].first(where: { members[$0] != nil }) {
            report(
                .membersExclusive, at: place,
                "a route with \(quoted(member)) cannot be in shadow mode: it needs to know who is calling")
        }
        if mode == .shadow, route.realm?.readsContent == true {
            report(
                .membersExclusive, at: place,
                "a route whose realm stands in the content cannot be in shadow mode: requests without one are refused")
        }
        if mode == .shadow, let body = members["request_body"] {
            report(.membersExclusive, at: body, "a route in shadow mode cannot change content: requests of other types are refused")
        }
        return mode
    }

    private mutating func authorization(
        _ node: LocatedNode, place: Int?, isOpen: Bool
    ) -> (RouteConfiguration.Authorization, RuleMode)? {
        guard let members = object(node, .authorize) else { return nil }
        var rule = RouteConfiguration.Authorization()
        rule.place = place
        for scope in strings(members["scopes"], of: "scopes") {
            // RFC 6749 §3.3; a scope with a space could never be granted.
            if scope.value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) {
                rule.scopes.append(scope.value)
            } else {
                report(.valueUnknown, at: scope.position, path: scope.path, "\(quoted(scope.value)) is no scope")
            }
        }
        for entry in map(members["claims"], of: "templates by JSON Pointer") {
            guard checkPointer(entry.name, at: entry.namePosition, path: entry.node.path) else { continue }
            guard let template = template(entry.node) else { continue }
            rule.claims.append((Located(entry.name, at: entry.namePosition, path: entry.node.path), template))
        }
        if members["allow_ips"] != nil { rule.allowedAddresses = filledBlocks(members["allow_ips"]) }
        rule.deniedAddresses = blocks(members["deny_ips"])
        for name in ["allow_ips", "deny_ips"] {
            if let place = members[name] { configuration.positions[place.path] = place.position }
        }
        rule.membership = membership(members["membership"])
        for name in ["scopes", "claims", "membership"] where isOpen {
            guard let place = members[name] else { continue }
            report(
                .authorizationWithoutIdentity, at: place,
                "the route admits strangers (\"authenticate\": \"none\"), who have no \(name): nobody would get through"
            )
        }
        return (rule, choice(members["mode"], of: RuleMode.self) ?? .enforce)
    }
}
