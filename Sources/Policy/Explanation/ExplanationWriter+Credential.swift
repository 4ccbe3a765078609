import Core

/// What was shown, and who it stands for.
extension ExplanationWriter {
    func credentialChecks() -> [Check] {
        guard let route, var head = original else { return [] }
        let rule = document.rule("routes", .element(route.index), "authenticate")
        if route.credentials.isOpen { return [note("the route asks for none", rule)] + forwardedAuthorization(head, route) }
        var checks: [Check] = []
        for (index, group) in route.credentials.groups.enumerated() {
            if route.credentials.groups.count > 1 { checks.append(note("credential \(index + 1) of \(route.credentials.groups.count):")) }
            for probe in group {
                let (check, isShown) = credentialCheck(probe, &head, rule)
                checks.append(check)
                if isShown { break }
            }
        }
        if failing == .credential {
            checks.append(fail(denialText, rule))
        } else if route.credentials.isOptional, identity?.isAnonymous ?? false {
            checks.append(note("none is needed here", rule))
        }
        if let fingerprint = outcome.grant?.fingerprint ?? outcome.refusal?.fingerprint {
            checks.append(note("its SHA-256 begins with \(Self.hex(fingerprint))"))
        }
        return checks + forwardedAuthorization(head, route)
    }

    /// What becomes of an `Authorization` field of a request that goes on.
    private func forwardedAuthorization(_ head: RequestHead, _ route: Route) -> [Check] {
        guard outcome.grant != nil else { return [] }
        return head.fields.filter { $0.known == .authorization }.map { field in
            if route.request.dropsAuthorization(field.value.range, of: head) {
                return note("Authorization is removed before the request goes on")
            }
            let isJudged = route.credentials.judges(authorization: field.value.range, of: head)
            return note(
                isJudged
                    ? "Authorization goes on to the upstream: the route has keep_credentials"
                    : "Authorization goes on to the upstream: no authenticator of the route takes it")
        }
    }

    /// What stands in one place, and whose word on it counts.
    private func credentialCheck(
        _ probe: CredentialPlan.Probe, _ head: inout RequestHead, _ rule: RuleReference
    ) -> (Check, isShown: Bool) {
        let place = Self.text(of: probe.place)
        if probe.place.kind == .certificate {
            guard let certificate = connection.clientCertificate else { return (note("\(place): not shown"), false) }
            return (pass("\(place): \(quoted(certificate.subject))", rule), true)
        }
        var scratch: [UInt8] = []
        let judge: CredentialPlan.Judge?
        var isForeign = false
        let count: Int
        switch probe.find(in: &head, scratch: &scratch) {
        case .absent: return (note("\(place): not shown"), false)
        case .otherScheme: return (note("\(place): not shown, Authorization has another scheme"), false)
        case .refused(let denial): return (fail("\(place): \(denial.detail)", rule), true)
        case .inHead(let range):
            let value = Array(head.bytes[range])
            judge = probe.judge(of: value.span)
            isForeign = probe.isForeign(bearer: value.span)
            count = value.count
        case .decoded:
            judge = probe.judge(of: scratch.span)
            count = scratch.count
        }
        guard let judge else {
            return (note("\(place): \(count) bytes, of no prefix that is looked for"), !isForeign)
        }
        let names = judge.keys.map(\.name) + (judge.tokens?.verifiers.map(\.name) ?? [])
        return (pass("\(place): \(count) bytes, for \(names.joined(separator: " or "))", rule), true)
    }

    private static func text(of place: CredentialPlace) -> String {
        let name = String(decoding: place.name, as: UTF8.self)
        return switch place.kind {
        case .header: "header \(name)"
        case .bearer: "bearer token"
        case .query: "query parameter \(name)"
        case .cookie: "cookie \(name)"
        case .certificate: "client certificate"
        }
    }

    // MARK: Identity

    /// Who was recognised; nil before that step.
    var identity: Identity? { outcome.grant?.identity ?? outcome.refusal?.identity }

    func identityChecks() -> [Check] {
        guard let route else { return [] }
        if failing == .identity { return refusedCredential(route) }
        guard let identity else { return [] }
        return identities.flatMap { checks(of: $0) } + (identities.isEmpty ? checks(of: identity) : [])
    }

    /// Who each credential stands for, in the order the route asks for them; empty for an anonymous caller.
    var identities: [Identity] {
        guard let identity, !identity.isAnonymous else { return [] }
        return [identity] + (outcome.grant?.others ?? outcome.refusal?.others ?? [])
    }

    /// What tells this credential from the others in a check; empty where it is the only one.
    func owner(_ identity: Identity) -> String {
        guard identities.count > 1 else { return "" }
        let id = Self.string { if !identity.appendCredential(to: &$0) { _ = identity.appendSubject(to: &$0) } }
        return switch identity {
        case .anonymous: ""
        case .apiKey: " of the key \(quoted(id))"
        case .token(let token): " of the token of \(token.authenticator)"
        case .certificate: " of the certificate \(quoted(id))"
        }
    }

    private func checks(of identity: Identity) -> [Check] {
        switch identity {
        case .anonymous: return [note("nobody in particular")]
        case .apiKey(let record, let authenticator): return keyChecks(record, authenticator, identity)
        case .token(let token): return tokenChecks(token, identity)
        case .certificate(let certificate):
            return [
                pass(
                    "\(quoted(certificate.subject)) by certificate",
                    document.rule("authenticators", .member(certificate.authenticator))),
                scopes(of: identity),
            ]
        }
    }

    private func keyChecks(
        _ record: APIKeyTable.Record, _ authenticator: KeyAuthenticator, _ identity: Identity
    ) -> [Check] {
        var checks: [Check] = []
        let id = Self.string { _ = identity.appendCredential(to: &$0) }
        let subject = Self.string { _ = identity.appendSubject(to: &$0) }
        checks.append(pass("key \(quoted(id)) of \(authenticator.name), subject \(quoted(subject))", keyRule(id, authenticator.name)))
        if let end = authenticator.table.expiry(of: record) { checks.append(note("good until \(Self.text(of: end))")) }
        checks.append(scopes(of: identity))
        return checks
    }

    /// Where a key stands: its record, or the file its record is in.
    func keyRule(_ id: String, _ authenticator: String) -> RuleReference {
        if let index = document.index(
            in: "authenticators", .member(authenticator), "keys", where: "id", is: id)
        {
            return document.rule("authenticators", .member(authenticator), "keys", .element(index))
        }
        return document.rule("authenticators", .member(authenticator), "keys_file")
    }

    private func tokenChecks(_ token: VerifiedToken, _ identity: Identity) -> [Check] {
        var claims: [UInt8] = []
        claims.append(json: mask.claims(token.claims))
        return [
            pass(
                "token of \(token.authenticator), subject \(token.subject.map(quoted) ?? "none")",
                document.rule("authenticators", .member(token.authenticator))),
            note("claims \(String(decoding: claims, as: UTF8.self))"),
            scopes(of: identity),
        ]
    }

    private func scopes(of identity: Identity) -> Check {
        let scopes = Self.string { _ = identity.appendScopes(.exact, to: &$0) }
        return note(scopes.isEmpty ? "no scopes" : "scopes \(scopes)")
    }

    /// A credential that was shown and bad: what can be said of it without believing it.
    private func refusedCredential(_ route: Route) -> [Check] {
        if let check = knownKey(route) { return [check] }
        var place = ""
        if route.credentials.groups.count > 1, let shown = outcome.refusal?.credentialPlace, !shown.isEmpty {
            place = "\(String(decoding: shown, as: UTF8.self)): "
        }
        var checks = [fail(place + denialText, document.rule("routes", .element(route.index), "authenticate"))]
        guard case .token = outcome.refusal?.denial, var head = original else { return checks }
        for probe in refusedProbes(route) {
            var scratch: [UInt8] = []
            switch probe.find(in: &head, scratch: &scratch) {
            case .absent, .refused, .otherScheme: continue
            case .inHead(let range): scratch = Array(head.bytes[range])
            case .decoded: break
            }
            guard let token = try? CompactToken(scratch.span) else { continue }
            var claims: [UInt8] = []
            claims.append(json: mask.claims(token.claims))
            checks.append(
                note("header says alg \(token.header.algorithm.rawValue), kid \(token.header.kid.map(quoted) ?? "none")"))
            checks.append(note("claims, not believed: \(String(decoding: claims, as: UTF8.self))"))
            for verifier in probe.judges.compactMap(\.tokens).flatMap(\.verifiers) {
                let issuers = verifier.issuers.isEmpty ? "any issuer" : verifier.issuers.map(quoted).joined(separator: ", ")
                checks.append(
                    note("\(verifier.name) takes tokens of \(issuers)", document.rule("authenticators", .member(verifier.name))))
            }
            break
        }
        return checks
    }

    /// Where the refused credential was shown; every place where that is not known.
    func refusedProbes(_ route: Route) -> [CredentialPlan.Probe] {
        guard let refusal = outcome.refusal, let probe = route.credentials.probe(refusal.shown) else {
            return route.credentials.groups.flatMap { $0 }
        }
        return [probe]
    }

    // MARK: Text

    static func string(_ write: (inout [UInt8]) -> Void) -> String {
        var bytes: [UInt8] = []
        write(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    static func text(of time: WallTime) -> String { string { $0.append(rfc3339: time) } }

    static func hex(_ word: UInt32) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
