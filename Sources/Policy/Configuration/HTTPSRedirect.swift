/// Where a listener in clear sends its clients: the same path and query over `https`. Immutable, shared by the
/// connections of a listener.
package final class HTTPSRedirect: Sendable, Equatable {
    /// The host to go to, an IPv6 address in brackets; nil keeps the request's own.
    package let host: String?
    /// 443 is left out of the location.
    package let port: UInt16

    package init(host: String?, port: UInt16) {
        self.host = host
        self.port = port
    }

    package static func == (a: HTTPSRedirect, b: HTTPSRedirect) -> Bool { a.host == b.host && a.port == b.port }
}
