import Core

/// Actions that manage what the store keeps, and where changes are told.
extension ConfigurationReader {
    mutating func manage(_ node: LocatedNode) -> ManagementConfiguration? {
        guard let members = object(node, .manage),
            let resource = choice(members["resource"], of: ManagementConfiguration.Resource.self)
        else { return nil }
        storedPlaces.append(node)
        var management = ManagementConfiguration(resource: resource)
        management.authenticator = storedAuthenticator(members, resource)
        management.keySet = storedKeySet(members, resource)
        let periods: ClosedRange<Nanoseconds> = .seconds(0)...(.seconds(365 * 86_400))
        management.retireAfter = duration(members["retire_after"], in: periods) ?? management.retireAfter
        management.overlap = duration(members["overlap"], in: periods) ?? management.overlap
        management.realm = string(members["realm"])?.value
        management.isOwnOnly = boolean(members["own"]) ?? false
        management.grantsAnything = boolean(members["grant_any"]) ?? false
        management.privateKeyScope = string(members["private_key_scope"])?.value
        management.mayImport = boolean(members["import"]) ?? false
        management.shape = managementShape(members, resource)
        management.current = currentSegment(members["current"])
        management.inheritsScopes = boolean(members["inherit_scopes"]) ?? false
        management.namesAreOptional = boolean(members["unnamed"]) ?? false || management.shape.name(of: "name") == nil
        let belongings: [(String, [ManagementConfiguration.Resource])] = [
            ("authenticator", [.apiKeys]), ("overlap", [.apiKeys]), ("key_set", [.jwtKeys]), ("retire_after", [.jwtKeys]),
            ("private_key_scope", [.jwtKeys]), ("realm", [.jwtKeys]), ("own", [.apiKeys, .users]),
            ("current", [.apiKeys, .users]), ("inherit_scopes", [.apiKeys]), ("unnamed", [.apiKeys]),
            ("import", [.apiKeys]),
        ]
        for (name, resources) in belongings where !resources.contains(resource) {
            guard let place = members[name] else { continue }
            report(.membersExclusive, at: place, "\(quoted(name)) has no meaning for \(quoted(resource.rawValue))")
        }
        return management
    }

    private mutating func storedAuthenticator(
        _ members: ObjectMembers, _ resource: ManagementConfiguration.Resource
    ) -> Located<String>? {
        guard let name = reference(members["authenticator"], to: .authenticator) else {
            if resource == .apiKeys, members["authenticator"] == nil {
                report(.memberMissing, at: members.position, path: members.path, "the authenticator whose keys are managed is missing")
            }
            return nil
        }
        if let kind = configuration.authenticators[name.value]?.kind {
            var isStored = false
            if case .apiKey(let keys) = kind { isStored = keys.isStored }
            if !isStored {
                report(.valueUnknown, at: name.position, path: name.path, "\(quoted(name.value)) keeps no keys in the store")
            }
        }
        return name
    }

    /// That the key set is a stored one is seen once everything has been read.
    private mutating func storedKeySet(
        _ members: ObjectMembers, _ resource: ManagementConfiguration.Resource
    ) -> Located<String>? {
        guard let name = reference(members["key_set"], to: .keySet) else {
            if resource == .jwtKeys, members["key_set"] == nil {
                report(.memberMissing, at: members.position, path: members.path, "the key set whose keys are managed is missing")
            }
            return nil
        }
        return name
    }

    /// Nobody manages anything without having shown who he is.
    mutating func checkManagement(of route: RouteConfiguration, _ members: ObjectMembers) {
        guard case .manage = route.action, let place = members["authenticate"] else { return }
        switch route.requirement {
        case .none, .optional:
            report(.authorizationWithoutIdentity, at: place, "who manages what the store keeps has to show who he is")
        case .anyOf, .allOf: break
        }
    }

    mutating func readAudit(_ node: LocatedNode?) {
        guard let node, let members = object(node, .audit) else { return }
        var audit = AuditConfiguration()
        audit.log = logDestination(members["log"])
        audit.webhook = webhook(members["webhook"])
        configuration.audit = audit
    }

    private mutating func webhookURL(_ node: LocatedNode) -> Located<String>? {
        guard let text = string(node, expected: "a URL") else { return nil }
        if Self.isFetchURL(text.value) { return text }
        report(
            .urlInvalid, at: node,
            "\(quoted(text.value)) is no URL; write \"https://audit.example/events\", without user name and fragment")
        return nil
    }

    private mutating func webhook(_ node: LocatedNode?) -> WebhookConfiguration? {
        guard let node, let members = object(node, .webhook) else { return nil }
        let secret = locatedSecret(members["secret"])
        let ca = contentReference(members["ca"], of: "the authority's certificate")
        let timeout = duration(members["timeout"], in: .milliseconds(100)...(.seconds(60)))
        let attempts = integer(members["attempts"], in: 1...20)
        guard let place = members["url"], let url = webhookURL(place), let secret else { return nil }
        var webhook = WebhookConfiguration(url: url, secret: secret, position: node.position)
        webhook.ca = ca
        webhook.timeout = timeout ?? webhook.timeout
        webhook.attempts = attempts ?? webhook.attempts
        return webhook
    }
}
