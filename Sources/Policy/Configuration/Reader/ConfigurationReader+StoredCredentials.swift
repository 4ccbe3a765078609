import Core

/// Credentials for upstreams that tokens bring.
extension ConfigurationReader {
    mutating func readStoredCredentials(_ node: LocatedNode?) {
        for entry in map(node, of: "stored credentials by name") {
            guard checkName(entry.name, at: entry.namePosition, path: entry.node.path),
                let members = object(entry.node, .storedCredential), let claim = members["claim"],
                let pointer = pointer(claim)
            else { continue }
            var credential = StoredCredentialConfiguration(
                claim: Located(pointer, at: claim.position, path: claim.path), position: members.position)
            credential.key = self.pointer(members["key"]) ?? credential.key
            credential.refreshToken = self.pointer(members["refresh_token"]) ?? credential.refreshToken
            credential.lifetime = self.pointer(members["expires_in"]) ?? credential.lifetime
            credential.refresh = members["refresh"].flatMap { credentialRefresh($0) }
            configuration.storedCredentials[entry.name] = credential
        }
    }

    private mutating func credentialRefresh(_ node: LocatedNode) -> CredentialRefreshConfiguration? {
        guard let members = object(node, .credentialRefresh), let place = members["url"],
            let url = string(place, expected: "a URL")
        else { return nil }
        guard Self.isFetchURL(url.value) else {
            report(
                .urlInvalid, at: place,
                "\(quoted(url.value)) is no URL to ask; write \"https://app.example/refresh\", without user name and fragment")
            return nil
        }
        var refresh = CredentialRefreshConfiguration(url: url, position: members.position)
        refresh.method = choice(members["method"], of: CredentialRefreshConfiguration.Method.self) ?? refresh.method
        refresh.headers = headerTemplates(members["headers"], in: .request)
        checkTemplates(of: refresh.headers.map(\.template))
        refresh.contentType =
            choice(members["content_type"], of: CredentialRefreshConfiguration.ContentType.self) ?? refresh.contentType
        if let body = members["body"] {
            refresh.content = refreshContent(body)
            if refresh.method == .get { report(.membersExclusive, at: body, "a GET has no body") }
            if refresh.contentType == .form { checkForm(body) }
        } else if let place = members["content_type"] {
            report(.membersExclusive, at: place, "\"content_type\" belongs to a \"body\"; there is none")
        }
        let periods: ClosedRange<Nanoseconds> = .milliseconds(100)...(.seconds(60))
        refresh.timeout = duration(members["timeout"], in: periods) ?? refresh.timeout
        refresh.ahead = duration(members["ahead"], in: 0...(.seconds(86_400))) ?? refresh.ahead
        refresh.cooldown = duration(members["cooldown"], in: .milliseconds(100)...(.seconds(3600))) ?? refresh.cooldown
        refresh.ca = contentReference(members["ca"], of: "the authority's certificate")
        return refresh
    }

    /// A JSON value with templates and secrets in it.
    private mutating func refreshContent(_ node: LocatedNode) -> CredentialRefreshConfiguration.Content? {
        switch node.value {
        case .null, .bool, .number: return .literal(node.node)
        case .string(""): return .literal(node.node)
        case .string:
            guard let template = template(node) else { return nil }
            checkTemplates(of: [template])
            return .template(template)
        case .array:
            return .list((list(node, of: "values") ?? []).compactMap { refreshContent($0) })
        case .object:
            if isSecret(node) { return secret(node).map { .secret($0) } }
            return .object(
                map(node, of: "values by name").compactMap { entry in
                    refreshContent(entry.node).map { (entry.name, $0) }
                })
        }
    }

    /// A refresh is nobody's request: only the credential and whose it is can be shown.
    private mutating func checkTemplates(of templates: [Located<String>]) {
        for template in templates {
            for part in (try? TemplateSyntax.parse(template.value)) ?? [] where !part.isKnownAtRefresh {
                report(
                    .templateInvalid, at: template.position, path: template.path,
                    "a refresh knows {stored_credential./POINTER}, {subject} and {issuer} only")
                break
            }
        }
    }

    private mutating func checkForm(_ node: LocatedNode) {
        guard case .object = node.value, !isSecret(node) else {
            report(.valueUnknown, at: node, "a form is an object of fields by name")
            return
        }
        for entry in map(node, of: "fields by name") {
            switch entry.node.value {
            case .null, .bool, .number, .string: continue
            case .object where isSecret(entry.node): continue
            case .array, .object: report(.valueUnknown, at: entry.node, "a field of a form is text, a number, true or false")
            }
        }
    }

    /// `{"secret": "env:NAME"}`, which may stand in place of a template.
    func isSecret(_ node: LocatedNode) -> Bool {
        guard case .object(let members) = node.value else { return false }
        return members.count == 1 && members[0].name == "secret"
    }

    mutating func secret(_ node: LocatedNode) -> Located<SecretReference>? {
        object(node, .secret).flatMap { locatedSecret($0["secret"]) }
    }

    /// The value of a field or a parameter that a request gets: a template or a secret.
    mutating func requestValue(_ entry: MapEntry) -> HeaderTemplate? {
        guard isSecret(entry.node) else { return template(entry.node).map { HeaderTemplate(name: entry.name, template: $0) } }
        let nothing = Located("", at: entry.node.position, path: entry.node.path)
        return secret(entry.node).map { HeaderTemplate(name: entry.name, template: nothing, secret: $0) }
    }

    /// What a `request_query` object says.
    mutating func queryChanges(_ node: LocatedNode?) -> (set: [HeaderTemplate], removed: [String]) {
        guard let members = object(node, .queryChanges) else { return ([], []) }
        var set: [HeaderTemplate] = []
        for entry in map(members["set"], of: "templates by parameter name") {
            guard checkParameterName(entry.name, at: entry.namePosition, path: entry.node.path) else { continue }
            if let parameter = requestValue(entry) { set.append(parameter) }
        }
        var removed: [String] = []
        for name in strings(members["remove"], of: "parameter names") {
            guard checkParameterName(name.value, at: name.position, path: name.path) else { continue }
            if set.contains(where: { $0.name == name.value }) {
                report(
                    .membersExclusive, at: name.position, path: name.path,
                    "\(quoted(name.value)) is set as well; setting replaces what the request had")
            } else if removed.contains(name.value) {
                report(
                    .nameDuplicate, at: name.position, path: name.path, "\(quoted(name.value)) stands in the list twice")
            } else {
                removed.append(name.value)
            }
        }
        return (set, removed)
    }

    private mutating func checkParameterName(_ name: String, at position: SourcePosition, path: String) -> Bool {
        let isName = name.utf8.allSatisfy { $0.isLetterOrDigit || [0x2D, 0x2E, 0x5B, 0x5D, 0x5F, 0x7E].contains($0) }
        if isName, (1...128).contains(name.utf8.count) { return true }
        report(
            .nameInvalid, at: position, path: path,
            "\(quoted(name)) is no name of a query parameter: letters, digits and \"-._~[]\"")
        return false
    }

    /// A stored credential is of a caller with a token, and only requests that are forwarded show it.
    mutating func checkStoredCredential(of route: RouteConfiguration, _ members: ObjectMembers) {
        if let name = route.storedCredential {
            if route.action != nil {
                report(
                    .membersExclusive, at: name.position, path: name.path,
                    "the route's requests are not forwarded: there is no upstream to show a credential")
            } else if route.requirement == RouteConfiguration.Requirement.none {
                report(
                    .authorizationWithoutIdentity, at: name.position, path: name.path,
                    "the route admits strangers (\"authenticate\": \"none\"), for whom nothing is stored: nobody would get through")
            }
        }
        var refused = route.authorizations.flatMap(\.templates) + route.setResponseHeaders.map(\.template)
        if route.storedCredential == nil {
            refused += (route.setRequestHeaders + route.setQueryParameters + route.setContentMembers).map(\.template)
            if let path = route.upstreamPath { refused.append(path) }
        }
        for template in refused { checkShowsNoStoredCredential(template) }
    }

    mutating func checkShowsNoStoredCredential(_ template: Located<String>) {
        guard TemplateSyntax.showsStoredCredential(template.value) else { return }
        report(
            .templateInvalid, at: template.position, path: template.path,
            "{stored_credential…} is only for \"request_headers\", \"request_query\", \"request_body\" and \"upstream_path\" "
                + "of a route that names its \"stored_credential\"")
    }
}

extension TemplatePart {
    fileprivate var isKnownAtRefresh: Bool {
        switch self {
        case .literal, .storedCredential, .subject, .issuer: true
        case .path, .credential, .method, .scopes, .claim, .claimJSON, .clientIP, .requestID, .route, .keyID,
            .certificate, .realm, .userEmail, .userName:
            false
        }
    }
}
