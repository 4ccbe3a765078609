package import Policy

/// How often rules in shadow mode would have refused a request, and whose. Bounded by the rules and reasons of the policy.
package struct ShadowCounts: Sendable {
    package struct Rule: Sendable, Hashable {
        package var route: String
        /// As `ShadowRefusal.rule`.
        package var rule: String
        package var reason: String
    }

    package struct Count: Sendable {
        package var requests: UInt64 = 0
        package var credentials = BusiestNames()
    }

    package private(set) var counts: [Rule: Count] = [:]

    package init() {}

    package var isEmpty: Bool { counts.isEmpty }

    /// In the order of their names.
    package var sorted: [(rule: Rule, count: Count)] {
        counts.map { (rule: $0.key, count: $0.value) }
            .sorted { ($0.rule.route, $0.rule.rule, $0.rule.reason) < ($1.rule.route, $1.rule.rule, $1.rule.reason) }
    }

    /// Counts what would have become of a request that was let through.
    package mutating func count(_ grant: Grant) {
        let caller = CallerName.of(grant.identity, fingerprint: grant.fingerprint, client: grant.client)
        for refusal in grant.shadowRefusals {
            let rule = Rule(route: grant.route.name, rule: refusal.rule, reason: refusal.denial.reason)
            counts[rule, default: Count()].requests &+= 1
            counts[rule, default: Count()].credentials.add(caller)
        }
    }

    /// Forgets rules of routes that the policy no longer names.
    package mutating func keepRoutes(_ names: [String]) {
        if counts.isEmpty { return }
        let names = Set(names)
        counts = counts.filter { names.contains($0.key.route) }
    }

    package mutating func merge(_ other: ShadowCounts) {
        for (rule, count) in other.counts {
            counts[rule, default: Count()].requests &+= count.requests
            counts[rule, default: Count()].credentials.merge(count.credentials)
        }
    }
}
