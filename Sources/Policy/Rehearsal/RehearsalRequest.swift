import Core

/// The head of a test's request, put together from what the test says of it.
struct RehearsalRequest {
    private(set) var bytes: [UInt8] = []
    /// The URL says https.
    private(set) var isSecure = false
    /// The port of the URL, or the one its scheme stands for.
    private(set) var port: UInt16 = 80

    /// The test says scheme and host, and so by which listener the request comes.
    private(set) var isWholeURL = false
    /// Some field holds the number of the request.
    private var isNumbered = false

    private var query = ""
    private var cookies: [String] = []
    private var fields: [(name: String, value: String)] = []

    /// Adds a credential where a source says.
    mutating func show(_ credential: String, in source: CredentialSource) {
        switch source {
        case .header(let name): fields.append((name, credential))
        case .bearer: fields.append(("Authorization", "Bearer \(credential)"))
        case .query(let name): query += (query.isEmpty ? "" : "&") + "\(name)=\(credential)"
        case .cookie(let name): cookies.append("\(name)=\(credential)")
        }
    }

    /// Writes the head: the request line, Host unless the test has its own, the test's fields, then credentials.
    mutating func write(_ test: PolicyTestConfiguration) {
        let parts = test.request.value.split(separator: " ", maxSplits: 1)
        let method = parts.first ?? "GET"
        var target = String(parts.last ?? "/")
        var authority = "localhost"
        if !target.hasPrefix("/") {
            isWholeURL = true
            isSecure = target.hasPrefix("https://")
            let rest = target.dropFirst(isSecure ? 8 : 7)
            let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
            authority = String(rest[..<end])
            target = (rest[end...].hasPrefix("/") ? "" : "/") + rest[end...]
        }
        port = Self.port(of: authority) ?? (isSecure ? 443 : 80)
        if !query.isEmpty { target += (target.contains("?") ? "&" : "?") + query }
        bytes.append(contentsOf: "\(method) \(target) HTTP/1.1\r\n".utf8)
        if !test.headers.contains(where: { $0.name.lowercasedASCII == "host" }) { append("Host", authority) }
        for header in test.headers { append(header.name, header.value) }
        isNumbered = test.repetitions > 1 && test.headers.contains { $0.value.contains("{n}") }
        for field in fields { append(field.name, field.value) }
        if !cookies.isEmpty { append("Cookie", cookies.joined(separator: "; ")) }
        if let content = test.content {
            if content.isJSON, !test.headers.contains(where: { $0.name.lowercasedASCII == "content-type" }) {
                append("Content-Type", "application/json")
            }
            append("Content-Length", String(content.bytes.count))
        } else if let count = test.contentBytes {
            append("Content-Length", String(count))
        }
        bytes.append("\r\n")
    }

    /// The head of one of several requests: `{n}` in a field is its number, from 1.
    func bytes(ofRepetition number: Int) -> [UInt8] {
        guard isNumbered else { return bytes }
        let text = String(decoding: bytes, as: UTF8.self)
        return Array(text.split(separator: "{n}", omittingEmptySubsequences: false).joined(separator: String(number)).utf8)
    }

    private mutating func append(_ name: String, _ value: String) {
        bytes.append(contentsOf: "\(name): \(value)\r\n".utf8)
    }

    private static func port(of authority: String) -> UInt16? {
        guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else { return nil }
        return UInt16(authority[authority.index(after: colon)...])
    }
}
