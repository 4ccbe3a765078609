package import Core

/// What `POST /explain` takes: a curl command line as text, or a JSON object with either `curl`, or `method`, `url`,
/// `headers` and `body_bytes`; beside them `from`, an address, `at`, a moment, and `certificate`, a client certificate in PEM
/// form.
package enum ExplainDocument {
    private static let members = ["curl", "method", "url", "headers", "body_bytes", "from", "at", "certificate"]

    package static func request(_ content: [UInt8]) throws(ExplainFault) -> ExplainRequest {
        let text = String(decoding: content, as: UTF8.self)
        guard let first = content.first(where: { $0 > 0x20 }) else {
            throw ExplainFault("send a curl command line, or a JSON object with \"curl\" or \"url\"")
        }
        if first != 0x7B { return try CurlCommand.request(text) }
        let node: JSONNode
        do throws(JSONError) { node = try JSONNode.parse(content.span) } catch {
            throw ExplainFault("no JSON: line \(error.position.line), column \(error.position.column): \(error.message)")
        }
        guard case .object(let all) = node.value else { throw ExplainFault("no JSON object") }
        if let unknown = all.first(where: { !members.contains($0.name) }) {
            throw ExplainFault(
                "no member \"\(OneLine.quoted(unknown.name))\" is known; there are \(members.joined(separator: ", "))")
        }
        var request: ExplainRequest
        if let line = try string(node, "curl") {
            request = try CurlCommand.request(line)
        } else {
            guard let url = try string(node, "url") else { throw ExplainFault("\"curl\" or \"url\" is missing") }
            request = try ExplainRequest.made(
                method: try string(node, "method") ?? "GET", url: url, headers: try headers(node),
                contentBytes: try count(node))
        }
        if let from = try string(node, "from") { request.client = try ExplainValue.address(from) }
        if let at = try string(node, "at") { request.time = try ExplainValue.time(at) }
        request.certificate = try string(node, "certificate").map { Array($0.utf8) }
        return request
    }

    private static func string(_ node: JSONNode, _ name: String) throws(ExplainFault) -> String? {
        guard let member = node[name] else { return nil }
        if case .string(let text) = member.value { return text }
        if name == "at", case .number(let number) = member.value { return number.text }
        throw ExplainFault("\"\(name)\" is no string")
    }

    private static func count(_ node: JSONNode) throws(ExplainFault) -> Int? {
        guard let member = node["body_bytes"] else { return nil }
        guard case .number(let number) = member.value, let value = number.integer, value >= 0 else {
            throw ExplainFault("\"body_bytes\" is no whole number")
        }
        return Int(value)
    }

    /// An object of values by name; a value may be a list, for a field that stands there more than once.
    private static func headers(_ node: JSONNode) throws(ExplainFault) -> [(name: String, value: String)] {
        guard let member = node["headers"] else { return [] }
        guard case .object(let entries) = member.value else { throw ExplainFault("\"headers\" is no object") }
        var headers: [(name: String, value: String)] = []
        for entry in entries {
            switch entry.node.value {
            case .string(let value): headers.append((entry.name, value))
            case .array(let values):
                for value in values {
                    guard case .string(let text) = value.value else { throw ExplainFault("a header's value is no string") }
                    headers.append((entry.name, text))
                }
            case .null, .bool, .number, .object: throw ExplainFault("a header's value is no string")
            }
        }
        return headers
    }
}

/// Values that are given to have something explained.
package enum ExplainValue {
    /// An IPv4 or IPv6 address.
    package static func address(_ text: String) throws(ExplainFault) -> IPAddress {
        guard let address = IPAddress(text) else { throw ExplainFault("\"\(OneLine.quoted(text))\" is no address") }
        return address
    }

    /// A moment of RFC 3339, or seconds since 1970; from 1970 to 2262, where `WallTime` ends. One beyond is refused, lest
    /// another moment be decided for.
    package static func time(_ text: String) throws(ExplainFault) -> WallTime {
        let time: WallTime
        if let seconds = Int64(text) {
            time = WallTime(seconds: seconds)
        } else if let moment = WallTime(rfc3339: text) {
            time = moment
        } else {
            throw ExplainFault(
                "\"\(OneLine.quoted(text))\" is no moment; write \"2027-01-01T00:00:00Z\" or seconds since 1970")
        }
        guard time >= WallTime(seconds: 0), time < .distantFuture else {
            throw ExplainFault("\"\(OneLine.quoted(text))\" is not between 1970-01-01 and 2262-04-11")
        }
        return time
    }
}
