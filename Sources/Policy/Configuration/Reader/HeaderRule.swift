import Core

/// Which header names the policy may set or remove.
enum HeaderRule {
    /// Where a name stands in the file.
    enum Place {
        case identity, request, response, answer
    }

    /// Why a name may not stand there, in this or another spelling; nil when it may. The name is a token.
    static func objection(to name: String, in place: Place) -> String? {
        let lowered = folded(name)
        if isOwned(lowered) {
            return "\(quoted(name)) belongs to the connection or the framing of a message; the gateway sets it"
        }
        switch place {
        case .identity, .request:
            if forwarding.contains(lowered) {
                return "\(quoted(name)) is written by the gateway itself; see \"forwarded\" and \"via\""
            }
        case .response:
            if rates.contains(lowered) {
                return "\(quoted(name)) is written by the gateway itself; see \"rate_headers\""
            }
        case .answer:
            if rates.contains(lowered) || lowered == "retry-after" {
                return "\(quoted(name)) is written by the gateway itself; see \"rate_headers\""
            }
            if lowered == "content-type" { return "the content type of an answer stands in \"content_type\"" }
        }
        if lowered == "x-request-id" { return "\(quoted(name)) is written by the gateway itself" }
        if place == .identity, lowered == "authorization" || lowered == "cookie" {
            return "\(quoted(name)) is no identity header; a route sets it in \"request_headers\""
        }
        return nil
    }

    /// Framing and hop-by-hop fields (RFC 9110 §7.6.1) and Host: nobody but the gateway sets them.
    static func isOwned(_ name: String) -> Bool { owned.contains(folded(name)) }

    /// The name as upstreams may fold it.
    static func folded(_ name: String) -> String { String(decoding: name.utf8.map(\.foldedInName), as: UTF8.self) }

    private static let owned: Set<String> = [
        "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "max-forwards",
        "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade",
    ]
    private static let forwarding: Set<String> = [
        "forwarded", "traceparent", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port",
        "x-forwarded-proto", "x-real-ip",
    ]
    private static let rates: Set<String> = [
        "ratelimit", "ratelimit-policy", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset",
    ]
}
