package import Core

/// Parses the request heads of one client connection, one after another (RFC 9112 §2, §3, §5). Each byte is looked at
/// once, however the head arrives; the outcome is the same however it is cut.
package struct RequestHeadParser: Sendable {
    private enum Step: UInt8 { case emptyLines, method, target, version, fields }

    private var step = Step.emptyLines
    private var emptyLineCount = 0
    /// The first byte of the head, behind the empty lines.
    private var origin = 0
    /// The first byte of the element being read.
    private var mark = 0
    private var position = 0
    private var scanner = FieldSectionScanner(at: 0)
    private var framing = FramingFields()
    /// Lines read so far. Those in the head beyond them are of a head before.
    private var fieldCount = 0
    private var host = ByteRange.empty
    private var hasHost = false
    private var hasUpgrade = false
    /// The head as far as it was read, between calls: nothing, or one. An array, so that it costs a word when there is
    /// nothing to keep, which is nearly always.
    private var partial: [RequestHead] = []

    package init() {}

    /// Looks at `bytes`, which begin at the connection's first unconsumed byte: at the call after `.incomplete` the
    /// same bytes again with more behind them. After `.complete` the parser is ready for the next head. Whatever the
    /// outcome, no more than `bounds.headByteLimit` bytes of a head are looked at.
    ///
    /// `head` means something after `.complete` only, and is empty after `.malformed`. One value may serve many
    /// connections in turn: what was read of an incomplete head is kept in the parser, never in `head`.
    package mutating func parse(
        _ bytes: Span<UInt8>, bounds: Bounds, into head: inout RequestHead
    ) -> HeadProgress {
        if !partial.isEmpty { head = partial.removeLast() }
        let progress = advance(bytes, bounds: bounds, into: &head)
        switch progress {
        case .complete: self = RequestHeadParser()
        case .malformed:
            self = RequestHeadParser()
            head.removeAll()
        case .incomplete:
            if step == .emptyLines { break }
            partial.append(head)
            head = RequestHead()
        }
        return progress
    }

    private mutating func advance(
        _ bytes: Span<UInt8>, bounds: Bounds, into head: inout RequestHead
    ) -> HeadProgress {
        if step == .emptyLines {
            if let stop = skipEmptyLines(bytes) { return stop }
            head.removeFacts()
        }
        // A head is judged within its limit only, so that the outcome does not depend on how much has arrived.
        let (limit, overflow) = origin.addingReportingOverflow(bounds.headByteLimit)
        let isLimited = !overflow && bytes.count >= limit
        let window = isLimited ? bytes.extracting(0..<limit) : bytes
        let progress = advance(within: window, bounds: bounds, into: &head)
        guard progress == .incomplete, isLimited else { return progress }
        return .malformed(step == .target ? .targetTooLong : .headTooLarge)
    }

    private mutating func advance(
        within bytes: Span<UInt8>, bounds: Bounds, into head: inout RequestHead
    ) -> HeadProgress {
        if step == .method, let stop = readMethod(bytes, into: &head) { return stop }
        if step == .target, let stop = readTarget(bytes, limit: bounds.targetByteLimit, into: &head) { return stop }
        if step == .version, let stop = readVersion(bytes, into: &head) { return stop }
        return readFields(bytes, limit: bounds.fieldCountLimit, into: &head)
    }

    /// RFC 9112 §2.2: a few empty lines before a request line are a client's slip.
    private mutating func skipEmptyLines(_ bytes: Span<UInt8>) -> HeadProgress? {
        while origin < bytes.count, bytes[origin] == 0x0D {
            guard origin &+ 1 < bytes.count else { return .incomplete }
            guard bytes[origin &+ 1] == 0x0A else { return .malformed(.lineEndingInvalid) }
            emptyLineCount &+= 1
            guard emptyLineCount <= FixedBounds.leadingEmptyLines else { return .malformed(.requestLineInvalid) }
            origin &+= 2
        }
        guard origin < bytes.count else { return .incomplete }
        mark = origin
        position = origin
        step = .method
        return nil
    }

    // MARK: Request line

    private mutating func readMethod(_ bytes: Span<UInt8>, into head: inout RequestHead) -> HeadProgress? {
        let stop = Swift.min(bytes.count, mark &+ FixedBounds.methodBytes &+ 1)
        position = bytes.extracting(0..<stop).firstIndexOutsideToken(from: position)
        guard position &- mark <= FixedBounds.methodBytes else { return .malformed(.methodNotSupported) }
        guard position < bytes.count else { return .incomplete }
        guard bytes[position] == 0x20, position > mark else { return .malformed(.requestLineInvalid) }
        head.methodRange = ByteRange(start: mark &- origin, count: position &- mark)
        head.method = Method(token: bytes.extracting(mark..<position))
        guard head.method != .connect else { return .malformed(.methodNotSupported) }
        position &+= 1
        mark = position
        step = .target
        return nil
    }

    private mutating func readTarget(
        _ bytes: Span<UInt8>, limit: Int, into head: inout RequestHead
    ) -> HeadProgress? {
        // One byte beyond the limit shows that it is passed; nothing behind that byte is looked at.
        let (end, overflow) = mark.addingReportingOverflow(limit)
        let stop = overflow || end >= bytes.count ? bytes.count : end &+ 1
        position = bytes.extracting(0..<stop).firstIndexOutsideTarget(from: position)
        guard position &- mark <= limit else { return .malformed(.targetTooLong) }
        guard position < bytes.count else { return .incomplete }
        guard bytes[position] == 0x20 else {
            let isLineEnd = bytes[position] == 0x0D || bytes[position] == 0x0A
            return .malformed(isLineEnd ? .requestLineInvalid : .targetInvalid)
        }
        let target = RequestTarget(bytes.extracting(mark..<position), start: mark &- origin)
        guard let target else { return .malformed(.targetInvalid) }
        target.store(in: &head)
        head.target = ByteRange(start: mark &- origin, count: position &- mark)
        position &+= 1
        mark = position
        step = .version
        return nil
    }

    /// `HTTP/1.0` or `HTTP/1.1` and CR LF. Ten bytes at most are looked at again when they come one by one.
    private mutating func readVersion(_ bytes: Span<UInt8>, into head: inout RequestHead) -> HeadProgress? {
        let line = bytes.extracting(mark..<Swift.min(bytes.count, mark &+ 10))
        switch VersionProbe(line) {
        case .incomplete: return .incomplete
        case .notHTTP: return .malformed(.requestLineInvalid)
        case .unsupported: return .malformed(.versionNotSupported)
        case .version(let version): head.version = version
        }
        if line.count > 8 {
            guard line[8] == 0x0D else {
                return .malformed(line[8] == 0x0A ? .lineEndingInvalid : .requestLineInvalid)
            }
        }
        guard line.count == 10 else { return .incomplete }
        guard line[9] == 0x0A else { return .malformed(.lineEndingInvalid) }
        guard head.targetForm != .asterisk || head.method == .options else { return .malformed(.targetInvalid) }
        scanner = FieldSectionScanner(at: mark &+ 10)
        step = .fields
        return nil
    }

    // MARK: Fields

    private mutating func readFields(
        _ bytes: Span<UInt8>, limit: Int, into head: inout RequestHead
    ) -> HeadProgress {
        while true {
            switch scanner.next(bytes, origin: origin) {
            case .incomplete: return .incomplete
            case .malformed(let fault): return .malformed(RequestFault(fault))
            case .line(var line):
                guard fieldCount < limit else { return .malformed(.tooManyFields) }
                line.isDropped = line.isHopByHop(in: bytes, origin: origin)
                if line.known != .other, let fault = take(&line, in: bytes, head: &head) {
                    return .malformed(fault)
                }
                head.fields.put(line, at: fieldCount)
                fieldCount &+= 1
            case .end: return finish(bytes, head: &head)
            }
        }
    }

    /// Takes note of what a field says about the host, framing or the connection.
    private mutating func take(_ line: inout FieldLine, in bytes: Span<UInt8>, head: inout RequestHead) -> RequestFault? {
        let value = bytes.extracting(origin &+ Int(line.value.start)..<origin &+ line.value.end)
        var fault: FramingFieldFault?
        switch line.known {
        case .host:
            guard !hasHost else { return .hostRepeated }
            guard let count = Authority.significantCount(in: value) else { return .hostInvalid }
            line.value = ByteRange(start: Int(line.value.start), count: count)
            hasHost = true
            host = line.value
        case .contentLength: fault = framing.takeContentLength(value)
        case .transferEncoding:
            guard head.version != .http10 else { return .transferEncodingInHTTP10 }
            fault = framing.takeTransferEncoding(value)
        case .connection: fault = framing.takeConnection(value)
        case .expect:
            // RFC 9110 §10.1.1: the expectation of an HTTP/1.0 client means nothing, so it does not travel on either.
            if head.version == .http10 {
                line.isDropped = true
            } else {
                switch ExpectValue(value) {
                case .nothing: line.isDropped = true
                case .continue(let range) where !head.expectsContinue:
                    line.value = ByteRange(start: Int(line.value.start) &+ range.lowerBound, count: range.count)
                    head.expectsContinue = true
                case .continue, .unknown: return .expectationUnknown
                }
            }
        case .te: if value.listContains("trailers") { head.acceptsTrailers = true }
        case .upgrade: if !value.isEmpty { hasUpgrade = true }
        case .other, .authorization, .contentType, .cookie, .date, .forwarded, .keepAlive, .maxForwards,
            .proxyConnection, .proxyAuthorization, .proxyAuthenticate, .retryAfter, .server, .trailer, .via,
            .wwwAuthenticate, .xForwardedFor, .xForwardedHost, .xForwardedProto, .xForwardedPort, .xRealIP, .xRequestID,
            .traceparent:
            return nil
        }
        return fault.map(RequestFault.init)
    }

    /// What can only be said when the whole head is there.
    private mutating func finish(_ bytes: Span<UInt8>, head: inout RequestHead) -> HeadProgress {
        let end = scanner.position
        guard hasHost || head.version == .http10 else { return .malformed(.hostMissing) }
        guard !framing.isChunked || framing.contentLength == nil else { return .malformed(.framingAmbiguous) }
        if framing.isChunked {
            head.framing = .chunked
        } else if let length = framing.contentLength {
            head.framing = .length(length)
        }
        let received = bytes.extracting(origin..<end)
        head.bytes.replaceAll(with: received)
        head.fields.removeLines(from: fieldCount)
        if head.targetForm != .absolute { head.authority = host }
        head.keepsAlive = !framing.closes && (head.version != .http10 || framing.keepsAlive)
        head.wantsUpgrade = head.version != .http10 && framing.upgrades && hasUpgrade
        // What has no content may ask for an upgrade, and need not say twice that it has none.
        if head.wantsUpgrade, head.framing == .length(0) { head.framing = .none }
        framing.dropNamedFields(&head.fields, in: received)
        if !framing.isChunked {
            for index in head.fields.indices where head.fields[index].known == .trailer {
                head.fields[index].isDropped = true
            }
        }
        return .complete(byteCount: end)
    }
}
