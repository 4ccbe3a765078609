import CNghttp2
package import Core

/// The session of a client's connection: requests in, responses out.
package final class HTTP2ServerSession: HTTP2Session {
    /// The bounds of heads. A change holds from the next request on.
    package var bounds: Bounds

    private unowned let server: any HTTP2ServerDelegate
    private var builder = RequestHeadBuilder()
    private var isInTrailers = false
    private var history = StreamHistory()
    private var frameSince: Instant?

    /// Queues SETTINGS. `acceptsWebSockets` allows extended CONNECT (RFC 8441 §3).
    package init(bounds: Bounds, limits: HTTP2Bounds, acceptsWebSockets: Bool, delegate: any HTTP2ServerDelegate) {
        self.bounds = bounds
        server = delegate
        super.init(side: .server, limits: limits, delegate: delegate)
        var settings: [(nghttp2_settings_id, UInt32)] = [
            (NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.concurrentStreams),
            (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.streamWindowBytes),
            (NGHTTP2_SETTINGS_MAX_FRAME_SIZE, limits.frameBytes),
            (NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, limits.headerTableBytes),
            (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(clamping: bounds.headByteLimit)),
            // No dependency tree to be kept and attacked; the newer priorities (RFC 9218) are the library's own.
            (NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
        ]
        if acceptsWebSockets { settings.append((NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1)) }
        begin(settings)
    }

    // MARK: Bytes in

    override package func receive(_ bytes: Span<UInt8>, now: Instant) {
        let before = boundary.endedCount
        super.receive(bytes, now: now)
        let hasEnded = boundary.endedCount != before
        if !boundary.isInside {
            frameSince = nil
        } else if hasEnded || frameSince == nil {
            frameSince = now
        }
    }

    /// When what the client is in the middle of sending began: the preface, a header block, a frame. Nil between frames, and
    /// within content as long as there are streams, whose own progress tells then.
    package var unfinishedSince: Instant? {
        guard let frameSince, !boundary.isInsideContent || streams.isEmpty else { return headerBlockSince }
        return headerBlockSince.map { min($0, frameSince) } ?? frameSince
    }

    // MARK: Streams that are not open

    override var headAllowance: Int { bounds.headByteLimit }

    override func noteReset(of id: Int32) { history.reset(id) }

    /// A new stream; what a client sent before it could see that its stream was reset, or behind our GOAWAY; or an end of the
    /// connection, since the stream was used before (RFC 9113 §5.1, §5.1.1).
    override func admitUnknown(_ header: FrameHeader) -> Bool {
        // Of identifiers that clients never use the library says what is wrong.
        guard header.stream & 1 == 1 else { return true }
        switch history.past(of: header.stream) {
        case .idle:
            guard header.kind == .headers else { return true }
            history.opened(header.stream)
            return !isLeaving || charge(.refusedStream)
        case .reset: return true
        case .closed where isIgnored(header.stream), .skipped where isIgnored(header.stream): return true
        case .closed: fail(.streamClosed)
        case .skipped: fail(.protocolViolated)
        }
        return false
    }

    /// The stream came behind our GOAWAY.
    private func isIgnored(_ id: Int32) -> Bool { isLeaving && id > lastProcessed }

    // MARK: Requests

    override func beginHeaders(of id: Int32, category: nghttp2_headers_category) {
        isInTrailers = category != NGHTTP2_HCAT_REQUEST
        if isInTrailers {
            trailers.begin()
        } else {
            _ = open(id)
            builder.begin()
        }
    }

    override func takeField(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        if isInTrailers {
            trailers.take(name, value)
        } else {
            builder.take(name, value, bounds: bounds)
        }
    }

    override func noteInvalidField(_ name: Span<UInt8>) {
        if isInTrailers {
            trailers.noteInvalidField()
        } else if builder.fault == nil {
            builder.note(name.isLowercaseToken ? .fieldValueInvalid : .fieldNameInvalid)
        }
    }

    override func endHeaders(of stream: HTTP2Stream, ends: Bool) {
        if isInTrailers { return endTrailers(of: stream) }
        stream.isRemoteEnded = ends
        switch builder.finish(ends: ends, bounds: bounds) {
        case .request:
            stream.isTunnel = builder.head.wantsUpgrade
            stream.requestMethod = builder.head.method
            stream.isAnnounced = true
            server.session(self, received: &builder.head, on: stream)
        case .refused(let fault):
            guard charge(Glitch.malformedRequest.points &+ meter.refuse()) else { return }
            stream.requestMethod = builder.head.method
            stream.dropsContent = true
            stream.isAnnounced = true
            server.session(self, refused: fault, head: &builder.head, on: stream)
        case .malformed:
            reset(stream, .protocolError)
            guard charge(Glitch.provokedReset.points &+ meter.refuse()) else { return }
            server.session(self, reset: &builder.head, on: stream)
        }
    }

    override func rejectHeaders(of stream: HTTP2Stream) { server.session(self, reset: &builder.head, on: stream) }

    override var resetGlitch: Glitch? { .cancelledStream }

    /// The answer is whole and the request is not: the client may stop sending it (RFC 9113 §8.1).
    override func endedLocally(_ stream: HTTP2Stream) {
        guard !stream.isRemoteEnded, !stream.isTunnel else { return }
        if stream.isAnnounced { server.session(self, answeredBeforeEndOf: stream) } else { reset(stream, .noError) }
    }

    // MARK: Responses

    /// Queues the head of a final response; `send` and `endContent` are to follow where `framing` says there is content.
    ///
    /// The received fields pass unless dropped, `content-length` is made anew from `framing`, and fields about an
    /// HTTP/1 connection never pass. `date` is an IMF-fixdate, used where the upstream sent none (RFC 9110 §6.6.1).
    package func submitHead(
        on stream: HTTP2Stream, status: Int, head: inout ResponseHead, framing: ResponseFraming, added: borrowing HeaderLines,
        date: Span<UInt8>
    ) {
        guard stream.isOpen else { return }
        let received = head.bytes.span
        unsafe received.withUnsafeBufferPointer { received in
            unsafe date.withUnsafeBufferPointer { date in
                beginBlock(status: status)
                var hasDate = false
                for line in head.fields where !line.isDropped && line.known.travelsOverHTTP2 {
                    if line.known == .contentLength, framing != .described { continue }
                    if line.known == .date { hasDate = true }
                    unsafe vector.append(line, of: received)
                }
                if !hasDate { unsafe vector.append(name: "date", value: date) }
                if case .length(let count) = framing { vector.append(name: "content-length", decimal: count) }
                vector.append(added)
                submitResponse(on: stream, ends: framing.hasNoContent)
            }
        }
    }

    /// Queues an interim response (1xx) of an upstream.
    package func submitInterim(on stream: HTTP2Stream, head: inout ResponseHead, added: borrowing HeaderLines) {
        // RFC 9113 §8.6: 101 does not exist here.
        guard stream.isOpen, 100..<200 ~= head.status, head.status != 101 else { return }
        let received = head.bytes.span
        unsafe received.withUnsafeBufferPointer { received in
            beginBlock(status: head.status)
            for line in head.fields
            where !line.isDropped && line.known.travelsOverHTTP2 && line.known != .contentLength {
                unsafe vector.append(line, of: received)
            }
            vector.append(added)
            submitInterim(on: stream)
        }
    }

    /// Queues `100 Continue` of the gateway itself.
    package func submitContinue(on stream: HTTP2Stream) {
        guard stream.isOpen else { return }
        beginBlock(status: 100)
        submitInterim(on: stream)
    }

    /// Queues an answer of the gateway itself, head, content and end. `lines` say all but Date and Content-Length. To
    /// HEAD the same head goes without the content; 204 and 304 have none.
    package func submitAnswer(
        on stream: HTTP2Stream, status: Int, lines: borrowing HeaderLines, body: Span<UInt8>, requestMethod: Method,
        date: Span<UInt8>
    ) {
        guard stream.isOpen else { return }
        let mayHaveContent = status >= 200 && status != 204 && status != 304
        let hasContent = mayHaveContent && requestMethod != .head && !body.isEmpty
        unsafe date.withUnsafeBufferPointer { date in
            beginBlock(status: status)
            unsafe vector.append(name: "date", value: date)
            if mayHaveContent { vector.append(name: "content-length", decimal: UInt64(body.count)) }
            vector.append(lines)
            submitResponse(on: stream, ends: !hasContent)
        }
        guard hasContent else { return }
        send(body, on: stream)
        endContent(on: stream)
    }

    /// Ends a tunnel for both sides, behind the content queued: what the client still sends is not waited for.
    package func endTunnel(_ stream: HTTP2Stream) {
        stream.isTunnel = false
        endContent(on: stream)
        if stream.isLocalEnded { endedLocally(stream) }
    }

    private func beginBlock(status: Int) {
        vector.removeAll()
        vector.append(name: ":status", decimal: UInt64(clamping: status))
    }

    private func submitInterim(on stream: HTTP2Stream) {
        check(
            unsafe vector.submit { fields, count in
                unsafe nghttp2_submit_headers(raw, 0, stream.id, nil, fields, count, nil)
            })
    }
}
