import Core

/// What a route does to the fields of a request before it goes on.
struct RequestRules: Sendable {
    /// Names no client may send here: identity headers, names the gateway sets itself, credentials, what the route
    /// removes.
    var filter = FieldFilter()
    /// The same for the fields that parsing tells apart; bit n for the field with raw value n.
    var droppedFields: UInt64 = 0
    /// Lines to add, in this order.
    var added: [FieldTemplate] = []
    /// Query parameters and cookies that are credentials, and do not go on.
    var strippedParameters: [[UInt8]] = []
    var strippedCookies: [[UInt8]] = []

    /// Fields of the wire, whose underscored twins a CGI-like server could not tell from them.
    private static let wireNames = [
        "content-length", "content-type", "transfer-encoding", "x-forwarded-for", "x-forwarded-host",
        "x-forwarded-proto", "x-forwarded-port", "x-real-ip", "x-request-id", "proxy-authorization",
    ]

    /// - Parameter globalNames: the names of identity headers, of every route.
    init(
        _ configuration: RouteConfiguration, globalNames: [String], added: [FieldTemplate], credentials: CredentialPlan
    ) {
        self.added = added
        for name in Self.wireNames { filter.insert(name) }
        var names = globalNames + configuration.setRequestHeaders.map(\.name) + configuration.removedRequestHeaders
        if !configuration.keepsCredentials {
            names += credentials.headerNames
            strippedParameters = credentials.queryNames
            strippedCookies = credentials.cookieNames
        }
        for name in names { drop(name) }
    }

    private mutating func drop(_ name: String) {
        filter.insert(name)
        let known = KnownField.named(name.utf8.span)
        if known != .other { droppedFields |= 1 << UInt64(known.rawValue) }
    }

    @inline(__always)
    func drops(_ known: KnownField) -> Bool { droppedFields >> UInt64(known.rawValue) & 1 != 0 }
}
