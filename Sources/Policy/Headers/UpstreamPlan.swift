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

    /// Nearly always it is the request before's.
    mutating func setHost(_ bytes: Span<UInt8>) {
        if host.span.equals(bytes) { return }
        host.removeAll(keepingCapacity: true)
        host.append(contentsOf: bytes)
    }
}
