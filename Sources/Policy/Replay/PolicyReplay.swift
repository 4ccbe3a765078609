package import Core

/// Logged requests put to two policies, in the order of the log. What follows from more than the log has is left aside, never
/// guessed: whatever a policy asks for and no log has is supposed one way and the other, and where that makes a difference
/// nothing is said.
package final class PolicyReplay {
    package enum Outcome: Sendable, Equatable {
        case unchanged
        case different(before: PolicyRehearsal.Reply, after: PolicyRehearsal.Reply)
        /// It cannot be told, and what it depends on.
        case leftAside(String)
    }

    /// Verdicts kept to be used for other requests that are alike.
    private static let verdictLimit = 500_000

    private enum Comparison {
        case verdicts(before: PolicyRehearsal.Verdict, after: PolicyRehearsal.Verdict)
        case leftAside(String)
    }

    private struct Key: Hashable {
        var facts: LoggedFacts
        /// Which of the key's times have come.
        var phase: [APIKeyFault?]
    }

    private let old: PolicyRehearsal
    private let new: PolicyRehearsal
    private let authenticators: AuthenticatorChanges
    private let (oldStanding, newStanding): (ReplayStanding, ReplayStanding)
    private var comparisons: [Key: Comparison] = [:]
    private var beginning: WallTime?

    package init(
        from old: PolicyRehearsal, _ oldText: PolicyDocument, to new: PolicyRehearsal, _ newText: PolicyDocument
    ) {
        self.old = old
        self.new = new
        authenticators = AuthenticatorChanges(from: oldText, to: newText)
        (oldStanding, newStanding) = (ReplayStanding(old), ReplayStanding(new))
    }

    /// What becomes of the log's next request.
    package func outcome(of facts: LoggedFacts, at time: WallTime) -> Outcome {
        let (before, after): (PolicyRehearsal.Verdict, PolicyRehearsal.Verdict)
        switch comparison(of: facts, at: time) {
        case .leftAside(let cause): return .leftAside(cause)
        case .verdicts(let first, let second): (before, after) = (first, second)
        }
        let start = beginning ?? time
        beginning = start
        let (elapsed, overflow) = time.nanoseconds.subtractingReportingOverflow(start.nanoseconds)
        let now = Instant(nanoseconds: .seconds(1_000_000)).advanced(by: overflow ? 0 : elapsed)
        let first = oldStanding.settle(before, at: now)
        let second = newStanding.settle(after, at: now)
        // Where the log begins in the middle, or several gateways wrote it, buckets were not as full as here.
        if !facts.isMet(exactlyBy: first) { return .leftAside("what was left in buckets, or of the failure budget") }
        return first == second ? .unchanged : .different(before: first, after: second)
    }

    private func comparison(of facts: LoggedFacts, at time: WallTime) -> Comparison {
        var phase: [APIKeyFault?] = []
        var credential = ReplayedCredential.none
        if let fingerprint = facts.fingerprint, !facts.isToken {
            // Who was not recognised may be known to the new policy.
            let known = old.key(fingerprint, id: facts.credential) ?? new.key(fingerprint, id: facts.credential)
            credential = .secret(known?.digest ?? ReplayedCredential.unknown(fingerprint), prefix: known?.prefix ?? "")
            if let known { phase = old.phase(of: known.digest, at: time) + [nil] + new.phase(of: known.digest, at: time) }
        }
        let key = Key(facts: facts, phase: phase)
        if let known = comparisons[key] { return known }
        let comparison = compare(facts, credential, at: time)
        if comparisons.count < Self.verdictLimit { comparisons[key] = comparison }
        return comparison
    }

    // MARK: One request

    private func compare(_ facts: LoggedFacts, _ known: ReplayedCredential, at time: WallTime) -> Comparison {
        if let cause = unknowable(facts) { return .leftAside(cause) }
        var credential = known
        var authenticator: String?
        if facts.isToken {
            let route = old.route(named: facts.route)
            let all = old.tokenAuthenticators(of: route)
            guard all.count == 1, let token = PolicyTestConfiguration.Token(facts, for: all[0]) else {
                return .leftAside("the claims of the token")
            }
            credential = .token(all[0], token)
            authenticator = old.tokenAuthenticatorNames(of: route).first
        }
        let routes = (old.routes(for: facts).map { ($0, old.snapshot.configuration.routes[$0.index]) })
            + (new.routes(for: facts).map { ($0, new.snapshot.configuration.routes[$0.index]) })
        let variations = Variations(of: facts, routes, ownFields: facts.ownFields).all
        guard let (supposition, before) = old.supposition(for: facts, credential, variations, at: time) else {
            return .leftAside("more than the log has: the old policy answers otherwise")
        }
        let after = new.verdict(on: facts, credential, supposing: supposition, at: time)
        for variation in variations {
            var other = supposition
            variation.apply(&other)
            if other == supposition { continue }
            let otherAfter = new.verdict(on: facts, credential, supposing: other, at: time)
            if otherAfter.reply == after.reply { continue }
            let otherBefore = old.verdict(on: facts, credential, supposing: other, at: time)
            if facts.isMet(by: otherBefore.reply) { return .leftAside(variation.cause) }
        }
        if let cause = unsure(facts, before, after, authenticator) { return .leftAside(cause) }
        return .verdicts(before: before, after: after)
    }

    /// What stands against replaying a record at all.
    private func unknowable(_ facts: LoggedFacts) -> String? {
        if facts.authentication == "certificate" { return "what the client certificate says" }
        if facts.reason == Denial.tooManyFailures.reason || facts.reason == Denial.credentialAmbiguous.reason {
            return "the credential, which was not looked at"
        }
        let (before, after) = (old.snapshot, new.snapshot)
        // Without it an answered preflight and an ordinary OPTIONS request look alike.
        if facts.method == "OPTIONS", before.usesCORS || after.usesCORS { return "the origin that a preflight names" }
        let isTrusted = before.clientAddress.trusts(facts.peer) || after.clientAddress.trusts(facts.peer)
        if isTrusted, before.configuration.trustedProxies != after.configuration.trustedProxies
            || before.configuration.forwardedFields != after.configuration.forwardedFields
        {
            return "the forwarding headers of a proxy"
        }
        return nil
    }

    /// What the new policy's verdict rests on that no log has, beyond what can be supposed.
    private func unsure(
        _ facts: LoggedFacts, _ before: PolicyRehearsal.Verdict, _ after: PolicyRehearsal.Verdict, _ authenticator: String?
    ) -> String? {
        let (route, other) = (old.route(named: before.reply.route), new.route(named: after.reply.route))
        if facts.fingerprint != nil, !facts.isToken, authenticators.havePepperChanged { return "the credential: the pepper is another" }
        guard facts.isToken, let authenticator, after.step.map({ $0 > .credential }) ?? true else { return nil }
        let names = new.tokenAuthenticatorNames(of: other)
        if names.isEmpty { return nil }
        if !names.contains(authenticator) || authenticators.differ(authenticator) { return "the claims of the token" }
        guard after.step.map({ $0 >= .authorization }) ?? true else { return nil }
        return old.claimRules(of: route) == new.claimRules(of: other) ? nil : "the claims of the token"
    }
}

extension PolicyRehearsal {
    /// What a route asks of claims and memberships, as it is written.
    fileprivate func claimRules(of route: Route?) -> [[String?]] {
        guard let route else { return [] }
        let rule = snapshot.configuration.routes[route.index].authorization
        let membership = rule.membership.map { [$0.organization.value, $0.project?.value] + $0.roles.map(Optional.some) }
        return rule.claims.map { [$0.pointer.value, $0.template.value] } + [membership ?? []]
    }

    /// A supposition under which this policy says what the log says, and its verdict; nil where there is none.
    func supposition(
        for facts: LoggedFacts, _ credential: ReplayedCredential, _ variations: [Variation], at time: WallTime
    ) -> (Supposition, Verdict)? {
        var plain = Supposition()
        plain.contentBytes = facts.contentBytes > 0 && facts.contentBytes < .max ? facts.contentBytes : nil
        if let route = route(named: facts.route) {
            let configuration = snapshot.configuration.routes[route.index]
            // What was let in by a route had what the route asks for.
            plain.fields = Variations.fields(configuration, but: facts.ownFields)
            plain.accept = configuration.accept.first { $0 != "*/*" }
            if plain.contentBytes != nil { plain.contentType = configuration.takenContentTypes.first }
            if facts.isToken { plain.scopes = configuration.authorization.scopes }
        }
        let first = verdict(on: facts, credential, supposing: plain, at: time)
        if facts.isMet(by: first.reply) { return (plain, first) }
        for variation in variations {
            var other = plain
            variation.apply(&other)
            let found = verdict(on: facts, credential, supposing: other, at: time)
            if facts.isMet(by: found.reply) { return (other, found) }
        }
        return nil
    }
}

extension LoggedFacts {
    /// Fields that are known by the record, in lower case.
    var ownFields: [String] {
        guard let source else { return ["host"] }
        if source == "bearer" { return ["host", "authorization"] }
        return ["host", source.hasPrefix("header:") ? String(source.dropFirst("header:".count)) : "cookie"]
    }

    /// The same as `isMet(by:)`, with what was counted.
    fileprivate func isMet(exactlyBy reply: PolicyRehearsal.Reply) -> Bool {
        let isLimited = reason == Denial.rateLimited.reason
        return isLimited ? reply.reason == reason && reply.route == route : isMet(by: reply)
    }
}

/// Which authenticators two policies understand differently.
struct AuthenticatorChanges {
    private let old: JSONNode
    private let new: JSONNode

    init(from old: PolicyDocument, to new: PolicyDocument) {
        self.old = old.root
        self.new = new.root
    }

    /// The authenticator of tokens, or the key set it takes keys from, is not the same in both.
    func differ(_ name: String) -> Bool {
        let (before, after) = (old["authenticators"]?[name], new["authenticators"]?[name])
        guard let before, let after, before.isSame(as: after) else { return true }
        // Without a key set of its own name it is the issuer's, which the authenticator says.
        guard case .string(let keys)? = before["key_set"]?.value else { return false }
        guard let first = old["key_sets"]?[keys], let second = new["key_sets"]?[keys] else { return true }
        return !first.isSame(as: second)
    }

    /// Some authenticator makes digests by another secret.
    var havePepperChanged: Bool {
        guard case .object(let members)? = new["authenticators"]?.value else { return false }
        return members.contains { member in
            guard let before = old["authenticators"]?[member.name] else { return false }
            switch (before["pepper"], member.node["pepper"]) {
            case (nil, nil): return false
            case (let a?, let b?): return !a.isSame(as: b)
            case (nil, _?), (_?, nil): return true
            }
        }
    }
}
