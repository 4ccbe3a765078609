import Core

/// Whether the caller may, and how often.
extension ExplanationWriter {
    func authorizationChecks() -> [Check] {
        guard let route, let identity, let original else { return [] }
        var checks = routeAddressChecks(route) + identities.flatMap(addressChecks)
        let rules = rules(of: route)
        for (index, scope) in rules.scopes.enumerated() {
            let rule = document.authorizeRule(route.index, rules, "scopes", .element(index))
            let asked = identities.count > 1 ? identities.filter(\.isAskedForScopes) : [identity]
            for one in asked { checks.append(verdict(one.hasScope(scope), "scope \(quoted(scope))\(owner(one))", rule)) }
            if asked.isEmpty { checks.append(fail("scope \(quoted(scope)): no credential has scopes", rule)) }
        }
        checks += lockChecks(route)
        checks += contentChecks(route, original)
        checks += templateChecks(route, identity, original)
        if let check = realmCheck(route, original) { checks.append(check) }
        if failing == .authorization, !checks.contains(where: { $0.verdict == .failed }) {
            checks.append(fail(denialText, document.authorizeRule(route.index, rules)))
        } else if checks.isEmpty {
            checks.append(note("the route asks for nothing more", rule(of: route)))
        }
        return checks
    }

    private func rules(of route: Route) -> RouteConfiguration.Authorization {
        snapshot.configuration.routes[route.index].authorization
    }

    /// Realm locks of several credentials.
    private func lockChecks(_ route: Route) -> [Check] {
        guard identities.count > 1, let first = identities.first else { return [] }
        do throws(Denial) { _ = try Identity.lockedRealm(of: first, Array(identities.dropFirst())) } catch {
            let locks = identities.compactMap { one in one.lockedRealm.map { "\(quoted($0))\(owner(one))" } }
            return [
                fail(
                    "\(error.reason): the realms differ: \(locks.joined(separator: ", "))",
                    document.rule("routes", .element(route.index), "authenticate"))
            ]
        }
        return []
    }

    private func routeAddressChecks(_ route: Route) -> [Check] {
        var checks: [Check] = []
        if let allowed = route.authorization.allowed {
            let rule = document.authorizeRule(route.index, rules(of: route), "allow_ips")
            checks.append(verdict(allowed.contains(context.client), "\(context.client) is in the route's allow_ips", rule))
        }
        if let denied = route.authorization.denied {
            let rule = document.authorizeRule(route.index, rules(of: route), "deny_ips")
            checks.append(verdict(!denied.contains(context.client), "\(context.client) is not in the route's deny_ips", rule))
        }
        return checks
    }

    private func addressChecks(_ identity: Identity) -> [Check] {
        var checks: [Check] = []
        let isAdmitted = identity.admits(context.client)
        switch identity {
        case .anonymous: break
        case .apiKey(let record, let authenticator):
            if authenticator.table.addresses(of: record) == nil { break }
            let id = Self.string { _ = identity.appendCredential(to: &$0) }
            let text = "\(context.client) is in the key's allow_ips\(owner(identity))"
            checks.append(verdict(isAdmitted, text, keyRule(id, authenticator.name)))
        case .token(let token):
            if token.addresses == nil, isAdmitted { break }
            let rule = document.rule("authenticators", .member(token.authenticator), "addresses_claim")
            checks.append(verdict(isAdmitted, "\(context.client) is among the token's addresses\(owner(identity))", rule))
        case .certificate(let certificate):
            if certificate.addresses == nil { break }
            let rule = document.rule("authenticators", .member(certificate.authenticator), "certificates")
            checks.append(verdict(isAdmitted, "\(context.client) is in the certificate's allow_ips\(owner(identity))", rule))
        }
        return checks
    }

    /// What the client accepts and sends.
    private func contentChecks(_ route: Route, _ head: RequestHead) -> [Check] {
        var checks: [Check] = []
        let configuration = snapshot.configuration.routes[route.index]
        if let rule = route.accept {
            let text = "the client accepts \(Self.list(configuration.accept))"
            checks.append(
                verdict(rule.isAccepted(by: head), text, document.rule("routes", .element(route.index), "accept")))
        }
        if let rule = route.contentTypes {
            let text = "the content, if any, is \(Self.list(configuration.contentTypes))"
            checks.append(
                verdict(rule.takesContent(of: head), text, document.rule("routes", .element(route.index), "content_types")))
        }
        if route.readsContent, head.announcesContent {
            let text = "the content, which is read before it goes on, is JSON\(route.content?.takesForms ?? true ? " or a form" : "")"
            let member = route.content == nil ? "realm" : "request_body"
            let rule = document.rule("routes", .element(route.index), .member(member))
            checks.append(verdict(snapshot.unreadableContent(of: head, route) == nil, text, rule))
        }
        return checks
    }

    /// Each claim by itself and the membership, by the rules that judge them.
    private func templateChecks(_ route: Route, _ identity: Identity, _ head: RequestHead) -> [Check] {
        guard route.authorization.usesTemplates else { return [] }
        var path: [UInt8] = []
        let bytes = head.bytes
        let received = bytes.span.extracting(head.path.range)
        if case .unchanged = snapshot.normaliser.normalise(received, into: &path) { path = received.copied() }
        let source = TemplateSource(
            identity: identity, client: context.client, route: route.name, certificate: connection.clientCertificate,
            user: route.usesUser ? trial.memory.view.directory.user(behind: identity) : nil)
        if identities.count < 2 {
            return claimChecks(route, source, identity, path.span) + membershipChecks(route, source, identity, source.user, path.span)
        }
        let users = identities.map { route.usesUser ? trial.memory.view.directory.user(behind: $0) : nil }
        let tokens = identities.filter { $0.token != nil }
        var checks = (tokens.isEmpty ? [identity] : tokens).flatMap { claimChecks(route, source, $0, path.span) }
        for (one, user) in zip(identities, users) where one.isAskedForMembership(user) {
            checks += membershipChecks(route, source, one, user, path.span)
        }
        return checks
    }

    private func claimChecks(_ route: Route, _ source: TemplateSource, _ identity: Identity, _ path: Span<UInt8>) -> [Check] {
        let written = rules(of: route).claims
        return zip(route.authorization.claims, written).map { claim, text in
            var one = Authorization()
            one.claims = [claim]
            var scratch: [UInt8] = []
            let isMet = one.claimDenial(for: source, claimedBy: identity, path: path, scratch: &scratch) == nil
            let pointer = text.pointer.value
            var wanted: [UInt8] = []
            let none: [UInt8] = []
            _ = claim.template.render(source, path: path, requestID: none.span, form: .exact, to: &wanted)
            let found = identity.claim(claim.pointer).map { node in
                Self.string { $0.append(json: mask.claims(node, at: claim.pointer.names)) }
            }
            return verdict(
                isMet,
                "claim \(pointer)\(owner(identity)) is \(quoted(String(decoding: wanted, as: UTF8.self))); "
                    + "the credential says \(found ?? "nothing")",
                document.authorizeRule(route.index, rules(of: route), "claims", .member(pointer)))
        }
    }

    private func membershipChecks(
        _ route: Route, _ source: TemplateSource, _ identity: Identity, _ user: DirectoryUser?, _ path: Span<UInt8>
    ) -> [Check] {
        guard let membership = route.authorization.membership else { return [] }
        let rule = document.authorizeRule(route.index, rules(of: route), "membership")
        var scratch: [UInt8] = []
        let isMet = route.authorization.membershipDenial(of: user, for: source, path: path, scratch: &scratch) == nil
        let none: [UInt8] = []
        func slug(_ template: ValueTemplate) -> String {
            Self.string { _ = template.render(source, path: path, requestID: none.span, form: .exact, to: &$0) }
        }
        var place = "the organisation \(quoted(slug(membership.organization)))"
        if let project = membership.project { place = "the project \(quoted(slug(project))) of \(place)" }
        let roles = membership.roles.isEmpty ? "" : ", as \(Self.list(membership.roles))"
        let person =
            switch user {
            case nil: "no user of the store stands behind the credential"
            case let user? where !user.isEnabled: "the user \(quoted(user.id)) is disabled"
            case let user?: "the user is \(quoted(user.id))"
            }
        return [verdict(isMet, "a member of \(place)\(roles); \(person)\(owner(identity))", rule)]
    }

    private func realmCheck(_ route: Route, _ head: RequestHead) -> Check? {
        guard let rule = route.realm else { return nil }
        let place = document.rule("routes", .element(route.index), "realm")
        var head = head
        do throws(Denial) {
            let lock = try identities.first.flatMap { (first) throws(Denial) in
                try Identity.lockedRealm(of: first, Array(identities.dropFirst()))
            }
            let named = try snapshot.realm(by: rule, &head, route, lock: lock, trial.memory)
            let realm = try snapshot.settled(named, head, route)
            let lockText = named.lock.map { "; the key is locked to \(quoted($0))" } ?? ""
            return pass("realm \(realm.map(quoted) ?? "none named")\(lockText)", place)
        } catch {
            return fail("\(error.reason): \(error.detail)", place)
        }
    }

    // MARK: Limits

    func limitChecks() -> [Check] {
        guard let (caller, route, _) = outcome.counted(by: trial.memory) else { return [] }
        if caller.limits.isEmpty { return [note("none applies", rule(of: route))] }
        let rate = outcome.grant?.rate ?? outcome.refusal?.rate
        return caller.limits.indices.map { index in
            let limit = caller.limits[index]
            let rule = document.rule("limits", .member(limit.name))
            guard let measure = rate?[index] else { return fail("\(limit.name): \(denialText)", rule) }
            let size = "\(limit.rule.sizeText)\(owner(caller.payer(index)))"
            if measure.isRefused {
                let wait = measure.resetAfter.secondsRoundedUp
                return fail("\(limit.name) (\(size)): \(limit.rule.refusalText(wait))", rule)
            }
            let taken = failing == nil || (failing ?? .limits) > .limits ? 1 : 0
            return pass(
                "\(limit.name) (\(size)): \(measure.remaining + taken) left before, \(measure.remaining) after", rule)
        }
    }

    // MARK: What goes on

    func forwardingChecks() -> [Check] {
        guard let route else { return [] }
        if failing == .forwarding {
            let isCredential = outcome.refusal?.denial == .upstreamCredentialMissing
            let rule = document.rule("routes", .element(route.index), .member(isCredential ? "stored_credential" : "body_bytes"))
            return [fail(isCredential ? denialText + credentialFault(of: route) : denialText, rule)]
        }
        if case .performed = outcome { return inheritanceChecks(of: route) }
        guard case .forwarded = outcome, let original else { return [] }
        var checks: [Check] = []
        if let credential = route.storedCredential {
            let kept = credential.refresh == nil ? "" : "; what is kept of the user is not looked at"
            let rule = document.rule("routes", .element(route.index), "stored_credential")
            checks.append(note("the stored credential \(credential.name) is what the token brings\(kept)", rule))
        }
        if let path = snapshot.configuration.routes[route.index].upstreamPath {
            checks.append(note("the path goes on as \(path.value)", document.rule("routes", .element(route.index), "upstream_path")))
        }
        checks += contentChanges(route)
        let sent = trial.head
        for index in sent.fields.indices where sent.fields[index].isDropped {
            let name = String(decoding: original.bytes[sent.fields[index].name.range], as: UTF8.self)
            checks.append(note("\(name) of the client is left out"))
        }
        trial.plan.lines.forEach { name, value in
            let line = (String(decoding: name.copied(), as: UTF8.self), String(decoding: value.copied(), as: UTF8.self))
            let rule = document.rule(
                "routes", .element(route.index), "request_headers", "set", .member(line.0))
            let isOfRoute = document.has("routes", .element(route.index), "request_headers", "set", .member(line.0))
            checks.append(note("\(line.0): \(mask.value(line.1, of: line.0)) is put in", isOfRoute ? rule : nil))
        }
        return checks
    }

    /// Where the terms of tokens are written, for an action that is like another one.
    private func inheritanceChecks(of route: Route) -> [Check] {
        for kind in ["refresh_token", "mint_token"] {
            guard let base = document.base(of: kind, ofRoute: route.index) else { continue }
            let rule = document.rule("routes", .element(base.route), "action", .member(base.kind.rawValue))
            let name = snapshot.routes[base.route].name
            return [note("what \(kind) does not say itself is as of the route \(quoted(name))", rule)]
        }
        return []
    }

    /// What is wrong with the credential that the token brings, without anything of it; empty where nothing is.
    private func credentialFault(of route: Route) -> String {
        guard let rule = route.storedCredential, let token = outcome.refusal?.identity.token else { return "" }
        do throws(CredentialDocumentFault) {
            return try rule.brought(by: token, now: now) == nil ? " (the token has no such claim)" : ""
        } catch {
            return " (what the token brings is unusable: \(error.message))"
        }
    }

    /// What is set and removed in the content; the values are not shown.
    private func contentChanges(_ route: Route) -> [Check] {
        guard route.content != nil, let original else { return [] }
        let configuration = snapshot.configuration.routes[route.index]
        let rule = document.rule("routes", .element(route.index), "request_body")
        guard original.announcesContent || Snapshot.hasEmptyContent(original, route) else {
            return [note("the request has no content to change", rule)]
        }
        return configuration.setContentMembers.map { note("\($0.name) is set in the content", rule) }
            + configuration.removedContentMembers.map { note("\($0) is left out of the content", rule) }
    }

    func upstreamChecks() -> [Check] {
        guard let route else { return [] }
        if case .performed = outcome { return [] }
        let rule = document.rule("upstreams", .member(route.upstreamName))
        guard let upstream = snapshot.configuration.upstreams[route.upstreamName] else { return [] }
        let servers = upstream.servers.map { "\(upstream.scheme.rawValue)://\($0.value.host):\($0.value.port)" }
        return [
            note("\(quoted(route.upstreamName)), one of \(servers.joined(separator: ", "))", rule)
        ]
    }

    // MARK: Messages

    func forwarded(by grant: Grant) -> Explanation.Message {
        let method = original.map { String(decoding: $0.bytes[$0.methodRange.range], as: UTF8.self) } ?? ""
        let target = mask.target(String(decoding: trial.plan.target, as: UTF8.self), of: grant.route)
        return Explanation.Message(
            start: "\(method) \(target)",
            fields: trial.forwardedFields().map { ($0.name, mask.value($0.value, of: $0.name)) }, body: "")
    }

    func answer() -> Explanation.Message {
        var start = ""
        if case .noConnection = outcome { return Explanation.Message(start: "", fields: [], body: "") }
        if outcome.grant == nil { start = "\(trial.answer.status) \(ReasonPhrase.standard(for: trial.answer.status))" }
        return Explanation.Message(
            start: start, fields: trial.answerFields(of: outcome, now: now),
            body: outcome.grant == nil ? String(decoding: trial.answer.body, as: UTF8.self) : "")
    }
}

extension LimitRule {
    /// How many requests pass.
    fileprivate var sizeText: String {
        switch self {
        case .bucket(let rule): "\(rule.burst) at once"
        case .window(let rule): "\(rule.requests) in a window of \(ConfigurationReader.text(of: rule.per))"
        }
    }

    /// Why none passes, and until when.
    fileprivate func refusalText(_ seconds: Int64) -> String {
        switch self {
        case .bucket: "empty; the next token comes in \(seconds) s"
        case .window: "used up; the window ends in \(seconds) s"
        }
    }
}
