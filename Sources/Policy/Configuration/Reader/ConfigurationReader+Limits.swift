import Core

extension ConfigurationReader {
    private static let counts = 1...1_000_000_000
    private static let periods: ClosedRange<Nanoseconds> = .milliseconds(1)...(.seconds(366 * 86_400))

    mutating func readLimits(_ node: LocatedNode?) {
        for entry in map(node, of: "limits by name") {
            guard checkName(entry.name, at: entry.namePosition, path: entry.node.path),
                let members = object(entry.node, .limit)
            else { continue }
            let kind = choice(members["kind"], of: LimitConfiguration.Kind.self) ?? .bucket
            let requests = integer(members["requests"], in: Self.counts)
            let per = duration(members["per"], in: Self.periods)
            let burst = integer(members["burst"], in: Self.counts)
            let parts = limitParts(members["by"])
            if let place = members["by"] { configuration.positions[place.path] = place.position }
            let mode = choice(members["mode"], of: RuleMode.self) ?? .enforce
            if kind == .window, let written = members["burst"] {
                report(
                    .membersExclusive, at: written,
                    "limits of the kind \"window\" have no \"burst\": at most \"requests\" pass in each window; "
                        + "leave it out, or use the kind \"bucket\"")
            }
            guard let requests, let per else { continue }
            configuration.limits[entry.name] = LimitConfiguration(
                kind: kind, requests: requests, per: per, burst: burst ?? requests, by: parts, mode: mode,
                position: members.position)
        }
    }

    private mutating func limitParts(_ node: LocatedNode?) -> [LimitConfiguration.Part] {
        guard let node else { return [.identity] }
        guard case .array = node.value else { return choice(node, of: LimitConfiguration.Part.self).map { [$0] } ?? [] }
        var parts: [LimitConfiguration.Part] = []
        for element in filledList(node, of: "parts") ?? [] {
            guard let part = choice(element, of: LimitConfiguration.Part.self) else { continue }
            if parts.contains(part) {
                report(.valueDuplicate, at: element, "\(quoted(part.rawValue)) stands in the list twice")
            } else {
                parts.append(part)
            }
        }
        return parts
    }

    mutating func readFailureBudget(_ node: LocatedNode?) {
        guard let node else { return }
        if case .string(let text) = node.value {
            if text == "off" {
                configuration.failureBudget = nil
            } else {
                report(.valueUnknown, at: node, "expected an object or \"off\", found \(quoted(text))")
            }
            return
        }
        if let budget = failureBudget(node) { configuration.failureBudget = budget }
    }

    mutating func failureBudget(_ node: LocatedNode) -> FailureBudgetConfiguration? {
        guard let members = object(node, .failureBudget) else { return nil }
        var budget = FailureBudgetConfiguration()
        budget.failures = integer(members["failures"], in: Self.counts) ?? budget.failures
        budget.per = duration(members["per"], in: Self.periods) ?? budget.per
        budget.burst = integer(members["burst"], in: Self.counts) ?? budget.failures
        return budget
    }

    mutating func rateHeaders(_ node: LocatedNode?) -> RateHeaderStyle? {
        guard let members = object(node, .rateHeaders) else { return nil }
        var style = RateHeaderStyle()
        if let families = list(members["headers"], of: "\"x\" and \"ietf\"") {
            style.families = []
            for element in families {
                guard let family = choice(element, of: RateHeaderStyle.Family.self) else { continue }
                if !style.families.insert(family).inserted {
                    report(.valueDuplicate, at: element, "\(quoted(family.rawValue)) stands in the list twice")
                }
            }
        }
        style.reset = choice(members["reset"], of: RateHeaderStyle.Reset.self) ?? style.reset
        style.keepsUpstream = boolean(members["keep_upstream"]) ?? style.keepsUpstream
        return style
    }
}
