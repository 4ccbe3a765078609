package import Core

/// Parses the response heads of one upstream connection, interim ones (1xx) too, one after another (RFC 9112 §4, §5,
/// §6.3). Each byte is looked at once, however the head arrives. As strict as the request parser: an upstream that
/// cannot write a head cannot be trusted to end a body. For upstreams that the policy calls lenient, what `LenientSection` can mend
/// is mended first, and statuses go to 999.
package struct ResponseHeadParser: Sendable {
    private enum Step: UInt8 { case statusLine, reason, lineFeed, fields }

    private var step = Step.statusLine
    private var position = 0
    private var scanner = FieldSectionScanner(at: 0)
    private var framing = FramingFields()
    /// Lines read so far. Those in the head beyond them are of a head before.
    private var fieldCount = 0
    /// The head as far as it was read, between calls: nothing, or one.
    private var partial: [ResponseHead] = []

    private let isLenient: Bool

    package init(isLenient: Bool = false) { self.isLenient = isLenient }

    /// Looks at `bytes`, which begin at the connection's first unconsumed byte: at the call after `.incomplete` the
    /// same bytes again with more behind them. After `.complete` the parser is ready for the next head. `head` means
    /// something then only, and may serve other connections in between.
    ///
    /// `requestMethod` is that of the request answered, since a response to HEAD has no content whatever it says. No
    /// more than `FixedBounds.responseHeadBytes` bytes and `FixedBounds.responseFieldCount` fields make a head.
    package mutating func parse(
        _ bytes: Span<UInt8>, requestMethod: Method, into head: inout ResponseHead
    ) -> ResponseProgress {
        if isLenient { return parseLeniently(bytes, requestMethod: requestMethod, into: &head) }
        if !partial.isEmpty { head = partial.removeLast() }
        let isLimited = bytes.count >= FixedBounds.responseHeadBytes
        let window = isLimited ? bytes.extracting(0..<FixedBounds.responseHeadBytes) : bytes
        var progress = advance(window, requestMethod: requestMethod, into: &head)
        if isLimited, progress == .incomplete { progress = .malformed(.headTooLarge) }
        switch progress {
        case .complete: self = ResponseHeadParser()
        case .malformed:
            self = ResponseHeadParser()
            head.removeAll()
        case .incomplete:
            if position == 0 { break }
            partial.append(head)
            head = ResponseHead()
        }
        return progress
    }

    /// The head is rewritten when it is all there, and then read like any other.
    @inline(never)
    private mutating func parseLeniently(
        _ bytes: Span<UInt8>, requestMethod: Method, into head: inout ResponseHead
    ) -> ResponseProgress {
        let isLimited = bytes.count >= FixedBounds.responseHeadBytes
        let window = isLimited ? bytes.extracting(0..<FixedBounds.responseHeadBytes) : bytes
        var fault: ResponseFault?
        switch VersionProbe(window.extracting(0..<Swift.min(window.count, 8))) {
        case .incomplete, .version: break
        case .notHTTP: fault = window.isEmpty ? nil : .statusLineInvalid
        case .unsupported: fault = .versionNotSupported
        }
        if fault == nil {
            guard let end = LenientSection.end(of: window, hasStartLine: true, from: &position) else {
                guard isLimited else { return .incomplete }
                self = ResponseHeadParser(isLenient: true)
                head.removeAll()
                return .malformed(.headTooLarge)
            }
            var clean: [UInt8] = []
            clean.reserveCapacity(end &+ 64)
            fault = LenientSection.clean(window.extracting(0..<end), hasStartLine: true, into: &clean).map(ResponseFault.init)
            self = ResponseHeadParser(isLenient: true)
            if fault == nil {
                switch advance(clean.span, requestMethod: requestMethod, into: &head) {
                case .complete(clean.count):
                    self = ResponseHeadParser(isLenient: true)
                    return .complete(byteCount: end)
                case .complete, .incomplete: fault = .lineEndingInvalid
                case .malformed(let found): fault = found
                }
            }
        }
        self = ResponseHeadParser(isLenient: true)
        head.removeAll()
        return .malformed(fault ?? .statusLineInvalid)
    }

    private mutating func advance(
        _ bytes: Span<UInt8>, requestMethod: Method, into head: inout ResponseHead
    ) -> ResponseProgress {
        if step == .statusLine, let stop = readStatus(bytes, into: &head) { return stop }
        if step == .reason, let stop = readReason(bytes, into: &head) { return stop }
        if step == .lineFeed {
            guard position < bytes.count else { return .incomplete }
            guard bytes[position] == 0x0A else { return .malformed(.lineEndingInvalid) }
            scanner = FieldSectionScanner(at: position &+ 1)
            step = .fields
        }
        return readFields(bytes, requestMethod: requestMethod, into: &head)
    }

    // MARK: Status line

    /// `HTTP/1.1 200` and what must follow it: a space before the reason, or the CR of a line without one.
    private mutating func readStatus(_ bytes: Span<UInt8>, into head: inout ResponseHead) -> ResponseProgress? {
        let line = bytes.extracting(0..<Swift.min(bytes.count, 13))
        if line.isEmpty { return .incomplete }
        if position == 0 {
            head.removeFacts()
            position = 1
        }
        switch VersionProbe(line.extracting(0..<Swift.min(line.count, 8))) {
        case .incomplete: return .incomplete
        case .notHTTP: return .malformed(.statusLineInvalid)
        case .unsupported: return .malformed(.versionNotSupported)
        case .version(let version): head.version = version
        }
        var status = 0
        for index in 8..<line.count {
            switch index {
            case 8: guard line[8] == 0x20 else { return .malformed(.statusLineInvalid) }
            case 12: guard line[12] == 0x20 || line[12] == 0x0D else { return .malformed(.statusLineInvalid) }
            default:
                guard line[index].isDigit else { return .malformed(.statusLineInvalid) }
                status = status &* 10 &+ Int(line[index] &- 0x30)
            }
        }
        guard line.count == 13 else { return .incomplete }
        guard 100...(isLenient ? 999 : 599) ~= status else { return .malformed(.statusLineInvalid) }
        head.status = status
        position = 13
        head.reason = ByteRange(start: 13, count: 0)
        step = line[12] == 0x20 ? .reason : .lineFeed
        return nil
    }

    private mutating func readReason(_ bytes: Span<UInt8>, into head: inout ResponseHead) -> ResponseProgress? {
        position = bytes.firstIndexOutsideFieldValue(from: position)
        guard position < bytes.count else { return .incomplete }
        guard bytes[position] == 0x0D else {
            return .malformed(bytes[position] == 0x0A ? .lineEndingInvalid : .statusLineInvalid)
        }
        head.reason = ByteRange(start: 13, count: position &- 13)
        position &+= 1
        step = .lineFeed
        return nil
    }

    // MARK: Fields

    private mutating func readFields(
        _ bytes: Span<UInt8>, requestMethod: Method, into head: inout ResponseHead
    ) -> ResponseProgress {
        let limit = FixedBounds.responseFieldCount
        while true {
            switch scanner.next(bytes, origin: 0) {
            case .incomplete: return .incomplete
            case .malformed(let fault): return .malformed(ResponseFault(fault))
            case .line(var line):
                guard fieldCount < limit else { return .malformed(.tooManyFields) }
                line.isDropped = line.isHopByHop(in: bytes, origin: 0)
                if line.known != .other, let fault = take(line, in: bytes, version: head.version) {
                    return .malformed(fault)
                }
                head.fields.put(line, at: fieldCount)
                fieldCount &+= 1
            case .end: return finish(bytes, requestMethod: requestMethod, head: &head)
            }
        }
    }

    /// Takes note of what a field says about framing or the connection.
    private mutating func take(_ line: FieldLine, in bytes: Span<UInt8>, version: HTTPVersion) -> ResponseFault? {
        let value = bytes.extracting(line.value.range)
        var fault: FramingFieldFault?
        switch line.known {
        case .contentLength: fault = framing.takeContentLength(value)
        case .transferEncoding:
            guard version != .http10 else { return .transferEncodingInHTTP10 }
            fault = framing.takeTransferEncoding(value)
        case .connection: fault = framing.takeConnection(value)
        case .other, .authorization, .contentType, .cookie, .date, .expect, .forwarded, .host, .keepAlive, .maxForwards,
            .proxyConnection, .proxyAuthorization, .proxyAuthenticate, .retryAfter, .server, .te, .trailer, .upgrade,
            .via, .wwwAuthenticate, .xForwardedFor, .xForwardedHost, .xForwardedProto, .xForwardedPort, .xRealIP,
            .xRequestID, .traceparent:
            return nil
        }
        return fault.map(ResponseFault.init)
    }

    /// RFC 9112 §6.3, in its order.
    private mutating func finish(
        _ bytes: Span<UInt8>, requestMethod: Method, head: inout ResponseHead
    ) -> ResponseProgress {
        let end = scanner.position
        guard !framing.isChunked || framing.contentLength == nil else { return .malformed(.framingAmbiguous) }
        if requestMethod == .head || head.status < 200 || head.status == 204 || head.status == 304 {
            head.framing = .none
        } else if framing.isChunked {
            head.framing = .chunked
        } else if let length = framing.contentLength {
            head.framing = .length(length)
        } else {
            head.framing = .untilClose
        }
        head.keepsAlive =
            !framing.closes && head.framing != .untilClose && (head.version != .http10 || framing.keepsAlive)
        let received = bytes.extracting(0..<end)
        head.bytes.replaceAll(with: received)
        head.fields.removeLines(from: fieldCount)
        framing.dropNamedFields(&head.fields, in: received)
        if head.framing != .chunked {
            for index in head.fields.indices where head.fields[index].known == .trailer {
                head.fields[index].isDropped = true
            }
        }
        return .complete(byteCount: end)
    }
}
