import Core

/// Where a key set is fetched from: an `http` or `https` URL taken apart (RFC 3986 §3).
struct FetchAddress: Equatable, Sendable {
    /// Host without brackets: a name or an address.
    let host: String
    /// Over TLS.
    let isSecure: Bool
    let port: UInt16
    /// What the Host field says.
    let hostField: String
    /// Path and query as they go into the request line.
    let target: String

    /// Reads a URL. Only what a key set's address needs is taken: no user, no fragment, visible ASCII only.
    init(_ url: String) throws(FetchFault) {
        let bytes = Array(url.utf8)
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x23 }) else { throw .addressInvalid }
        let span = bytes.span
        guard let colon = span.firstIndex(of: 0x3A) else { throw .addressInvalid }
        let scheme = span.extracting(0..<colon)
        isSecure = scheme.equalsIgnoringCase("https")
        let start = colon + 3
        guard isSecure || scheme.equalsIgnoringCase("http"), bytes.count > start, bytes[colon + 1] == 0x2F, bytes[colon + 2] == 0x2F
        else { throw .addressInvalid }
        let end = bytes[start...].firstIndex { $0 == 0x2F || $0 == 0x3F } ?? bytes.count
        let authority = span.extracting(start..<end)
        guard Authority.isValidAuthority(authority) else { throw .addressInvalid }
        let range = Authority.hostRange(in: authority)
        if range.upperBound < authority.count {
            guard let port = Authority.port(authority.extracting(range.upperBound + 1..<authority.count)), port > 0
            else { throw .addressInvalid }
            self.port = port
        } else {
            port = isSecure ? 443 : 80
        }
        let isBracketed = authority[0] == 0x5B
        let name = isBracketed ? range.lowerBound + 1..<range.upperBound - 1 : range
        host = String(decoding: authority.extracting(name).copied(), as: UTF8.self)
        hostField = String(decoding: bytes[start..<end], as: UTF8.self)
        let path = String(decoding: bytes[end...], as: UTF8.self)
        target = path.utf8.first == 0x2F ? path : "/" + path
    }

    /// The URL is one of https.
    static func isSecure(_ url: String) -> Bool { url.utf8.prefix(8).map(\.lowercasedASCII) == Array("https://".utf8) }

    /// The URL as an operator may see it in a log: without its query, which may hold a secret.
    static func loggable(_ url: String) -> String { OneLine.plain(String(url.prefix { $0 != "?" })) }
}
