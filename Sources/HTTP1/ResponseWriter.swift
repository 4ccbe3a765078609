package import Core

/// Writes response heads for HTTP/1 clients: those of upstreams, and the gateway's own.
package enum ResponseWriter {
    /// Appends the head of a final response. The status line says HTTP/1.1 whatever the client spoke, since that is
    /// what the gateway speaks (RFC 9112 §2.3); a client of HTTP/1.0 gets no chunked content by the choice of
    /// `framing`.
    ///
    /// The received fields pass unless dropped; Content-Length and Transfer-Encoding are made anew from `framing`.
    /// `closes` (implied by `.untilClose`) adds `Connection: close`; otherwise an HTTP/1.0 client is told
    /// `keep-alive`. `date` is an IMF-fixdate, used where the upstream sent none (RFC 9110 §6.6.1). `head.bytes` is
    /// laid out as `RequestWriter` says.
    package static func append(
        responseTo out: inout ByteBuffer, status: Int, reason: Span<UInt8>, head: ResponseHead, framing: ResponseFraming,
        version: HTTPVersion, added: borrowing HeaderLines, closes: Bool, date: Span<UInt8>
    ) {
        append(statusLineTo: &out, status: status, reason: reason)
        var hasDate = false
        out.append(passing: head.fields, of: head.bytes.span) { line in
            if line.isDropped || line.known == .transferEncoding { return false }
            if line.known == .contentLength { return framing == .described }
            if line.known == .date { hasDate = true }
            return true
        }
        if !hasDate { append(dateTo: &out, date) }
        out.append(contentsOf: added.bytes)
        append(framingTo: &out, framing)
        append(connectionTo: &out, version: version, closes: closes || framing == .untilClose)
        out.append("\r\n")
    }

    /// Appends the head of a final response with the status and reason it came with.
    package static func append(
        responseTo out: inout ByteBuffer, head: ResponseHead, framing: ResponseFraming, version: HTTPVersion,
        added: borrowing HeaderLines, closes: Bool, date: Span<UInt8>
    ) {
        append(
            responseTo: &out, status: head.status, reason: head.bytes.span.extracting(head.reason.range), head: head,
            framing: framing, version: version, added: added, closes: closes, date: date)
    }

    /// Appends an interim response (1xx) of an upstream, which has no content and says nothing about the connection.
    /// Not for clients of HTTP/1.0 (RFC 9110 §15.2).
    package static func append(informationalTo out: inout ByteBuffer, head: ResponseHead, added: borrowing HeaderLines) {
        append(statusLineTo: &out, status: head.status, reason: head.bytes.span.extracting(head.reason.range))
        out.append(passing: head.fields, of: head.bytes.span) { line in
            line.known != .contentLength && line.known != .transferEncoding && !line.isDropped
        }
        out.append(contentsOf: added.bytes)
        out.append("\r\n")
    }

    /// Appends `100 Continue` of the gateway itself.
    package static func append(continueTo out: inout ByteBuffer) {
        out.append("HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// Appends an answer of the gateway itself, head and content. `lines` say all but Date, Content-Length and
    /// Connection. To HEAD the same head goes without the content; 204 and 304 have none.
    package static func append(
        localResponseTo out: inout ByteBuffer, status: Int, lines: borrowing HeaderLines, body: Span<UInt8>, requestMethod: Method,
        version: HTTPVersion, closes: Bool, date: Span<UInt8>
    ) {
        append(statusLineTo: &out, status: status)
        append(dateTo: &out, date)
        out.append(contentsOf: lines.bytes)
        let mayHaveContent = status >= 200 && status != 204 && status != 304
        if mayHaveContent { out.append(contentLength: UInt64(body.count)) }
        append(connectionTo: &out, version: version, closes: closes)
        out.append("\r\n")
        if mayHaveContent, requestMethod != .head { out.append(contentsOf: body) }
    }

    // MARK: Parts

    private static func append(statusLineTo out: inout ByteBuffer, status: Int, reason: Span<UInt8>) {
        out.append("HTTP/1.1 ")
        out.append(decimal: status)
        out.append(0x20)
        out.append(contentsOf: reason)
        out.append("\r\n")
    }

    private static func append(statusLineTo out: inout ByteBuffer, status: Int) {
        out.append("HTTP/1.1 ")
        out.append(decimal: status)
        out.append(0x20)
        out.append(ReasonPhrase.standard(for: status))
        out.append("\r\n")
    }

    private static func append(dateTo out: inout ByteBuffer, _ date: Span<UInt8>) {
        out.append("Date: ")
        out.append(contentsOf: date)
        out.append("\r\n")
    }

    private static func append(framingTo out: inout ByteBuffer, _ framing: ResponseFraming) {
        switch framing {
        case .length(let count): out.append(contentLength: count)
        case .chunked: out.append("Transfer-Encoding: chunked\r\n")
        case .none, .described, .untilClose: break
        }
    }

    private static func append(connectionTo out: inout ByteBuffer, version: HTTPVersion, closes: Bool) {
        if closes {
            out.append("Connection: close\r\n")
        } else if version == .http10 {
            out.append("Connection: keep-alive\r\n")
        }
    }
}
