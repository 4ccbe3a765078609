import Core

/// Makes a `ResponseHead`, as of HTTP/1.1, from the fields of one header block, and judges them as strictly as those of
/// an HTTP/1 upstream. The reason phrase is the standard one of the status. Content of unknown length has the framing
/// `.chunked`.
struct ResponseHeadBuilder {
    var head = ResponseHead()
    private(set) var fault: ResponseFault?
    private var contentLength: UInt64?

    /// Forgets everything but storage.
    mutating func begin() {
        head.removeAll()
        head.version = .http2
        fault = nil
        contentLength = nil
    }

    mutating func note(_ fault: ResponseFault) { self.fault = self.fault ?? fault }

    /// Takes the next field. `:status` comes first, once, three digits: the library sees to that.
    mutating func take(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        guard fault == nil else { return }
        if !name.isEmpty, name[0] == 0x3A { return takeStatus(name, value) }
        guard name.isLowercaseToken else { return note(.fieldNameInvalid) }
        guard value.isStrictFieldValue else { return note(.fieldValueInvalid) }
        let known = KnownField.named(name)
        switch known {
        case .contentLength:
            guard contentLength == nil else { return note(.contentLengthRepeated) }
            contentLength = value.contentLength
            guard contentLength != nil else { return note(.contentLengthInvalid) }
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade: return note(.connectionInvalid)
        case .other, .authorization, .contentType, .cookie, .date, .expect, .forwarded, .host, .maxForwards,
            .proxyAuthorization, .proxyAuthenticate, .retryAfter, .server, .te, .trailer, .via, .wwwAuthenticate,
            .xForwardedFor, .xForwardedHost, .xForwardedProto, .xForwardedPort, .xRealIP, .xRequestID, .traceparent:
            break
        }
        guard head.fields.count < FixedBounds.responseFieldCount else { return note(.tooManyFields) }
        var line = head.bytes.append(field: name, value: value, known: known)
        line.isDropped = line.isHopByHop(in: head.bytes.span, origin: 0)
        head.fields.append(line)
        if head.bytes.count > FixedBounds.responseHeadBytes { note(.headTooLarge) }
    }

    private mutating func takeStatus(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        guard name.equals(":status"), head.status == 0, value.count == 3, let status = value.contentLength,
            100...599 ~= status
        else { return note(.statusLineInvalid) }
        head.status = Int(status)
        head.bytes.append("HTTP/1.1 ")
        head.bytes.append(contentsOf: value)
        head.bytes.append(0x20)
        let start = head.bytes.count
        head.bytes.append(ReasonPhrase.standard(for: head.status))
        head.reason = ByteRange(start: start, count: head.bytes.count &- start)
        head.bytes.append("\r\n")
    }

    /// Completes the head of an answer to `requestMethod`. `ends`: no content follows.
    mutating func finish(ends: Bool, requestMethod: Method, isTunnel: Bool) -> ResponseFault? {
        head.bytes.append("\r\n")
        if let fault { return fault }
        guard head.status != 0 else { return .statusLineInvalid }
        let isBare = requestMethod == .head || head.status < 200 || head.status == 204 || head.status == 304
        if isBare, !isTunnel {
            head.framing = .none
        } else if let contentLength {
            head.framing = .length(contentLength)
        } else {
            head.framing = ends ? .length(0) : .chunked
        }
        if head.framing != .chunked {
            for index in head.fields.indices where head.fields[index].known == .trailer {
                head.fields[index].isDropped = true
            }
        }
        return nil
    }
}
