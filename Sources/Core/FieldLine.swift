/// One field line of a message head (RFC 9110 §5): where its name and value lie in the head's bytes.
@frozen
package struct FieldLine: Sendable {
    package var name: ByteRange
    /// The value without the optional whitespace around it.
    package var value: ByteRange
    package var known: KnownField
    /// Not to be forwarded: hop-by-hop, a credential, or a name that only the gateway may set.
    package var isDropped: Bool

    @inlinable package init(name: ByteRange, value: ByteRange, known: KnownField) {
        self.name = name
        self.value = value
        self.known = known
        isDropped = false
    }
}

/// The fields the gateway itself acts on, told apart once while parsing. Everything else is `.other`.
@frozen
package enum KnownField: UInt8, Sendable {
    case other
    case authorization, connection, contentLength, contentType, cookie, date, expect, forwarded, host, keepAlive
    case maxForwards, proxyConnection, proxyAuthorization, proxyAuthenticate, retryAfter, server, te, trailer
    case transferEncoding, upgrade, via, wwwAuthenticate, xForwardedFor, xForwardedHost, xForwardedProto
    case xForwardedPort, xRealIP, xRequestID, traceparent
}

extension KnownField {
    /// The field a name stands for, whatever its case. A handful of comparisons: first by length, then by bytes.
    package static func named(_ name: Span<UInt8>) -> KnownField {
        switch name.count {
        case 2: return name.equalsIgnoringCase("te") ? .te : .other
        case 3: return name.equalsIgnoringCase("via") ? .via : .other
        case 4:
            if name.equalsIgnoringCase("host") { return .host }
            return name.equalsIgnoringCase("date") ? .date : .other
        case 6:
            if name.equalsIgnoringCase("cookie") { return .cookie }
            if name.equalsIgnoringCase("server") { return .server }
            return name.equalsIgnoringCase("expect") ? .expect : .other
        case 7:
            if name.equalsIgnoringCase("upgrade") { return .upgrade }
            return name.equalsIgnoringCase("trailer") ? .trailer : .other
        case 9:
            if name.equalsIgnoringCase("forwarded") { return .forwarded }
            return name.equalsIgnoringCase("x-real-ip") ? .xRealIP : .other
        case 10:
            if name.equalsIgnoringCase("connection") { return .connection }
            return name.equalsIgnoringCase("keep-alive") ? .keepAlive : .other
        case 11:
            if name.equalsIgnoringCase("retry-after") { return .retryAfter }
            return name.equalsIgnoringCase("traceparent") ? .traceparent : .other
        case 12:
            if name.equalsIgnoringCase("content-type") { return .contentType }
            if name.equalsIgnoringCase("x-request-id") { return .xRequestID }
            return name.equalsIgnoringCase("max-forwards") ? .maxForwards : .other
        case 13: return name.equalsIgnoringCase("authorization") ? .authorization : .other
        case 14: return name.equalsIgnoringCase("content-length") ? .contentLength : .other
        case 15: return name.equalsIgnoringCase("x-forwarded-for") ? .xForwardedFor : .other
        case 16:
            if name.equalsIgnoringCase("proxy-connection") { return .proxyConnection }
            if name.equalsIgnoringCase("x-forwarded-host") { return .xForwardedHost }
            if name.equalsIgnoringCase("x-forwarded-port") { return .xForwardedPort }
            return name.equalsIgnoringCase("www-authenticate") ? .wwwAuthenticate : .other
        case 17:
            if name.equalsIgnoringCase("transfer-encoding") { return .transferEncoding }
            return name.equalsIgnoringCase("x-forwarded-proto") ? .xForwardedProto : .other
        case 18: return name.equalsIgnoringCase("proxy-authenticate") ? .proxyAuthenticate : .other
        case 19: return name.equalsIgnoringCase("proxy-authorization") ? .proxyAuthorization : .other
        default: return .other
        }
    }
}
