/// One field line of a message head (RFC 9110 §5): where its name and value lie in the head's bytes.
@frozen @usableFromInline
package struct FieldLine: Sendable {
    @usableFromInline package var name: ByteRange
    /// The value without the optional whitespace around it.
    @usableFromInline package var value: ByteRange
    @usableFromInline package var known: KnownField
    /// Not to be forwarded: hop-by-hop, a credential, or a name that only the gateway may set.
    @usableFromInline package var isDropped: Bool

    @inlinable
    @inline(__always)
    package init(name: ByteRange, value: ByteRange, known: KnownField) {
        self.name = name
        self.value = value
        self.known = known
        isDropped = false
    }
}

extension Array where Element == FieldLine {
    /// Puts a line at `index`, which is the count at most, in place of the one there: cheaper than emptying an array
    /// and filling it again. Lines beyond the last one put go with `removeLines(from:)`.
    @inlinable @inline(__always)
    package mutating func put(_ line: FieldLine, at index: Int) {
        if index < count {
            self[index] = line
        } else {
            append(line)
        }
    }

    /// Removes the lines from `index` on.
    @inlinable
    package mutating func removeLines(from index: Int) {
        if index < count { removeSubrange(index..<count) }
    }
}

/// The fields the gateway itself acts on, told apart once while parsing. Everything else is `.other`.
@frozen @usableFromInline
package enum KnownField: UInt8, Sendable {
    case other
    case authorization, connection, contentLength, contentType, cookie, date, expect, forwarded, host, keepAlive
    case maxForwards, proxyConnection, proxyAuthorization, proxyAuthenticate, retryAfter, server, te, trailer
    case transferEncoding, upgrade, via, wwwAuthenticate, xForwardedFor, xForwardedHost, xForwardedProto
    case xForwardedPort, xRealIP, xRequestID, traceparent
}
