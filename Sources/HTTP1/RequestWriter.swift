package import Core

/// Writes request heads for upstreams, in HTTP/1.1 whatever the client spoke (RFC 9112 §2.3).
package enum RequestWriter {
    /// Appends the whole head, ready to send: `METHOD target HTTP/1.1`, Host, the received fields that are not dropped,
    /// the fields of `framing`, the gateway's own lines, and the empty line.
    ///
    /// Host, Content-Length and Transfer-Encoding as received never pass: they are made from `host` and `framing`, so
    /// that no field of the client decides where a body ends. `target` and `host` are bytes already checked by the
    /// parser or by the policy. `.untilClose`, which no request has, is written like `.none`.
    ///
    /// `head.bytes` is an HTTP/1.1 head: its lines follow each other in the order of `head.fields`, each ending in CR
    /// LF, and one empty line ends it. Runs of lines that pass untouched are copied at once.
    package static func append(
        requestTo out: inout ByteBuffer, head: RequestHead, target: Span<UInt8>, host: Span<UInt8>, framing: BodyFraming,
        added: borrowing HeaderLines
    ) {
        let bytes = head.bytes.span
        out.append(contentsOf: bytes.extracting(head.methodRange.range))
        out.append(0x20)
        out.append(contentsOf: target)
        out.append(" HTTP/1.1\r\nHost: ")
        out.append(contentsOf: host)
        out.append("\r\n")
        out.append(passing: head.fields, of: bytes) { line in
            !line.isDropped && line.known != .host && line.known != .contentLength && line.known != .transferEncoding
        }
        switch framing {
        case .length(let count): out.append(contentLength: count)
        case .chunked: out.append("Transfer-Encoding: chunked\r\n")
        case .none, .untilClose: break
        }
        out.append(contentsOf: added.bytes)
        out.append("\r\n")
    }
}
