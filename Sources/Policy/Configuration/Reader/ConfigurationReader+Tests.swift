import Core

extension ConfigurationReader {
    mutating func readTests(_ node: LocatedNode?) {
        for element in list(node, of: "tests") ?? [] {
            guard let members = object(element, .test) else { continue }
            let name = string(members["name"])
            let request = testRequest(members["request"])
            for entry in map(members["headers"], of: "values by header name") {
                _ = checkHeaderName(entry.name, in: nil, at: entry.namePosition, path: entry.node.path)
                _ = string(entry.node)
            }
            if let from = string(members["from"], expected: "an address"), IPAddress(from.value) == nil {
                report(.addressInvalid, at: from.position, path: from.path, "\(quoted(from.value)) is no address")
            }
            readExpectation(members["expect"])
            guard let name, let request else { continue }
            configuration.tests.append(
                PolicyTestConfiguration(
                    name: name.value, request: request,
                    node: Located(element.node, at: element.position, path: element.path)))
        }
    }

    /// `METHOD TARGET`, the target a path or an `http://` or `https://` URL.
    private mutating func testRequest(_ node: LocatedNode?) -> Located<String>? {
        guard let node, let text = string(node, expected: "a request such as \"GET /users\"") else { return nil }
        let parts = text.value.split(separator: " ", omittingEmptySubsequences: false)
        let isRequest =
            parts.count == 2 && String(parts[0]).isToken
            && (parts[1].hasPrefix("/") || parts[1].hasPrefix("http://") || parts[1].hasPrefix("https://"))
            && parts[1].utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        if isRequest { return text }
        report(
            .requestInvalid, at: node,
            "\(quoted(text.value)) is no request; write \"GET /users\" or \"GET http://api.example/users\"")
        return nil
    }

    private mutating func readExpectation(_ node: LocatedNode?) {
        guard let node, let members = object(node, .testExpectation) else { return }
        if members.members.isEmpty { report(.valueEmpty, at: node, "a test that expects nothing cannot fail") }
        _ = integer(members["status"], in: 100...599)
        _ = reference(members["upstream"], to: .upstream)
        _ = string(members["route"])
        if let reason = string(members["reason"]), !reasons.contains(reason.value) {
            let hint = Suggestion.phrase(for: reason.value, among: reasons)
            report(
                .valueUnknown, at: reason.position, path: reason.path, "no reason named \(quoted(reason.value))\(hint)")
        }
    }
}
