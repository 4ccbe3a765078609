import Core

extension ConfigurationReader {
    mutating func readRoutes(_ node: LocatedNode?) {
        var names: [String: SourcePosition] = [:]
        routeNodes = filledList(node, of: "routes") ?? []
        for element in routeNodes {
            guard var members = object(element, .route) else { continue }
            let name = string(members["name"])
            diagnostics.route = name?.value ?? element.path
            defer { diagnostics.route = nil }
            inherit(&members, of: element)
            if let name, checkName(name.value, at: name.position, path: name.path) {
                if let other = names.updateValue(name.position, forKey: name.value) {
                    report(
                        .nameDuplicate, at: name.position, path: name.path,
                        "the route at line \(other.line) is named \(quoted(name.value)) too")
                }
            }
            let route = routeConfiguration(members, name: name)
            configuration.routes.append(route)
        }
    }

    private mutating func routeConfiguration(_ members: ObjectMembers, name: Located<String>?) -> RouteConfiguration {
        let nowhere = Located("", at: members.position, path: members.path)
        let requirement = members["authenticate"].flatMap { self.requirement($0) }
        let upstream = reference(members["upstream"], to: .upstream)
        var route = RouteConfiguration(
            name: (name ?? nowhere).value, path: nowhere, requirement: requirement ?? .none,
            upstream: upstream, position: members.position)
        route.inherited = members.inherited
        route.action = action(members["action"])
        checkDestination(members)
        if requirement != nil, let action = route.action, let place = members["action"] {
            checkAction(action, of: route, at: place)
        }
        route.paths = pathRules(members["paths"], basedOn: configuration.paths)
        readMatch(members["match"], into: &route)
        readAuthorization(
            members["authorize"], into: &route, isOpen: requirement == RouteConfiguration.Requirement.none)
        route.limits = limitReferences(members["limits"])
        (route.setRequestHeaders, route.removedRequestHeaders) = headerChanges(members["request_headers"], in: .request)
        (route.setQueryParameters, route.removedQueryParameters) = queryChanges(members["request_query"])
        (route.setContentMembers, route.removedContentMembers) = contentChanges(members["request_body"])
        checkContentChanges(of: route, members)
        route.upstreamPath = upstreamPath(members["upstream_path"], of: route)
        (route.setResponseHeaders, route.removedResponseHeaders) = headerChanges(
            members["response_headers"], in: .response)
        route.keepsCredentials = boolean(members["keep_credentials"]) ?? false
        route.storedCredential = reference(members["stored_credential"], to: .storedCredential)
        checkStoredCredential(of: route, members)
        route.responses = reference(members["responses"], to: .profile)
        route.bodyByteLimit = byteSize(members["body_bytes"], in: 0...UInt64(Int64.max))
        route.responseTimeout = duration(members["response_timeout"], in: Self.timeouts)
        route.timeout = duration(members["timeout"], in: Self.timeouts)
        route.idleTimeout = idleTimeout(members["idle_timeout"])
        route.rateHeaders = rateHeaders(members["rate_headers"])
        route.httpsOnly = boolean(members["https_only"])
        route.overrideHeaders = choice(members["override_headers"], of: OverrideHeaders.self)
        route.cors = routeCORS(members)
        route.upgrade = upgrade(members)
        route.realm = realm(members["realm"])
        route.accept = mediaTypes(members["accept"], allowsAny: true)
        route.contentTypes = mediaTypes(members["content_types"], allowsAny: false)
        route.mode = mode(members, of: route)
        checkCaptures(of: route)
        checkManagement(of: route, members)
        checkNotFound(route, members)
        return route
    }

    /// A route forwards or acts.
    private mutating func checkDestination(_ members: ObjectMembers) {
        switch (members["upstream"], members["action"]) {
        case (nil, nil):
            report(
                .memberMissing, at: members.position, path: members.path,
                "a route has an \"upstream\" that requests go to, or an \"action\" of the gateway's own")
        case (.some, .some(let place)):
            report(.membersExclusive, at: place, "a route has \"upstream\" or \"action\", not both")
        case (.some, nil), (nil, .some): break
        }
    }

    private mutating func readMatch(_ node: LocatedNode?, into route: inout RouteConfiguration) {
        guard let members = object(node, .match) else { return }
        if let node = members["path"], let path = string(node, expected: "a path pattern such as \"/users/{id}\"") {
            do throws(PathPatternError) {
                let pattern = try PathPattern(path.value)
                route.path = path
                checkReachable(pattern, by: route.paths ?? configuration.paths, at: node)
            } catch {
                report(.pathPatternInvalid, at: node, error.message)
            }
        }
        if members["hosts"] != nil, filledList(members["hosts"], of: "hosts") != nil {
            for host in strings(members["hosts"], of: "hosts") {
                guard let pattern = hostPattern(host) else { continue }
                if route.hosts.contains(pattern) {
                    report(
                        .valueDuplicate, at: host.position, path: host.path,
                        "\(quoted(host.value)) stands in the list twice")
                } else {
                    route.hosts.append(pattern)
                }
            }
        }
        if filledList(members["methods"], of: "methods") != nil {
            route.methods = strings(members["methods"], of: "methods").filter { method($0) }.map(\.value)
        }
        for entry in map(members["headers"], of: "values by header name") {
            guard checkHeaderName(entry.name, in: nil, at: entry.namePosition, path: entry.node.path) else { continue }
            if route.headers.contains(where: { $0.name.lowercasedASCII == entry.name.lowercasedASCII }) {
                report(
                    .nameDuplicate, at: entry.namePosition, path: entry.node.path,
                    "another spelling of \(quoted(entry.name)) stands in the object already")
            } else if case .bool(true) = entry.node.value {
                route.headers.append(RouteConfiguration.HeaderMatch(name: entry.name, value: nil))
            } else if let value = string(entry.node, expected: "a value, or true where any will do") {
                guard value.value.isPlainFieldValue else {
                    report(.fieldValueInvalid, at: entry.node, "\(quoted(value.value)) is no value of a header field")
                    continue
                }
                route.headers.append(RouteConfiguration.HeaderMatch(name: entry.name, value: value.value))
            }
        }
    }

    /// A pattern that asks for what the path rules refuse could never match.
    private mutating func checkReachable(_ pattern: PathPattern, by rules: PathRules, at node: LocatedNode) {
        guard rules.encodedSlash == .reject else { return }
        for case .literal(let literal) in pattern.segments where literal.contains("%2F") || literal.contains("%5C") {
            report(
                .pathPatternInvalid, at: node,
                "an encoded slash or backslash is refused before routes are matched; see \"paths\", \"encoded_slash\"")
        }
    }

    private static let standardMethods: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT",
    ]

    mutating func method(_ text: Located<String>) -> Bool {
        let message: String
        let upper = text.value.uppercased()
        if text.value == "CONNECT" {
            message = "a gateway opens no tunnels; \"CONNECT\" is always refused"
        } else if !text.value.isToken || text.value.utf8.count > 32 {
            message = "\(quoted(text.value)) is no method"
        } else if ["*", "ANY", "ALL"].contains(upper) {
            message = "no client sends the method \(quoted(text.value)); leave \"methods\" out to take all of them"
        } else if upper != text.value, Self.standardMethods.contains(upper) {
            message = "methods are told apart by case; did you mean \(quoted(upper))?"
        } else {
            return true
        }
        report(.methodInvalid, at: text.position, path: text.path, message)
        return false
    }

    mutating func requirement(_ node: LocatedNode) -> RouteConfiguration.Requirement? {
        switch node.value {
        case .string("none"): return RouteConfiguration.Requirement.none
        case .string(let text):
            report(
                .valueUnknown, at: node,
                definedNames[.authenticator, default: []].contains(text)
                    ? "authenticators stand in a list: write [\(quoted(text))]"
                    : "expected a list of authenticators or \"none\", found \(quoted(text))")
            return nil
        case .array: return .anyOf(authenticators(node))
        case .object(let members):
            if members.contains(where: { $0.name == "optional" }) {
                return object(node, .optional).map { .optional(authenticators($0["optional"])) }
            }
            return object(node, .allOf).map { .allOf(authenticators($0["all_of"])) }
        case .null:
            report(
                .typeWrong, at: node,
                "expected a list of authenticators or \"none\", found null; a route that everyone may use says \"none\"")
            return nil
        case .bool, .number:
            report(.typeWrong, at: node, "expected a list of authenticators or \"none\", found \(node.value.phrase)")
            return nil
        }
    }

    private mutating func authenticators(_ node: LocatedNode?) -> [Located<String>] {
        guard filledList(node, of: "authenticators") != nil else { return [] }
        let names = strings(node, of: "authenticators")
        references += names.map { (.authenticator, $0) }
        return names
    }

    mutating func limitReferences(_ node: LocatedNode?) -> [Located<String>] {
        let names = strings(node, of: "limits")
        references += names.map { (.limit, $0) }
        if names.count > Self.limitsPerRoute, let node {
            report(
                .valueOutOfRange, at: node,
                "at most \(Self.limitsPerRoute) limits apply to one request, found \(names.count)")
        }
        return names
    }

    static let limitsPerRoute = 8
}
