import Core

/// What a route does to the fields of a response before the client gets it.
struct ResponseRules: Sendable {
    /// Names the upstream's response may not carry: what the route sets or removes, and X-Request-ID, which is ours.
    var filter = FieldFilter(["X-Request-ID"])
    var added: [FieldTemplate] = []
    /// What the upstream says about rate limits passes.
    let keepsRateFields: Bool

    init(_ configuration: RouteConfiguration, added: [FieldTemplate], keepsRateFields: Bool) {
        self.added = added
        self.keepsRateFields = keepsRateFields
        for header in configuration.setResponseHeaders { filter.insert(header.name) }
        for name in configuration.removedResponseHeaders { filter.insert(name) }
    }

    @inline(__always)
    func drops(_ field: FieldLine, _ name: Span<UInt8>) -> Bool {
        filter.contains(name) || !keepsRateFields && field.known == .other && RateHeaders.isRateField(name)
    }
}
