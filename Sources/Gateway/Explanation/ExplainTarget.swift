import Core

/// An `http` or `https` URL taken apart; one without a scheme is `http`, as curl reads it. Its faults do not show it, since
/// it may hold credentials.
struct ExplainTarget {
    var isSecure = false
    var authority: String
    /// `user:password`, decoded; nil where there is none.
    var userinfo: [UInt8]?
    /// As it is written; "/" where nothing is.
    var path: String
    /// Without the question mark; nil where there is none.
    var query: String?
    var port: UInt16

    init(_ url: String) throws(ExplainFault) {
        var rest = url[...]
        if let scheme = Self.scheme(of: url) {
            guard ["http", "https"].contains(scheme.lowercased()) else {
                throw ExplainFault("\"\(OneLine.quoted(String(scheme)))\" is the scheme of no http or https URL")
            }
            isSecure = scheme.lowercased() == "https"
            rest = rest.dropFirst(scheme.count + 3)
        }
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        authority = String(rest[..<end])
        if let at = authority.lastIndex(of: "@") {
            userinfo = Self.credentials(authority[..<at])
            authority = String(authority[authority.index(after: at)...])
        }
        guard Authority.significantCount(in: authority.utf8.span) != nil else {
            throw ExplainFault("the URL has no host, or one that is none, or no port between 0 and 65535")
        }
        let tail = rest[end...]
        guard tail.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ExplainFault("the URL has a blank or a byte in it that must be percent-encoded")
        }
        let question = tail.firstIndex(of: "?")
        path = String(tail[..<(question ?? tail.endIndex)])
        if path.isEmpty { path = "/" }
        query = question.map { String(tail[tail.index(after: $0)...]) }
        let bytes = Array(authority.utf8)
        let host = Authority.hostRange(in: bytes.span).upperBound
        port = (host < bytes.count ? Authority.port(bytes.span.extracting(host + 1..<bytes.count)) : nil) ?? (isSecure ? 443 : 80)
    }

    /// What stands before "://"; nil where something else does, as in `a.test/?next=http://b`.
    private static func scheme(of url: String) -> Substring? {
        let scheme = url.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
        return !scheme.isEmpty && url[scheme.endIndex...].hasPrefix("://") ? scheme : nil
    }

    /// User and password, percent-decoded; a colon between them even where there is no password.
    private static func credentials(_ userinfo: Substring) -> [UInt8] {
        let text = Array((userinfo.contains(":") ? String(userinfo) : userinfo + ":").utf8)
        var decoded: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == 0x25, index + 2 < text.count,
                let byte = UInt8(String(decoding: text[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                decoded.append(byte)
                index += 3
            } else {
                decoded.append(text[index])
                index += 1
            }
        }
        return decoded
    }

    /// curl would make several URLs of it: a set in braces, or a range in brackets that hold no address.
    static func isPattern(_ url: String) -> Bool {
        if url.contains("{") { return true }
        guard let start = url.firstIndex(of: "[") else { return false }
        let inside = url[url.index(after: start)...].prefix { $0 != "]" }
        return IPAddress(String(inside)) == nil || url[inside.endIndex...].contains("[")
    }

    var pathAndQuery: String { path + (query.map { "?\($0)" } ?? "") }

    /// The address that the host is, or that `localhost` stands for; nil for other names.
    var address: IPAddress? {
        let bytes = Array(authority.utf8)
        var host = String(decoding: bytes[Authority.hostRange(in: bytes.span)], as: UTF8.self).lowercased()
        if host.hasSuffix(".") { host.removeLast() }
        if host == "localhost" || host.hasSuffix(".localhost") { return IPAddress(v4: 0x7F00_0001) }
        return IPAddress(host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host)
    }

    /// Takes "." and ".." out of the path (RFC 3986 §5.2.4), as curl does before it sends.
    mutating func removeDotSegments() {
        var kept: [Substring] = []
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            if segment == ".." { _ = kept.popLast() }
            if segment != "..", segment != "." { kept.append(segment) } else if isLast { kept.append("") }
        }
        path = "/" + kept.joined(separator: "/")
    }

    /// Puts content behind the query.
    mutating func append(query content: String) {
        query = query.map { $0.isEmpty ? content : "\($0)&\(content)" } ?? content
    }
}

/// The credentials of RFC 7617.
enum BasicCredentials {
    /// What stands in Authorization for `user:password`.
    static func value(_ pair: [UInt8]) -> String {
        // Base64 with padding (RFC 4648 §4).
        var encoded = Base64URL.encode(pair.span).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        while encoded.count % 4 != 0 { encoded.append("=") }
        return "Basic \(String(encoded))"
    }
}
