import Core

/// Where a key set is fetched from: an `http` URL taken apart (RFC 3986 §3).
struct FetchAddress: Equatable, Sendable {
    /// Host without brackets: a name or an address.
    let host: String
    let port: UInt16
    /// What the Host field says.
    let hostField: String
    /// Path and query as they go into the request line.
    let target: String

    /// Reads a URL. Only what a key set's address needs is taken: no user, no fragment, visible ASCII only.
    init(_ url: String) throws(FetchFault) {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw .addressInvalid }
        let parts = url.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].hasPrefix("//") else { throw .addressInvalid }
        let scheme = parts[0].lowercased()
        if scheme == "https" { throw .needsTLS }
        guard scheme == "http" else { throw .addressInvalid }
        let rest = parts[1].dropFirst(2)
        let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let authority = rest[..<authorityEnd]
        let path = rest[authorityEnd...]
        guard !authority.contains("@"), !path.contains("#") else { throw .addressInvalid }
        (host, port) = try Self.split(authority)
        hostField = String(authority)
        target = path.hasPrefix("/") ? String(path) : "/" + path
    }

    private static func split(_ authority: Substring) throws(FetchFault) -> (host: String, port: UInt16) {
        let host: Substring
        var rest: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw .addressInvalid }
            host = authority[..<end].dropFirst()
            rest = authority[end...].dropFirst()
        } else {
            let end = authority.firstIndex(of: ":") ?? authority.endIndex
            host = authority[..<end]
            rest = authority[end...]
        }
        guard !host.isEmpty else { throw .addressInvalid }
        if rest.isEmpty { return (String(host), 80) }
        guard rest.removeFirst() == ":", rest.utf8.allSatisfy(\.isDigit), let port = UInt16(rest), port > 0 else {
            throw .addressInvalid
        }
        return (String(host), port)
    }
}
