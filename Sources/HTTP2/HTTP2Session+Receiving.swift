import CNghttp2
import Core

/// What the library calls while it takes bytes. Methods that return a truth value say whether to go on.
extension HTTP2Session {
    /// A frame's header came: counts what a peer may do, but not often.
    func beganFrame(_ header: nghttp2_frame_hd) -> Bool {
        switch header.kind {
        case .content: break
        case .headers:
            headerBlockSince = now
            continuationCount = 0
            // What comes behind our GOAWAY is ignored, but not for ever.
            return !isLeaving || stream(header.stream_id) != nil || charge(.refusedStream)
        case .continuation:
            continuationCount &+= 1
            if continuationCount > limits.continuationFrames { fail(.headerBlockTooLarge) }
            return charge(.continuation)
        case .windowUpdate:
            windowUpdateCredit &-= 1
            if windowUpdateCredit < 0 {
                windowUpdateCredit = 0
                return charge(.windowUpdate)
            }
        case .reset: if let resetGlitch { return charge(resetGlitch) }
        case .settings:
            if !header.isAck, hasSettings { return charge(.settings) }
            if !header.isAck { hasSettings = true }
        case .ping: if !header.isAck || outstandingPings == 0 { return charge(.ping) }
        case .priority: return charge(.priority)
        case .goAway: if isPeerLeaving { return charge(.unknownFrame) }
        case .pushPromise, nil: return charge(.unknownFrame)
        }
        headerBlockSince = nil
        return true
    }

    /// Puts a glitch on the peer's account. False when that was one too many.
    func charge(_ glitch: Glitch) -> Bool {
        switch score.add(glitch.points, at: now) {
        case .tolerable: break
        case .excessive:
            isCalmed = true
            finishStreams(.enhanceYourCalm)
        case .unbearable: fail(.abused)
        }
        return failure == nil
    }

    func receivedField(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        if takeField(name, value) > limits.decodedHeaderBytes { fail(.headerBlockTooLarge) }
        return failure == nil
    }

    /// A whole frame came and was found right.
    func receivedFrame(_ frame: UnsafePointer<nghttp2_frame>) -> Bool {
        let header = unsafe frame.pointee.hd
        switch header.kind {
        case .content:
            guard let stream = stream(header.stream_id) else { break }
            if header.endsStream {
                trailers.begin()
                remoteEnded(stream)
            } else if unsafe header.length <= frame.pointee.data.padlen {
                return charge(.emptyContent)
            }
        case .headers:
            headerBlockSince = nil
            guard let stream = stream(header.stream_id) else { break }
            stream.lastReceived = now
            endHeaders(of: stream, ends: header.endsStream)
        case .settings: if header.isAck { settingsTaken() } else { receivedSettings() }
        case .goAway:
            isPeerLeaving = true
            receivedGoAway()
        case .ping:
            if header.isAck, outstandingPings > 0 {
                outstandingPings = 0
                receivedPong()
            }
        case .priority, .reset, .pushPromise, .windowUpdate, .continuation, nil: break
        }
        return failure == nil
    }

    /// A frame that is wrong, or that opens a stream too many: the library resets the stream or ends the connection.
    func receivedInvalidFrame(_ header: nghttp2_frame_hd, _ error: Int32) -> Bool {
        headerBlockSince = nil
        if let stream = stream(header.stream_id) {
            stream.isResetAccounted = true
            if !stream.isAnnounced { rejectHeaders(of: stream) }
        }
        return charge(error == NGHTTP2_ERR_REFUSED_STREAM.rawValue ? .refusedStream : .provokedReset)
    }

    func receivedContent(_ content: Span<UInt8>, on id: Int32) {
        guard let stream = stream(id) else {
            check(unsafe nghttp2_session_consume(raw, id, content.count))
            return
        }
        stream.lastReceived = now
        stream.unconsumed &+= content.count
        if stream.dropsContent || !stream.isAnnounced {
            consumed(content.count, on: stream)
        } else {
            delegate.session(self, received: content, on: stream)
        }
    }

    /// The peer's side of a stream ended behind content, with what is in `trailers`.
    func remoteEnded(_ stream: HTTP2Stream) {
        stream.isRemoteEnded = true
        stream.lastReceived = now
        guard stream.isAnnounced, !stream.dropsContent else { return }
        delegate.session(self, receivedEndOf: stream, trailers: &trailers.section)
    }

    /// A trailer section is whole, and ends the stream: the library sees to that.
    func endTrailers(of stream: HTTP2Stream) {
        guard !trailers.isMalformed else {
            reset(stream, .protocolError)
            return
        }
        trailers.finish()
        remoteEnded(stream)
    }
}
