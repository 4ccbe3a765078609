import CNghttp2
import Core

/// What the library calls while frames are pulled from it, and when streams end.
extension HTTP2Session {
    /// How many bytes of a stream's content the next DATA frame takes; sets the library's flags.
    func offerContent(of stream: HTTP2Stream, limit: Int, flags: inout UInt32) -> Int {
        let count = Swift.min(stream.queue.count, limit)
        if count == 0, !stream.isContentEnded {
            stream.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        if count > 0 { flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue }
        if count == stream.queue.count, stream.isContentEnded {
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if let section = stream.trailers {
                stream.trailers = nil
                flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                check(submitTrailers(section, on: stream))
            }
        }
        return count
    }

    /// Writes a DATA frame with the next `count` bytes of a stream's content; false to stop after it.
    func writeContent(_ header: Span<UInt8>, _ count: Int, of stream: HTTP2Stream) -> Bool {
        out.append(contentsOf: header)
        stream.queue.move(count, to: &out)
        if stream.queue.count == 0 { stream.queue.recycle(into: &freeStorage, limit: Self.freeStorageLimit) }
        pendingBytes &-= count
        account(for: stream)
        stream.lastTaken = now
        return out.count < outLimit
    }

    /// A frame was handed out.
    func wroteFrame(_ frame: UnsafePointer<nghttp2_frame>) {
        let header = unsafe frame.pointee.hd
        switch header.kind {
        case .content:
            // A receiver may answer each frame with a window for the stream and one for the connection.
            windowUpdateCredit = Swift.min(windowUpdateCredit &+ 2, Self.windowUpdateCreditLimit)
            if header.endsStream, let stream = stream(header.stream_id) { noteLocalEnd(stream) }
        case .headers:
            guard let stream = stream(header.stream_id) else { break }
            stream.isHeadWritten = true
            headWritten(of: stream)
            if header.endsStream { noteLocalEnd(stream) }
        case .reset:
            noteReset(of: header.stream_id)
            if let stream = stream(header.stream_id), !stream.isResetAccounted {
                stream.isResetAccounted = true
                _ = charge(provokedResetPoints)
            }
        case .goAway:
            // One of the library's own: the peer broke the protocol.
            if unsafe !isLeaving && frame.pointee.goaway.error_code != 0 { fail(.protocolViolated) }
        case .priority, .settings, .pushPromise, .ping, .windowUpdate, .continuation, nil: break
        }
    }

    private func noteLocalEnd(_ stream: HTTP2Stream) {
        stream.isLocalEnded = true
        endedLocally(stream)
    }

    /// A frame could not be sent. Of WINDOW_UPDATE and DATA that is no matter: their stream is closed.
    func couldNotWrite(_ frame: UnsafePointer<nghttp2_frame>) {
        let header = unsafe frame.pointee.hd
        guard header.kind == .headers else { return }
        if let stream = stream(header.stream_id) {
            // Of a request the library closes the stream itself.
            if unsafe frame.pointee.headers.cat != NGHTTP2_HCAT_REQUEST { reset(stream, .internalError) }
        } else if let stream = streams.first(where: { $0.id == header.stream_id }) {
            // A request that never left.
            stream.isUnprocessed = true
            close(stream, .refusedStream)
        }
    }

    /// The library closed a stream and will not speak of it again.
    func closed(_ id: Int32, _ code: HTTP2ErrorCode) {
        guard let stream = stream(id) else { return }
        if code == .refusedStream { stream.isUnprocessed = true }
        close(stream, code)
    }

    private func close(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
        guard stream.isOpen else { return }
        stream.isOpen = false
        if stream.unconsumed > 0 {
            check(unsafe nghttp2_session_consume_connection(raw, stream.unconsumed))
            stream.unconsumed = 0
        }
        pendingBytes &-= stream.queue.count
        stream.unsentBytes = stream.queue.count
        stream.queue.recycle(into: &freeStorage, limit: Self.freeStorageLimit)
        stream.reserved = 0
        account(for: stream)
        stream.trailers = nil
        if stream.isWaiting {
            stream.isWaiting = false
            waitingCount &-= 1
        }
        remove(stream)
        if stream.isAnnounced { delegate.session(self, closed: stream, code: code) }
        stream.context = nil
    }

    // MARK: The list of streams

    func insert(_ stream: HTTP2Stream) {
        stream.index = streams.count
        streams.append(stream)
    }

    private func remove(_ stream: HTTP2Stream) {
        guard let last = streams.last, stream.index < streams.count, streams[stream.index] === stream else { return }
        streams[stream.index] = last
        last.index = stream.index
        streams.removeLast()
    }
}
