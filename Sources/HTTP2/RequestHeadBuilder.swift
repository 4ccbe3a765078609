import Core

/// Makes a `RequestHead`, as of HTTP/1.1, from the fields of one header block, and judges them (RFC 9113 §8.2, §8.3).
///
/// The head reads `METHOD path HTTP/1.1`, then `host` from `:authority`, then the fields in their order with lower-case
/// names, and last the cookie crumbs as one field (§8.2.3). An extended CONNECT for a WebSocket (RFC 8441) reads as the
/// GET it stands for: `wantsUpgrade` and a dropped `upgrade: websocket` line, over `HTTPVersion.http2`.
///
/// Content of unknown length has the framing `.chunked`. The library has already refused what no HTTP/2 message may
/// hold; what concerns every version alike is judged here, as strictly as in HTTP/1.
struct RequestHeadBuilder {
    /// What a finished block is.
    enum Outcome: Equatable {
        case request
        /// A message that deserves an answer of its own.
        case refused(RequestFault)
        /// Not to be answered: the stream is to be reset.
        case malformed
    }

    var head = RequestHead()
    /// The first thing found wrong; from then on fields are counted and not kept.
    private(set) var fault: RequestFault?

    private var isMalformed = false
    private var hasLines = false
    private var hasHost = false
    private var hasHostField = false
    private var contentLength: UInt64?
    private var pseudo = PseudoFields()
    private var cookie: [UInt8] = []

    /// Forgets everything but storage.
    mutating func begin() {
        head.removeAll()
        fault = nil
        isMalformed = false
        hasLines = false
        hasHost = false
        hasHostField = false
        contentLength = nil
        pseudo.removeAll()
        cookie.removeAll(keepingCapacity: true)
    }

    mutating func note(_ fault: RequestFault) { self.fault = self.fault ?? fault }

    /// Takes the next field. Pseudo-fields come first, each once: the library sees to that.
    mutating func take(_ name: Span<UInt8>, _ value: Span<UInt8>, bounds: Bounds) {
        guard fault == nil, !isMalformed else { return }
        if !name.isEmpty, name[0] == 0x3A {
            // No pseudo-field may be longer than the whole head, so that a long one is not copied in vain.
            guard value.count <= Swift.max(bounds.targetByteLimit, bounds.headByteLimit) else {
                fault = name.equals(":path") ? .targetTooLong : .headTooLarge
                return
            }
            if !pseudo.take(name, value) { isMalformed = true }
            return
        }
        if !hasLines { beginLines(bounds) }
        guard fault == nil, !isMalformed else { return }
        takeLine(name, value, bounds)
        if head.bytes.count &+ cookie.count > bounds.headByteLimit { note(.headTooLarge) }
    }

    private mutating func takeLine(_ name: Span<UInt8>, _ received: Span<UInt8>, _ bounds: Bounds) {
        var value = received
        guard name.isLowercaseToken else { return note(.fieldNameInvalid) }
        guard value.isStrictFieldValue else { return note(.fieldValueInvalid) }
        let known = KnownField.named(name)
        switch known {
        case .cookie:
            if !cookie.isEmpty { cookie.append("; ") }
            cookie.append(contentsOf: value)
            return
        case .host:
            guard !hasHostField else { return note(.hostRepeated) }
            hasHostField = true
            // Beside :authority it may only repeat it (RFC 9113 §8.3.1).
            if hasHost {
                let agrees = Authority.significantCount(in: value).map {
                    head.bytes.span.extracting(head.authority.range).equalsIgnoringCase(value.extracting(0..<$0))
                }
                return agrees == true ? () : note(.authorityDiffers)
            }
            guard let count = Authority.significantCount(in: value) else { return note(.hostInvalid) }
            value = value.extracting(0..<count)
        case .contentLength:
            guard contentLength == nil else { return note(.contentLengthRepeated) }
            contentLength = value.contentLength
            guard contentLength != nil else { return note(.contentLengthInvalid) }
        case .expect:
            switch ExpectValue(value) {
            case .nothing: return
            case .continue(let range) where !head.expectsContinue:
                value = value.extracting(range)
                head.expectsContinue = true
            case .continue, .unknown: return note(.expectationUnknown)
            }
        case .te:
            guard value.equalsIgnoringCase("trailers") else { return isMalformed = true }
            head.acceptsTrailers = true
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade: return isMalformed = true
        case .other, .authorization, .contentType, .date, .forwarded, .maxForwards, .proxyAuthorization,
            .proxyAuthenticate, .retryAfter, .server, .trailer, .via, .wwwAuthenticate, .xForwardedFor, .xForwardedHost,
            .xForwardedProto, .xForwardedPort, .xRealIP, .xRequestID, .traceparent:
            break
        }
        guard head.fields.count < bounds.fieldCountLimit else { return note(.tooManyFields) }
        append(name, value, known)
    }

    private mutating func append(_ name: Span<UInt8>, _ value: Span<UInt8>, _ known: KnownField) {
        var line = head.bytes.append(field: name, value: value, known: known)
        line.isDropped = line.isHopByHop(in: head.bytes.span, origin: 0)
        if known == .host {
            head.authority = line.value
            hasHost = true
        }
        head.fields.append(line)
    }

    // MARK: The request line

    /// Judges the pseudo-fields and writes what they come to. At a fault the head keeps the method, for the answer and
    /// the record.
    private mutating func beginLines(_ bounds: Bounds) {
        hasLines = true
        let text = pseudo.bytes
        let method = text.span.extracting(pseudo.method.range)
        guard method.isToken else { return isMalformed = true }
        head.version = .http2
        head.method = Method(token: method)
        guard method.count <= FixedBounds.methodBytes else { return note(.methodNotSupported) }
        if head.method == .connect {
            // As over HTTP/1.1 (RFC 9110 §9.3.6): this is a gateway, not a proxy to anywhere.
            guard pseudo.hasProtocol else {
                head.bytes.append(contentsOf: method)
                head.methodRange = ByteRange(start: 0, count: method.count)
                return note(.methodNotSupported)
            }
            let isWebSocket = text.span.extracting(pseudo.proto.range).equalsIgnoringCase("websocket")
            guard isWebSocket else { return note(.methodNotSupported) }
            head.method = .get
            head.wantsUpgrade = true
            head.bytes.append("GET ")
            head.methodRange = ByteRange(start: 0, count: 3)
        } else {
            guard !pseudo.hasProtocol else { return isMalformed = true }
            head.bytes.append(contentsOf: method)
            head.methodRange = ByteRange(start: 0, count: method.count)
            head.bytes.append(0x20)
        }
        guard takeTarget(text.span, bounds) else { return }
        head.bytes.append(" HTTP/1.1\r\n")
        if !pseudo.authority.isEmpty {
            let authority = text.span.extracting(pseudo.authority.range)
            guard let count = Authority.significantCount(in: authority) else { return note(.hostInvalid) }
            append(name: "host", authority.extracting(0..<count), .host)
        } else if pseudo.hasAuthority {
            return note(.hostInvalid)
        }
        if head.wantsUpgrade { appendUpgrade() }
    }

    /// The path, in origin-form or `*`, and a scheme of the web.
    private mutating func takeTarget(_ text: Span<UInt8>, _ bounds: Bounds) -> Bool {
        let scheme = text.extracting(pseudo.scheme.range)
        let path = text.extracting(pseudo.path.range)
        guard path.count <= bounds.targetByteLimit else {
            note(.targetTooLong)
            return false
        }
        let start = head.bytes.count
        guard scheme.equalsIgnoringCase("https") || scheme.equalsIgnoringCase("http"),
            path.firstIndexOutsideTarget(from: 0) == path.count, let target = RequestTarget(path, start: start),
            target.form == .origin || target.form == .asterisk && head.method == .options
        else {
            note(.targetInvalid)
            return false
        }
        head.bytes.append(contentsOf: path)
        head.target = ByteRange(start: start, count: path.count)
        target.store(in: &head)
        return true
    }

    private mutating func appendUpgrade() {
        let websocket: InlineArray<9, UInt8> = [0x77, 0x65, 0x62, 0x73, 0x6F, 0x63, 0x6B, 0x65, 0x74]
        append(name: "upgrade", websocket.span, .upgrade)
    }

    private mutating func append(name: StaticString, _ value: Span<UInt8>, _ known: KnownField) {
        name.withUTF8Buffer { buffer in
            // SAFETY: a static string's bytes live as long as the program.
            append(unsafe Span(_unsafeElements: buffer), value, known)
        }
    }

    // MARK: The end of the block

    /// Completes the head. `ends`: no content follows.
    mutating func finish(ends: Bool, bounds: Bounds) -> Outcome {
        if !hasLines, fault == nil, !isMalformed { beginLines(bounds) }
        if fault == nil, !isMalformed, !cookie.isEmpty {
            let value = cookie
            append(name: "cookie", value.span, .cookie)
            if head.fields.count > bounds.fieldCountLimit { note(.tooManyFields) }
        }
        head.bytes.append("\r\n")
        if isMalformed { return .malformed }
        if let fault { return .refused(fault) }
        guard hasHost else { return .refused(.hostMissing) }
        if head.bytes.count > bounds.headByteLimit { return .refused(.headTooLarge) }
        if let contentLength {
            head.framing = .length(contentLength)
        } else if !ends, !head.wantsUpgrade {
            head.framing = .chunked
        }
        if head.framing != .chunked {
            for index in head.fields.indices where head.fields[index].known == .trailer {
                head.fields[index].isDropped = true
            }
        }
        return .request
    }
}
