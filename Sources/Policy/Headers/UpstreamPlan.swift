package import Core

/// What goes to the upstream in place of, or beside, what the client sent. One value is reused for request after
/// request.
package struct UpstreamPlan: ~Copyable, Sendable {
    /// Lines to add: identity, forwarding fields, Via, X-Request-ID, traceparent, what the route sets.
    package var lines = HeaderLines()
    /// The target to send, in origin form: path, and the query when there is one.
    package internal(set) var target: [UInt8] = []
    /// The Host field to send; empty when it is to be the chosen server's own host and port.
    package internal(set) var host: [UInt8] = []
    /// The normalised path, which captures are taken from.
    var path: [UInt8] = []
    /// What was said last of the connections requests came over.
    var origins = OriginCache()
    /// A template's value while it is put together.
    var scratch: [UInt8] = []

    package init() {}

    /// Adds parameters to the target's query, leaving out those of which a part is absent. False when a value is too long;
    /// then nothing may be forwarded.
    mutating func addParameters(
        _ parameters: [(name: [UInt8], value: ValueTemplate)], _ source: TemplateSource, requestID: Span<UInt8>
    ) -> Bool {
        // A "?" in a path is percent-encoded.
        var hasQuery = target.contains(0x3F)
        let path = path
        for parameter in parameters {
            scratch.removeAll(keepingCapacity: true)
            guard parameter.value.render(source, path: path.span, requestID: requestID, form: .exact, to: &scratch) else {
                continue
            }
            guard scratch.count <= ValueTemplate.byteLimit else { return false }
            if !hasQuery {
                target.append(0x3F)
            } else if target.last != 0x3F {
                target.append(0x26)
            }
            hasQuery = true
            target.append(percentEncoding: parameter.name.span)
            target.append(0x3D)
            let value = scratch
            target.append(percentEncoding: value.span)
        }
        return true
    }

    /// Nearly always it is the request before's.
    mutating func setHost(_ bytes: Span<UInt8>) {
        if host.span.equals(bytes) { return }
        host.removeAll(keepingCapacity: true)
        host.append(contentsOf: bytes)
    }
}
