/// How the gateway delimits the content of a response it sends to an HTTP/1 client (RFC 9112 §6).
package enum ResponseFraming: Equatable, Sendable {
    /// No content and no field about it: 1xx and 204 (RFC 9110 §8.6).
    case none
    /// No content, but a Content-Length of the upstream describes what there would be: answers to HEAD, and 304.
    case described
    case length(UInt64)
    case chunked
    /// HTTP/1.0 clients only: the end of the connection ends the content.
    case untilClose

    /// The head and the content show where the content ends, so that a client notices when the connection ends before.
    package var showsLength: Bool { self != .untilClose }

    /// Trailers may follow the content over HTTP/2, whose end was not announced.
    package var takesTrailers: Bool { self == .chunked || self == .untilClose }

    /// How a response that came as `received` goes on to a client of `version`.
    package init(received: BodyFraming, status: Int, requestMethod: Method, version: HTTPVersion) {
        if status < 200 || status == 204 {
            self = .none
        } else if requestMethod == .head || status == 304 {
            self = .described
        } else {
            switch received {
            case .none: self = .length(0)
            case .length(let count): self = .length(count)
            case .chunked, .untilClose: self = version == .http10 ? .untilClose : .chunked
            }
        }
    }
}
