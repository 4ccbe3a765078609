/// The trailer section of a message: its own copy of the bytes, up to and with the last empty line, and the lines
/// in them; no bytes when there are no lines. Lines that no trailer may carry are marked dropped.
package struct TrailerSection: Sendable {
    package var bytes: [UInt8] = []
    package var fields: [FieldLine] = []

    package init() {}

    /// Empties the section but keeps its storage.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
    }
}

extension FieldLine {
    /// A field that means nothing in a trailer section and must not be passed on there (RFC 9110 §6.5.1).
    ///
    /// The rule: whatever the gateway itself acts on (all of `KnownField`); framing, hop-by-hop fields and descriptions
    /// of the content (`Content-*`); routing and the caller's identity (`X-Forwarded-*`, `X-Auth-*`); credentials and
    /// challenges; conditions and controls of the request; controls of caches and of the client's state. Every character
    /// that is neither letter nor digit counts as `-`, since some upstreams make no difference (`foldedInName`).
    package func isForbiddenInTrailers(in bytes: Span<UInt8>) -> Bool {
        if known != .other || isHopByHop(in: bytes, origin: 0) { return true }
        let name = bytes.extracting(name.range)
        return name.isSpelling(prefix: "content-") || name.isSpelling(prefix: "x-forwarded-")
            || name.isSpelling(prefix: "x-auth-") || name.isSpelling(prefix: "if-")
            || name.isSpelling(prefix: "access-control-") || name.isSpelling(prefix: "sec-")
            || name.isSpelling(prefix: "proxy-") || name.isSpelling("transfer-encoding") || name.isSpelling("authorization")
            || name.isSpelling("keep-alive") || name.isSpelling("http2-settings") || name.isSpelling("max-forwards")
            || name.isSpelling("host") || name.isSpelling("set-cookie")
            || name.isSpelling("set-cookie2") || name.isSpelling("cookie") || name.isSpelling("x-api-key")
            || name.isSpelling("x-real-ip") || name.isSpelling("x-request-id") || name.isSpelling("authentication-info")
            || name.isSpelling("age") || name.isSpelling("cache-control") || name.isSpelling("expires")
            || name.isSpelling("location") || name.isSpelling("pragma") || name.isSpelling("range")
            || name.isSpelling("vary") || name.isSpelling("warning") || name.isSpelling("www-authenticate")
    }
}

extension Span where Element == UInt8 {
    /// This name, folded, is `lowercase`.
    fileprivate func isSpelling(_ lowercase: StaticString) -> Bool {
        count == lowercase.utf8CodeUnitCount && isSpelling(prefix: lowercase)
    }

    /// This name, folded, begins with `lowercase`.
    fileprivate func isSpelling(prefix lowercase: StaticString) -> Bool {
        guard count >= lowercase.utf8CodeUnitCount else { return false }
        return lowercase.withUTF8Buffer { literal in
            for index in 0..<literal.count {
                if unsafe self[index].foldedInName != literal[index] { return false }
            }
            return true
        }
    }
}
