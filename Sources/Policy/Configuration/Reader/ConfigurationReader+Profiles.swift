import Core

extension ConfigurationReader {
    mutating func readProfiles(_ node: LocatedNode?) {
        for entry in map(node, of: "response profiles by name") {
            guard checkName(entry.name, at: entry.namePosition, path: entry.node.path) else { continue }
            if entry.name == Configuration.builtInProfile {
                report(
                    .nameReserved, at: entry.namePosition, path: entry.node.path,
                    "\"problem\" is the built-in profile; choose another name")
            }
            guard let members = object(entry.node, .profile) else { continue }
            var profile = ResponseProfileConfiguration()
            if let fallback = members["default"] { profile.fallback = answer(fallback) }
            for kind in map(members["kinds"], of: "answers by kind of refusal") {
                guard let name = RefusalKind(rawValue: kind.name) else {
                    let names = Set(RefusalKind.allCases.map(\.rawValue))
                    report(
                        .valueUnknown, at: kind.namePosition, path: kind.node.path,
                        "no kind of refusal named \(quoted(kind.name))\(Suggestion.phrase(for: kind.name, among: names))")
                    continue
                }
                profile.kinds[name] = answer(kind.node)
            }
            for status in map(members["statuses"], of: "answers by status") {
                // As it is written in an answer: "0401" would be another name for the same entry.
                guard let code = Int(status.name), 400...599 ~= code, String(code) == status.name else {
                    report(
                        .valueOutOfRange, at: status.namePosition, path: status.node.path,
                        "no status of a refusal: \(quoted(status.name)); write one from \"400\" to \"599\"")
                    continue
                }
                profile.statuses[code] = answer(status.node)
            }
            for reason in map(members["reasons"], of: "answers by reason") {
                guard reasons.contains(reason.name) else {
                    report(
                        .valueUnknown, at: reason.namePosition, path: reason.node.path,
                        "no reason named \(quoted(reason.name))\(Suggestion.phrase(for: reason.name, among: reasons))"
                    )
                    continue
                }
                profile.reasons[reason.name] = answer(reason.node)
            }
            profile.challengeRealm = challengeRealm(members["challenge_realm"])
            configuration.profiles[entry.name] = profile
        }
    }

    /// What a quoted string holds without escapes (RFC 9110 §5.6.4), 1 to 128 bytes.
    mutating func challengeRealm(_ node: LocatedNode?) -> String? {
        guard let text = string(node) else { return nil }
        guard text.value.utf8.count <= 128, text.value.isPlainFieldValue, !text.value.contains("\""), !text.value.contains("\\")
        else {
            report(
                .fieldValueInvalid, at: text.position, path: text.path,
                "invalid realm \(quoted(text.value)): up to 128 characters of ASCII, without quotation marks and backslashes")
            return nil
        }
        return text.value
    }

    private mutating func answer(_ node: LocatedNode) -> AnswerConfiguration {
        var answer = AnswerConfiguration()
        guard let members = object(node, .answer) else { return answer }
        answer.status = integer(members["status"], in: 200...599)
        if let status = answer.status, [204, 205, 304].contains(status), let body = members["body"] {
            report(.membersExclusive, at: body, "an answer of status \(status) has no body")
        }
        if let body = members["body"] { answer.body = answerTemplate(body, isBody: true) }
        if let type = string(members["content_type"], expected: "a media type") {
            if type.value.isPlainFieldValue, type.value.contains("/") {
                answer.contentType = type.value
            } else {
                report(
                    .fieldValueInvalid, at: type.position, path: type.path,
                    "\(quoted(type.value)) is no media type; write \"application/json\"")
            }
        }
        answer.headers = headerTemplates(members["headers"], in: .answer)
        if let place = members["challenge"], let isWanted = boolean(place) {
            answer.challenge = Located(isWanted, at: place.position, path: place.path)
        }
        return answer
    }
}
