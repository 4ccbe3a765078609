import Core

/// The names by which requests from this machine may address the admin listener.
enum AdminHost {
    /// Whether an authority is an IP address, "localhost" or a listed name, with or without a port.
    /// - Parameter listed: in lower case.
    static func isOwn(_ authority: String, listed: [String]) -> Bool {
        var host = Substring(authority.lowercased())
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            let rest = host[host.index(after: end)...]
            guard rest.isEmpty || isPort(rest) else { return false }
            let address = IPAddress(String(host[host.index(after: host.startIndex)..<end]))
            // An address of IPv4 may be written as one of IPv6.
            return address != nil && host.contains("::") || address?.family == .v6
        }
        if let colon = host.firstIndex(of: ":") {
            guard isPort(host[colon...]) else { return false }
            host = host[..<colon]
        }
        // "localhost." is the same name (RFC 3986 §3.2.2).
        if host.hasSuffix(".") { host.removeLast() }
        return host == "localhost" || IPAddress(String(host))?.family == .v4 || listed.contains(String(host))
    }

    /// A colon and decimal digits.
    private static func isPort(_ text: Substring) -> Bool {
        text.first == ":" && text.dropFirst().utf8.allSatisfy { 0x30...0x39 ~= $0 }
    }
}
