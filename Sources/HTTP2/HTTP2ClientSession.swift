import CNghttp2
package import Core

/// The session of a connection to an upstream: requests out, responses in.
package final class HTTP2ClientSession: HTTP2Session {
    private unowned let client: any HTTP2ClientDelegate
    private var builder = ResponseHeadBuilder()
    private var isInTrailers = false
    /// The upstream acknowledged our SETTINGS.
    private var hasSettled = false

    /// Queues the preface and SETTINGS. Nothing may be pushed.
    package init(limits: HTTP2Bounds, delegate: any HTTP2ClientDelegate) {
        client = delegate
        super.init(side: .client, limits: limits, delegate: delegate)
        begin([
            (NGHTTP2_SETTINGS_ENABLE_PUSH, 0),
            (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.initialWindowBytes),
            (NGHTTP2_SETTINGS_MAX_FRAME_SIZE, limits.frameBytes),
            (NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, limits.headerTableBytes),
            (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(clamping: FixedBounds.responseHeadBytes)),
        ])
    }

    // MARK: Requests

    /// How many streams may be open at one time: what the upstream allows, and ours at most.
    package var streamLimit: Int {
        let remote = unsafe nghttp2_session_get_remote_settings(raw, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        return Int(Swift.min(remote, limits.concurrentStreams))
    }

    /// Another request may be submitted now.
    package var canOpenStream: Bool {
        guard failure == nil, !isPeerLeaving, !isLeaving, streams.count < streamLimit else { return false }
        return unsafe nghttp2_session_check_request_allowed(raw) != 0
    }

    /// The upstream said that it takes WebSockets (RFC 8441 §3).
    package var takesWebSockets: Bool {
        unsafe nghttp2_session_get_remote_settings(raw, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1
    }

    /// Queues a request's head; `send` and `endContent` are to follow where `framing` says there is content. Nil when no
    /// stream can be opened.
    ///
    /// The received fields pass unless dropped; host, `content-length` and fields about an HTTP/1 connection never do:
    /// `:authority` is `host`, `content-length` is made from `framing`. `target` is in origin-form or `*`. As a WebSocket
    /// the request is an extended CONNECT, whose content is the tunnel.
    package func submitRequest(
        head: inout RequestHead, target: Span<UInt8>, host: Span<UInt8>, isSecure: Bool, framing: BodyFraming,
        added: borrowing HeaderLines, isWebSocket: Bool = false
    ) -> HTTP2Stream? {
        guard canOpenStream, !isWebSocket || takesWebSockets else { return nil }
        let stream = HTTP2Stream(id: 0, now: now)
        stream.requestMethod = isWebSocket ? .connect : head.method
        stream.isTunnel = isWebSocket
        let received = head.bytes.span
        let id = unsafe received.withUnsafeBufferPointer { received in
            vector.removeAll()
            if isWebSocket {
                vector.append(name: ":method", value: "CONNECT")
                vector.append(name: ":protocol", value: "websocket")
            } else {
                unsafe vector.append(name: ":method", value: UnsafeBufferPointer(rebasing: received[head.methodRange.range]))
            }
            vector.append(name: ":scheme", value: isSecure ? "https" : "http")
            unsafe host.withUnsafeBufferPointer { unsafe vector.append(name: ":authority", value: $0) }
            unsafe target.withUnsafeBufferPointer { unsafe vector.append(name: ":path", value: $0) }
            for line in head.fields
            where !line.isDropped && line.known.travelsOverHTTP2 && line.known != .host && line.known != .contentLength {
                unsafe vector.append(line, of: received)
            }
            if case .length(let count) = framing, !isWebSocket { vector.append(name: "content-length", decimal: count) }
            if head.acceptsTrailers { vector.append(name: "te", value: "trailers") }
            vector.append(added)
            return submitRequest(on: stream, ends: !isWebSocket && (framing == .none || framing == .length(0)))
        }
        guard id > 0 else { return nil }
        stream.id = id
        stream.isAnnounced = true
        insert(stream)
        return stream
    }

    /// Ends a tunnel for both sides, behind the content queued: what the upstream still sends is dropped.
    package func leaveTunnel(_ stream: HTTP2Stream) {
        stream.isTunnel = false
        stream.dropsContent = true
        endContent(on: stream)
        if stream.isLocalEnded { endedLocally(stream) }
    }

    override func endedLocally(_ stream: HTTP2Stream) {
        if stream.dropsContent, !stream.isRemoteEnded { reset(stream, .cancel) }
    }

    private func submitRequest(on stream: HTTP2Stream, ends: Bool) -> Int32 {
        stream.isContentEnded = ends
        // SAFETY: `streams` holds the object until the library closes the stream or says that the request never left.
        let pointer = unsafe Unmanaged.passUnretained(stream).toOpaque()
        return unsafe vector.submit { fields, count in
            if ends { return unsafe nghttp2_submit_request(raw, nil, fields, count, nil, pointer) }
            var provider = unsafe contentProvider(for: stream)
            return unsafe nghttp2_submit_request(raw, nil, fields, count, &provider, pointer)
        }
    }

    // MARK: Responses

    /// An upstream can provoke no more resets than it is sent requests, and those of many clients share the connection: an answer
    /// that is merely wrong must not cost the others theirs.
    override var provokedResetPoints: Int64 { 1 }

    /// The library ends the connection when the upstream breaks its rules, and reports that only when its GOAWAY is written.
    /// Known at once, the fault is not taken for what follows it: the end of the connection, or a request that was never sent.
    override func tookInput() {
        guard failure == nil, !isLeaving, !isPeerLeaving else { return }
        guard unsafe nghttp2_session_get_next_stream_id(raw) <= UInt32(Int32.max) else { return }
        if unsafe nghttp2_session_check_request_allowed(raw) == 0 { fail(.protocolViolated) }
    }

    override var headAllowance: Int { FixedBounds.responseHeadBytes }

    /// What an upstream sends for a stream that we opened and that is gone is ignored: we may have reset it. Streams of its own
    /// it has none.
    override func admitUnknown(_ header: FrameHeader) -> Bool {
        if header.stream != 0, header.stream & 1 == 0 { fail(.protocolViolated) }
        return failure == nil
    }

    override func beginHeaders(of id: Int32, category: nghttp2_headers_category) {
        isInTrailers = stream(id)?.hasFinalResponse ?? false
        if isInTrailers {
            trailers.begin()
        } else {
            builder.begin()
        }
    }

    override func takeField(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        if isInTrailers {
            trailers.take(name, value)
        } else {
            builder.take(name, value)
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
        guard !stream.dropsContent else { return }
        if isInTrailers { return endTrailers(of: stream) }
        var fault = builder.finish(ends: ends, requestMethod: stream.requestMethod, isTunnel: stream.isTunnel)
        let isInterim = builder.head.status < 200
        if isInterim {
            stream.interimCount &+= 1
            if stream.interimCount > FixedBounds.interimAnswers { fault = fault ?? .headTooLarge }
        }
        if let fault {
            stream.dropsContent = true
            reset(stream, .protocolError)
            guard charge(meter.refuse() &+ provokedResetPoints) else { return }
            client.session(self, refused: fault, on: stream)
        } else if isInterim {
            client.session(self, receivedInterim: &builder.head, on: stream)
        } else {
            stream.hasFinalResponse = true
            stream.isRemoteEnded = ends
            client.session(self, received: &builder.head, on: stream)
        }
    }

    /// Makes the window of a stream larger, which then stays so; not before the upstream has taken our SETTINGS, since the
    /// library counts from another beginning until then. True when it is so large now, or will be as soon as the request's head
    /// is written.
    package func openWindow(of stream: HTTP2Stream, to count: Int) -> Bool {
        guard stream.isOpen, hasSettled else { return false }
        stream.wantedWindow = count
        if stream.isHeadWritten { headWritten(of: stream) }
        return true
    }

    override func headWritten(of stream: HTTP2Stream) {
        guard stream.wantedWindow > 0 else { return }
        check(unsafe nghttp2_session_set_local_window_size(raw, 0, stream.id, Int32(clamping: stream.wantedWindow)))
    }

    /// What was given back before is told by the library only when it is asked again.
    override func settingsTaken() {
        hasSettled = true
        for stream in streams { check(unsafe nghttp2_session_consume(raw, stream.id, 0)) }
    }

    override func receivedSettings() { client.sessionLimitsChanged(self) }
    override func receivedGoAway() { client.sessionLimitsChanged(self) }
    override func receivedPong() { client.sessionReceivedPong(self) }
}
