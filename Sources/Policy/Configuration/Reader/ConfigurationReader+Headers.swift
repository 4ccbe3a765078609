import Core

/// Headers the policy sets and removes, and the templates of their values.
extension ConfigurationReader {
    mutating func readIdentityHeaders(_ node: LocatedNode?) {
        var headers = HeaderTemplate.identityDefaults
        var seen: Set<String> = []
        for entry in map(node, of: "templates by header name") {
            guard checkHeaderName(entry.name, in: .identity, at: entry.namePosition, path: entry.node.path) else {
                continue
            }
            let folded = HeaderRule.folded(entry.name)
            guard seen.insert(folded).inserted else {
                reportDuplicate(entry)
                continue
            }
            let index = headers.firstIndex { HeaderRule.folded($0.name) == folded }
            if case .null = entry.node.value {
                guard let index else {
                    let names = HeaderTemplate.identityDefaults.map(\.name)
                    report(
                        .valueUnknown, at: entry.node,
                        "null drops a default header, and \(quoted(entry.name)) is none"
                            + "\(Suggestion.phrase(for: entry.name, among: names))"
                    )
                    continue
                }
                headers.remove(at: index)
                continue
            }
            guard let template = template(entry.node, expected: "a template, or null to drop the header") else {
                continue
            }
            checkShowsNoStoredCredential(template)
            let header = HeaderTemplate(name: entry.name, template: template)
            if let index { headers[index] = header } else { headers.append(header) }
        }
        configuration.identityHeaders = headers
    }

    /// What a `request_headers` or `response_headers` object says.
    mutating func headerChanges(
        _ node: LocatedNode?, in place: HeaderRule.Place
    ) -> (set: [HeaderTemplate], removed: [String]) {
        guard let members = object(node, place == .request ? .requestHeaderChanges : .headerChanges) else { return ([], []) }
        let set = headerTemplates(members["set"], in: place)
        var removed: [String] = []
        for name in strings(members["remove"], of: "header names") {
            guard checkHeaderName(name.value, in: place, at: name.position, path: name.path) else { continue }
            let lowered = name.value.lowercasedASCII
            if removed.contains(where: { $0.lowercasedASCII == lowered }) {
                report(
                    .nameDuplicate, at: name.position, path: name.path, "\(quoted(name.value)) stands in the list twice"
                )
            } else if set.contains(where: { $0.name.lowercasedASCII == lowered }) {
                report(
                    .membersExclusive, at: name.position, path: name.path,
                    "\(quoted(name.value)) is set as well; setting replaces what the message had")
            } else {
                removed.append(name.value)
            }
        }
        return (set, removed)
    }

    /// Header templates of a route (`.request`, `.response`), or of an answer.
    mutating func headerTemplates(_ node: LocatedNode?, in place: HeaderRule.Place) -> [HeaderTemplate] {
        var headers: [HeaderTemplate] = []
        for entry in map(node, of: "templates by header name") {
            guard checkHeaderName(entry.name, in: place, at: entry.namePosition, path: entry.node.path) else {
                continue
            }
            let folded = HeaderRule.folded(entry.name)
            if headers.contains(where: { HeaderRule.folded($0.name) == folded }) {
                reportDuplicate(entry)
                continue
            }
            if place == .request {
                if let header = requestValue(entry) { headers.append(header) }
                continue
            }
            let value = place == .answer ? answerTemplate(entry.node, isBody: false) : template(entry.node)
            if place == .response, let value, !TemplateSyntax.captures(in: value.value).isEmpty {
                report(.captureUnknown, at: entry.node, "a response header has no path captures")
            } else if let value {
                headers.append(HeaderTemplate(name: entry.name, template: value))
            }
        }
        return headers
    }

    private mutating func reportDuplicate(_ entry: MapEntry) {
        report(
            .nameDuplicate, at: entry.namePosition, path: entry.node.path,
            "another spelling of \(quoted(entry.name)) stands in the object already")
    }

    mutating func checkHeaderName(
        _ name: String, in place: HeaderRule.Place?, at position: SourcePosition, path: String
    ) -> Bool {
        guard name.isToken, name.utf8.count <= 128 else {
            report(.headerNameInvalid, at: position, path: path, "\(quoted(name)) is no header name")
            return false
        }
        guard let place, let objection = HeaderRule.objection(to: name, in: place) else { return true }
        report(.headerNotAllowed, at: position, path: path, objection)
        return false
    }

    /// A template whose syntax is right; its captures are checked by the route, or after all routes.
    mutating func template(_ node: LocatedNode, expected: String = "a template") -> Located<String>? {
        guard case .string(let text) = node.value else { return string(node, expected: expected) }
        do throws(TemplateError) {
            _ = try TemplateSyntax.parse(text)
        } catch {
            report(.templateInvalid, at: node, error.message)
            return nil
        }
        return Located(text, at: node.position, path: node.path)
    }

    /// A template of an answer's body or header.
    mutating func answerTemplate(_ node: LocatedNode, isBody: Bool) -> Located<String>? {
        guard case .string(let text) = node.value else { return string(node, expected: "a template") }
        do throws(TemplateError) {
            let parts = try AnswerTemplate.parse(text)
            if !isBody {
                for case .literal(let literal) in parts where literal.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
                {
                    throw .controlCharacter
                }
            }
        } catch {
            report(.templateInvalid, at: node, error.answerMessage)
            return nil
        }
        return Located(text, at: node.position, path: node.path)
    }
}
