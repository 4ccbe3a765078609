import Core

extension KnownField {
    /// May stand in an HTTP/2 message: all but the fields about a connection (RFC 9113 §8.2.2) and `te`, which is made
    /// anew where it is wanted.
    var travelsOverHTTP2: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .te: false
        case .other, .authorization, .contentLength, .contentType, .cookie, .date, .expect, .forwarded, .host,
            .maxForwards, .proxyAuthorization, .proxyAuthenticate, .retryAfter, .server, .trailer, .via,
            .wwwAuthenticate, .xForwardedFor, .xForwardedHost, .xForwardedProto, .xForwardedPort, .xRealIP, .xRequestID,
            .traceparent:
            true
        }
    }
}

extension ResponseFraming {
    /// The head is all there is.
    var hasNoContent: Bool {
        switch self {
        case .none, .described, .length(0): true
        case .length, .chunked, .untilClose: false
        }
    }
}
