import Core

/// The tests a policy carries.
extension ConfigurationReader {
    /// Reads a file of tests: a list as `tests` has it, or an object that has the list as its member `tests`.
    ///
    /// References are checked against `configuration`, the policy the file belongs to. Diagnostics come in the order of
    /// the text; with an error among them the tests are worth nothing.
    package static func readTests(
        _ bytes: Span<UInt8>, file: String, of configuration: Configuration, parserReasons: [String] = []
    ) -> (tests: [PolicyTestConfiguration], diagnostics: [Diagnostic]) {
        let document: JSONNode
        do throws(JSONError) { document = try JSONNode.parse(bytes, dialect: .policy) } catch {
            return ([], [Diagnostic(error, in: bytes, file: file)])
        }
        var reader = ConfigurationReader(file: file, parserReasons: parserReasons)
        reader.definedNames[.upstream] = Set(configuration.upstreams.keys)
        reader.definedNames[.authenticator] = Set(configuration.authenticators.keys)
        reader.definedNames[.limit] = Set(configuration.limits.keys)
        let tests = reader.testsOfFile(LocatedNode(node: document, path: ""))
        reader.checkReferences()
        return (tests, reader.sortedDiagnostics())
    }

    private mutating func testsOfFile(_ root: LocatedNode) -> [PolicyTestConfiguration] {
        guard case .object = root.value else { return tests(root) }
        guard let members = object(root, .testsFile) else { return [] }
        if let schema = members["$schema"] { _ = string(schema) }
        return tests(members["tests"])
    }

    mutating func tests(_ node: LocatedNode?) -> [PolicyTestConfiguration] {
        var tests: [PolicyTestConfiguration] = []
        for element in list(node, of: "tests") ?? [] {
            if let test = test(element) { tests.append(test) }
        }
        return tests
    }

    private mutating func test(_ node: LocatedNode) -> PolicyTestConfiguration? {
        guard let members = object(node, .test) else { return nil }
        let name = string(members["name"])
        let request = testRequest(members["request"])
        var test = PolicyTestConfiguration(
            name: name?.value ?? "", file: file, position: node.position, path: node.path,
            request: request ?? Located("", at: node.position, path: node.path))
        test.headers = testHeaders(members["headers"])
        test.client = testClient(members["from"])
        test.time = testTime(members["at"])
        test.content = testContent(members["body"])
        if let place = members["body"], members["body_bytes"] != nil {
            report(.membersExclusive, at: place, "the content says how long it is: leave \"body_bytes\" out")
        }
        test.contentBytes = byteSize(members["body_bytes"], in: 0...UInt64(Int64.max))
        test.key = testKey(members["key"])
        test.keyAuthenticator = reference(members["key_authenticator"], to: .authenticator)
        if let place = members["key_authenticator"] {
            switch test.key {
            case .named: break
            case nil:
                report(.memberMissing, at: place, "\"key_authenticator\" says whose \"key\" is meant, and there is none")
            case .stored: report(.membersExclusive, at: place, "a key that is described has its \"authenticator\" in it")
            }
        }
        test.token = testToken(members["token"])
        test.user = testUser(members["user"])
        test.certificate = testCertificate(members["certificate"])
        test.repetitions = integer(members["repeat"], in: 1...PolicyTestConfiguration.repetitionLimit) ?? 1
        test.expectation = expectation(members["expect"])
        return name == nil || request == nil ? nil : test
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

    /// A text as it is, or JSON.
    private mutating func testContent(_ node: LocatedNode?) -> PolicyTestConfiguration.Content? {
        guard let node else { return nil }
        switch node.value {
        case .string(let text): return PolicyTestConfiguration.Content(bytes: Array(text.utf8), isJSON: false)
        case .object, .array:
            var bytes: [UInt8] = []
            bytes.append(json: node.node)
            return PolicyTestConfiguration.Content(bytes: bytes, isJSON: true)
        case .null, .bool, .number:
            report(.typeWrong, at: node, "content is a text, a JSON object or a list")
            return nil
        }
    }

    private mutating func testHeaders(_ node: LocatedNode?) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        for entry in map(node, of: "values by header name") {
            guard checkHeaderName(entry.name, in: nil, at: entry.namePosition, path: entry.node.path),
                let value = string(entry.node)
            else { continue }
            headers.append((entry.name, value.value))
        }
        return headers
    }

    private mutating func testClient(_ node: LocatedNode?) -> IPAddress? {
        guard let from = string(node, expected: "an address") else { return nil }
        if let address = IPAddress(from.value) { return address }
        report(.addressInvalid, at: from.position, path: from.path, "\(quoted(from.value)) is no address")
        return nil
    }

    mutating func testTime(_ node: LocatedNode?) -> WallTime? {
        guard let text = string(node, expected: "a moment such as \"2027-01-01T00:00:00Z\"") else { return nil }
        if let time = WallTime(rfc3339: text.value) { return time }
        report(
            .valueUnknown, at: text.position, path: text.path,
            "\(quoted(text.value)) is no moment; write \"2027-01-01T00:00:00Z\"")
        return nil
    }

    private mutating func testCertificate(
        _ node: LocatedNode?
    ) -> [CertificateAuthenticatorConfiguration.Part: [String]]? {
        guard let node, let members = object(node, .certificateMatch) else { return nil }
        var parts: [CertificateAuthenticatorConfiguration.Part: [String]] = [:]
        for part in CertificateAuthenticatorConfiguration.Part.allCases {
            let values = stringOrStrings(members[part.rawValue], of: "values")
            if !values.isEmpty { parts[part] = values.map(\.value) }
        }
        if let place = members[CertificateAuthenticatorConfiguration.Part.fingerprint.rawValue],
            let text = parts[.fingerprint]?.first, Digest256(hex: text) == nil
        {
            report(.valueUnknown, at: place, "\(quoted(text)) is no SHA-256 fingerprint: 64 hexadecimal digits")
        }
        return parts
    }

    private mutating func expectation(_ node: LocatedNode?) -> PolicyTestConfiguration.Expectation {
        var expectation = PolicyTestConfiguration.Expectation()
        guard let node, let members = object(node, .testExpectation) else { return expectation }
        if members.members.isEmpty { report(.valueEmpty, at: node, "a test that expects nothing cannot fail") }
        if let place = members["status"], let status = integer(place, in: 100...599) {
            expectation.status = Located(status, at: place.position, path: place.path)
        }
        expectation.upstream = reference(members["upstream"], to: .upstream)
        expectation.route = string(members["route"])
        if let place = members["allowed"], let isAllowed = boolean(place) {
            expectation.isAllowed = Located(isAllowed, at: place.position, path: place.path)
        }
        expectation.target = string(members["target"])
        expectation.requestHeaders = expectedHeaders(members["request_headers"])
        expectation.responseHeaders = expectedHeaders(members["response_headers"])
        if let place = members["request_body"], testContent(place) != nil {
            expectation.requestContent = Located(place.node, at: place.position, path: place.path)
        }
        expectation.absentRequestHeaders = strings(members["absent_request_headers"], of: "header names")
        expectation.absentResponseHeaders = strings(members["absent_response_headers"], of: "header names")
        expectation.reason = reason(members["reason"])
        if case .null? = members["would_have"]?.value, let place = members["would_have"] {
            expectation.wouldHave = Located("", at: place.position, path: place.path)
        } else {
            expectation.wouldHave = reason(members["would_have"])
        }
        return expectation
    }

    private mutating func reason(_ node: LocatedNode?) -> Located<String>? {
        guard let reason = string(node) else { return nil }
        if reasons.contains(reason.value) { return reason }
        let hint = Suggestion.phrase(for: reason.value, among: reasons)
        report(.valueUnknown, at: reason.position, path: reason.path, "no reason named \(quoted(reason.value))\(hint)")
        return nil
    }

    private mutating func expectedHeaders(_ node: LocatedNode?) -> [HeaderTemplate] {
        var headers: [HeaderTemplate] = []
        for entry in map(node, of: "values by header name") {
            guard checkHeaderName(entry.name, in: nil, at: entry.namePosition, path: entry.node.path),
                let value = string(entry.node)
            else { continue }
            headers.append(HeaderTemplate(name: entry.name, template: value))
        }
        return headers
    }
}
