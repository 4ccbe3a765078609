extension FieldLine {
    /// Concerns this connection only and is never forwarded, whether or not Connection names it (RFC 9110 §7.6.1). A
    /// Trailer field is not among them: it passes where a chunked body keeps its trailers.
    @inlinable package func isHopByHop(in bytes: Span<UInt8>, origin: Int) -> Bool {
        switch known {
        case .connection, .keepAlive, .proxyConnection, .proxyAuthorization, .proxyAuthenticate, .te, .transferEncoding,
            .upgrade:
            true
        case .other: isUnnamedHopByHop(in: bytes, origin: origin)
        case .authorization, .contentLength, .contentType, .cookie, .date, .expect, .forwarded, .host, .maxForwards,
            .retryAfter, .server, .trailer, .via, .wwwAuthenticate, .xForwardedFor, .xForwardedHost, .xForwardedProto,
            .xForwardedPort, .xRealIP, .xRequestID, .traceparent:
            false
        }
    }

    @usableFromInline func isUnnamedHopByHop(in bytes: Span<UInt8>, origin: Int) -> Bool {
        let range = origin &+ Int(name.start)..<origin &+ name.end
        return switch name.count {
        case 5: bytes.extracting(range).equalsIgnoringCase("close")
        case 14: bytes.extracting(range).equalsIgnoringCase("http2-settings")
        case 25: bytes.extracting(range).equalsIgnoringCase("proxy-authentication-info")
        default: false
        }
    }
}
