import Core

/// The route that was chosen, and those that nearly were.
extension ExplanationWriter {
    /// Other routes that are told of.
    private static let nearRouteLimit = 5

    /// Routes this far away, and farther, are not told of.
    private static let farAway = 4

    /// Why a route does not fit a request.
    private struct Misfit {
        var index: Int
        /// One sentence part for each thing that does not fit; empty for a route that would fit alone.
        var reasons: [String]
        /// Smaller is nearer.
        var distance: Int
        var rule: RuleReference
    }

    func routeChecks() -> [Check] {
        var checks: [Check] = []
        let misfits = nearMisses()
        if let preflight {
            let request = preflight.route.map { "would be taken by \(quoted($0.name)) for \($0.pattern)" } ?? "would be taken by no route"
            let rule = preflight.route.map { document.rule("routes", .element($0.index), "match") }
            checks.append(note("a preflight of another origin's page: the request it asks about \(request)", rule))
            return checks
        } else if let route {
            let text = "\(quoted(route.name)) for \(route.pattern)"
            if failing == .route {
                let rule = document.rule("routes", .element(route.index), "action")
                checks.append(fail("\(text) \(unserved(by: route))", rule))
            } else {
                checks.append(pass(text, document.rule("routes", .element(route.index), "match")))
            }
        } else if failing == .route {
            // What to change is most likely what nearly fits.
            checks.append(fail(denialText, misfits.first?.rule ?? document.rule("routes")))
        } else if case .answered = outcome {
            checks.append(note("asked of the gateway itself: no route is chosen"))
        }
        for misfit in misfits {
            let name = quoted(snapshot.routes[misfit.index].name)
            let reasons =
                misfit.reasons.isEmpty
                ? "fits too, and \(route.map { quoted($0.name) } ?? "another") is more specific"
                : misfit.reasons.joined(separator: "; ")
            checks.append(note("not \(name): \(reasons)", misfit.rule))
        }
        return checks
    }

    /// What a route whose action refuses a path or a method has to say to it.
    private func unserved(by route: Route) -> String {
        if let allow = outcome.refusal?.allow {
            return "takes \(String(decoding: allow, as: UTF8.self)) here"
        }
        guard let paths = route.managedPaths else { return "answers that nothing is served" }
        return "serves \(paths.served.joined(separator: ", ")), and nothing else"
    }

    /// The routes that miss least, the nearest first; those of which nothing fits are left out.
    private func nearMisses() -> [Misfit] {
        guard let original else { return [] }
        var path: [UInt8] = []
        let bytes = original.bytes
        switch snapshot.normaliser.normalise(bytes.span.extracting(original.path.range), into: &path) {
        case .unchanged: path = Array(bytes[original.path.range])
        case .rewritten: break
        case .refused: return []
        }
        var misfits: [Misfit] = []
        for (index, configuration) in snapshot.configuration.routes.enumerated() where index != route?.index {
            let misfit = misfit(of: configuration, at: index, original, String(decoding: path, as: UTF8.self))
            if misfit.distance < Self.farAway { misfits.append(misfit) }
        }
        misfits.sort { ($0.distance, $0.index) < ($1.distance, $1.index) }
        return Array(misfits.prefix(Self.nearRouteLimit))
    }

    private func misfit(
        of configuration: RouteConfiguration, at index: Int, _ head: RequestHead, _ path: String
    ) -> Misfit {
        var misfit = Misfit(
            index: index, reasons: [], distance: 0, rule: document.rule("routes", .element(index), "match"))
        if let reason = pathMisfit(configuration.path.value, path, &misfit.distance) {
            misfit.reasons.append(reason)
            misfit.rule = document.rule("routes", .element(index), "match", "path")
        }
        let authority = String(decoding: head.bytes[head.authority.range], as: UTF8.self)
        let host = Self.host(of: authority)
        if !configuration.hosts.isEmpty, !configuration.hosts.contains(where: { Self.host(host, fits: $0) }) {
            misfit.reasons.append("the host \(quoted(host)) is not \(Self.list(configuration.hosts))")
            misfit.distance += 1
            misfit.rule = document.rule("routes", .element(index), "match", "hosts")
        }
        let conditions = snapshot.table.conditions[index]
        if !conditions.methodFits(head) {
            let method = String(decoding: head.bytes[head.methodRange.range], as: UTF8.self)
            misfit.reasons.append("the method \(method) is not \(configuration.methods.joined(separator: ", "))")
            misfit.distance += 1
            misfit.rule = document.rule("routes", .element(index), "match", "methods")
        }
        if !conditions.headersFit(head) {
            let names = configuration.headers.map { $0.value == nil ? $0.name : "\($0.name): \($0.value ?? "")" }
            misfit.reasons.append("the header \(Self.list(names)) is not there")
            misfit.distance += 1
            misfit.rule = document.rule("routes", .element(index), "match", "headers")
        }
        return misfit
    }

    /// Where a path leaves a pattern; nil when it fits. Adds to `distance`: one for each segment that differs.
    private func pathMisfit(_ pattern: String, _ path: String, _ distance: inout Int) -> String? {
        guard let compiled = try? PathPattern(pattern) else { return nil }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var differing: [String] = []
        var alike = 0
        var typo = false
        for (place, expected) in compiled.segments.enumerated() {
            guard place < segments.count else {
                distance += alike == 0 ? Self.farAway : 1
                return "\(path) ends before \(pattern) does"
            }
            switch expected {
            case .literal(let text):
                if text == segments[place] {
                    alike += 1
                } else {
                    differing.append("\(quoted(segments[place])) is not \(quoted(text))")
                    typo = !Suggestion.phrase(for: segments[place], among: [text]).isEmpty
                }
            case .capture(let name):
                if segments[place].isEmpty { differing.append("{\(name)} would be empty") }
            }
        }
        // Captures fit everything: what shares no word with a pattern is near it only where it may be mistyped.
        let isWhole = compiled.tail == .rest || segments.count == compiled.segments.count
        let isMistyped = differing.count == 1 && isWhole && typo
        distance += differing.isEmpty ? 0 : alike == 0 && !isMistyped ? Self.farAway : differing.count
        if let first = differing.first { return "in \(pattern), \(first)" }
        let rest = segments.dropFirst(compiled.segments.count)
        switch compiled.tail {
        case .rest: return nil
        case .none where rest.isEmpty: return nil
        case .slash where rest.elementsEqual([""]): return nil
        case .none, .slash:
            distance += 1
            return rest.isEmpty ? "\(pattern) ends with a slash" : "\(path) goes on after \(pattern)"
        }
    }

    private static func host(of authority: String) -> String {
        let bytes = Array(authority.utf8)
        return String(decoding: bytes[Authority.hostRange(in: bytes.span)], as: UTF8.self).lowercasedASCII
    }

    private static func host(_ host: String, fits pattern: String) -> Bool {
        pattern.hasPrefix("*.") ? host.hasSuffix(pattern.dropFirst()) : host == pattern
    }

    static func list(_ values: [String]) -> String {
        values.count == 1 ? quoted(values[0]) : "one of " + values.map(quoted).joined(separator: ", ")
    }
}
