import Core

/// What a route does to the fields of a response before the client gets it.
final class ResponseRules: Sendable {
    /// Names the upstream's response may not carry: what the route sets or removes, and X-Request-ID, which is ours.
    private let filter: FieldFilter
    let added: [FieldTemplate]
    /// What the upstream says about rate limits passes.
    private let keepsRateFields: Bool

    init(_ configuration: RouteConfiguration, added: [FieldTemplate], keepsRateFields: Bool) {
        self.added = added
        self.keepsRateFields = keepsRateFields
        filter = FieldFilter(
            FieldFilter.Names(
                dropped: ["X-Request-ID"] + configuration.setResponseHeaders.map(\.name) + configuration.removedResponseHeaders))
    }

    /// Marks dropped what an upstream's response may not carry on to the client.
    func drop(from head: inout ResponseHead) {
        for index in head.fields.indices {
            let field = head.fields[index]
            if drops(field, head.bytes.span.extracting(field.name.range)) { head.fields[index].isDropped = true }
        }
    }

    @inline(__always)
    private func drops(_ field: FieldLine, _ name: Span<UInt8>) -> Bool {
        field.known == .server || filter.contains(name)
            || !keepsRateFields && field.known == .other && RateHeaders.isRateField(name)
    }
}
