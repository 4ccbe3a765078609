import Core

/// Makes the field filters of routes. Routes that drop the same names share their filters, however many routes there are.
struct RequestFilters {
    /// What a route's filters depend on beside the policy.
    private struct Key: Hashable {
        var dropped: [String]
        var kept: [String]
        var keepsOverrides: Bool
    }

    /// The filters of one route.
    struct Pair {
        /// For requests from trusted proxies.
        var trusted: FieldFilter
        /// For all others.
        var untrusted: FieldFilter
        /// For the trailers of all: what the gateway reads or matches in a head is in no trailer either.
        var trailers: FieldFilter
    }

    /// The policy's identity headers.
    let identityNames: [String]
    private let matchedNames: [String]
    private var pairs: [Key: Pair] = [:]

    /// Every identity header begins like this, and no client may send one.
    static let identityPrefix = "X-Auth-"

    /// Fields that the gateway itself reads, judges or writes. They are dealt with by name; other spellings, which the
    /// gateway does not recognize and a server might, are dropped.
    private static let ownNames = [
        "content-encoding", "content-length", "content-type", "http2-settings", "keep-alive", "max-forwards",
        "proxy-authenticate", "proxy-authorization", "proxy-connection", "sec-websocket-extensions", "sec-websocket-key",
        "sec-websocket-protocol", "sec-websocket-version", "transfer-encoding", "x-forwarded-for", "x-forwarded-host",
        "x-forwarded-port", "x-forwarded-proto", "x-real-ip", "x-request-id",
    ]

    init(_ configuration: Configuration) {
        identityNames = configuration.identityHeaders.map(\.name)
        matchedNames = configuration.routes.flatMap { $0.headers.map(\.name) }
    }

    /// - Parameters:
    ///   - dropped: names that no client may send to the route, in any spelling.
    ///   - kept: names of credentials that go on, in this spelling only.
    ///   - keepsOverrides: fields that claim another target or method pass from every peer.
    mutating func pair(dropping dropped: [String], keeping kept: [String], keepsOverrides: Bool) -> Pair {
        let key = Key(dropped: dropped, kept: kept, keepsOverrides: keepsOverrides)
        if let pair = pairs[key] { return pair }
        var names = FieldFilter.Names(
            dropped: identityNames + dropped, respelled: Self.ownNames + matchedNames + kept, prefixes: [Self.identityPrefix])
        // What a trusted proxy says of its client must not be what the client says in another spelling.
        if !keepsOverrides { names.respelled += OverrideFields.names }
        // A route that matches by a reserved name reads it; that is no reason to let it pass.
        names.respelled.removeAll { name in !kept.contains(name) && Self.isReserved(name) }
        let trusted = FieldFilter(names)
        var untrusted = trusted
        if !keepsOverrides {
            names.dropped += OverrideFields.names.filter { name in !kept.contains { FieldFilter.areSame($0, name) } }
            names.prefixes += OverrideFields.prefixes
            untrusted = FieldFilter(names)
        }
        names.dropped += names.respelled
        let pair = Pair(trusted: trusted, untrusted: untrusted, trailers: FieldFilter(names))
        pairs[key] = pair
        return pair
    }

    private static func isReserved(_ name: String) -> Bool {
        name.utf8.map(\.foldedInName).starts(with: identityPrefix.utf8.map(\.foldedInName))
    }
}
